// SPDX-License-Identifier: Apache-2.0
// Whether a report of the core is what an operation of misuse asked for.
#ifndef LASTPUT_TARGETS_MISUSE_EXPECTED_H_
#define LASTPUT_TARGETS_MISUSE_EXPECTED_H_

#include "core/misuse.h"

namespace targets {

// Counts it; false: nothing like it is expected in the calling thread now.
bool misuse_was_expected(const percpu::Misuse& misuse);

}  // namespace targets

#endif  // LASTPUT_TARGETS_MISUSE_EXPECTED_H_
