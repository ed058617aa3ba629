// SPDX-License-Identifier: Apache-2.0
// What of a recording a person wants to see first: what threads did to each other.
#ifndef LASTPUT_SCHED_FOCUS_H_
#define LASTPUT_SCHED_FOCUS_H_

#include <cstddef>
#include <vector>

#include "sched/sched.h"

namespace sched {

// For each step whether it matters:
//   - the beginning of an operation, a note, a thread's beginning and end, a join, a fence;
//   - accesses to bytes that go from thread to thread more than once (what one thread prepares for another
//     does not) and that are written after the second thread has come; of those before it came, the last
//     write (after the states of Eraser: Savage et al., SOSP 1997). A block that is allocated anew begins
//     anew;
//   - where an access has failed, all accesses to the same bytes; where threads wait for ever, or misuse what
//     they wait for, all locking, waiting and waking;
//   - allocation and release of blocks that hold such bytes.
std::vector<bool> steps_that_matter(const Recording& recording, const Failure& failure);

// The recording with the steps that are marked, and all of the rest.
Recording only_steps(const Recording& recording, const std::vector<bool>& marked);

// Index into Recording::choices of the preemption by which `step` follows `previous`, a step of another
// thread; kNoChoice: the other had ended or could not go on, or nothing is known of it.
inline constexpr size_t kNoChoice = static_cast<size_t>(-1);
size_t preemption_before(const Recording& recording, const Step& previous, const Step& step);

}  // namespace sched

#endif  // LASTPUT_SCHED_FOCUS_H_
