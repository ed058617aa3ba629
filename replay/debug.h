// SPDX-License-Identifier: Apache-2.0
// One schedule under a debugger: this program again, with that schedule alone, on OS threads.
#ifndef LASTPUT_REPLAY_DEBUG_H_
#define LASTPUT_REPLAY_DEBUG_H_

#include <cstdint>
#include <string>

#include "targets/text.h"

namespace replay {

// Becomes gdb at scheduling point `at`, or at the failure if that is 0, and says `reason` there; it knows how to print a
// Ref. ERRORS: returns, and *error says what is missing.
void debug(const targets::Artifact& one_schedule, uint64_t at, const std::string& reason,
           std::string* error);

// Records it under rr to `trace`, and says how to go through that. ERRORS: false, and *error.
bool record(const targets::Artifact& one_schedule, const std::string& trace, std::string* error);

}  // namespace replay

#endif  // LASTPUT_REPLAY_DEBUG_H_
