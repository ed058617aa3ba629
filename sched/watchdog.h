// SPDX-License-Identifier: Apache-2.0
// Ends executions that do not get on: the program loops without a scheduling point, or waits in a call that
// the engine does not control. A timer looks now and then whether points were passed.
//
// The first time the execution is abandoned and told as stalled: its caller repeats it with plain_points, so
// that a thread that spins on a plain variable lets the others run. If plain accesses are points already,
// it fails with kNoProgress and the stack of the loop.
#ifndef LASTPUT_SCHED_WATCHDOG_H_
#define LASTPUT_SCHED_WATCHDOG_H_

namespace sched {

inline constexpr double kMostCpuSeconds = 1;    // without a point; ten times that while recording
inline constexpr double kMostRealSeconds = 10;  // the same for one that waits

// Once, before the first execution.
void watchdog_setup();
// An execution begins.
void watchdog_watch();
// Whether the last execution was abandoned.
bool watchdog_stalled();

}  // namespace sched

#endif  // LASTPUT_SCHED_WATCHDOG_H_
