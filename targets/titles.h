// SPDX-License-Identifier: Apache-2.0
// Words for what a failure is about.
#ifndef LASTPUT_TARGETS_TITLES_H_
#define LASTPUT_TARGETS_TITLES_H_

#include <cstdint>
#include <string>

#include "targets/program.h"

namespace targets {

// What the guarantee ("G2") is about: "release while held". "" for one that is not known.
const char* guarantee_words(const std::string& guarantee);

// "put ref0": operation `op` of a thread, as begin_op numbers it; "" where there is nothing to say.
std::string operation_title(const Program& program, Kind kind, const std::string& thread,
                            uint32_t op);

// "SUMMARY: lastput: G2 (release while held) in percpu_ref"; `name`: a guarantee, or what noticed.
std::string summary_line(const std::string& name, const std::string& where);

}  // namespace targets

#endif  // LASTPUT_TARGETS_TITLES_H_
