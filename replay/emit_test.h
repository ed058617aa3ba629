// SPDX-License-Identifier: Apache-2.0
// A failure as a GoogleTest case in C++ that needs core and sched alone: the calls of each thread, written out,
// under the schedule that failed. It passes where the bug is gone.
#ifndef LASTPUT_REPLAY_EMIT_TEST_H_
#define LASTPUT_REPLAY_EMIT_TEST_H_

#include <string>

#include "targets/text.h"

namespace replay {

// `command`: the one that replays the artifact, to be told in the first comment. The calls, and so the
// scheduling points, are those of the harness (targets/harness.h), so that the schedule fits. `recording`:
// of the failure; where it does not fail, empty.
// Of a program with a manager, misuse, pools, lists, slow callbacks or end_thread, what must hold takes the harness
// itself: that test has the program and the schedule as text, and needs targets, too.
std::string emit_test(const targets::Artifact& one_schedule, const sched::Recording& recording,
                      const std::string& command);

}  // namespace replay

#endif  // LASTPUT_REPLAY_EMIT_TEST_H_
