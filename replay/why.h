// SPDX-License-Identifier: Apache-2.0
// Why an artifact fails (sched/why.h).
#ifndef LASTPUT_REPLAY_WHY_H_
#define LASTPUT_REPLAY_WHY_H_

#include "sched/why.h"
#include "targets/execute.h"
#include "targets/text.h"

namespace replay {

// `body` runs its program. REQUIRES: `artifact` has one schedule, and fails by it. Same artifact, same
// answer.
sched::Why explain_why(const targets::Artifact& artifact, targets::Body body);

}  // namespace replay

#endif  // LASTPUT_REPLAY_WHY_H_
