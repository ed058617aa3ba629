// SPDX-License-Identifier: Apache-2.0
// A soak whose rounds are recorded by rr: this program again and again, some seconds of one scenario at a time, on one CPU, as rr
// has it. The recording of a round that fails is packed, replayed once to see that it ends alike, and kept in the folder of
// the failure; all others are deleted.
#ifndef LASTPUT_STRESS_RR_ROUNDS_H_
#define LASTPUT_STRESS_RR_ROUNDS_H_

#include "stress/options.h"

namespace stress {

// Until options.seconds are over and each scenario had a round, or a round fails, or end_rr_rounds(). Round n has seed options.seed + n; every other one is in rr's
// chaos mode. Returns the exit code of the program.
int soak_under_rr(const Options& options);

// From a signal handler.
void end_rr_rounds() noexcept;

}  // namespace stress

#endif  // LASTPUT_STRESS_RR_ROUNDS_H_
