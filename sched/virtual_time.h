// SPDX-License-Identifier: Apache-2.0
// Time as logical threads see it: it stands still while they run, but for one microsecond each time
// that somebody looks, and jumps to a deadline when the schedule chooses the thread that waits for it,
// or when nobody else can run. Each clock began at another value, so that a deadline of one clock given
// to another shows.
#ifndef LASTPUT_SCHED_VIRTUAL_TIME_H_
#define LASTPUT_SCHED_VIRTUAL_TIME_H_

#include <time.h>

#include <cstdint>

#include "sched/engine.h"

namespace sched {

inline constexpr uint64_t kSecondNs = 1'000'000'000;

uint64_t to_ns(const timespec& t);
timespec from_ns(uint64_t ns);
bool is_time(const timespec* t);  // its nanoseconds are less than a second, and not negative

// What a clock shows now, without a look of the program at it.
uint64_t clock_now_ns(clockid_t clock);

// Until when a call waits. An invalid one is an error only where the call must wait.
struct Deadline {
  bool timed = false;
  bool valid = true;
  uint64_t ns = 0;  // since the execution began
};
Deadline never();
Deadline deadline_at(clockid_t clock, const timespec* t);
Deadline deadline_after(const timespec* t);

// Blocks until somebody wakes `key`, or until the deadline; whether that ended the wait, which is told
// in recordings.
bool wait_until(WaitFor what, const void* key, const Deadline& deadline, uintptr_t pc);
// A point, and then nothing until the deadline.
void sleep_until(const Deadline& deadline, uintptr_t pc);

}  // namespace sched

#endif  // LASTPUT_SCHED_VIRTUAL_TIME_H_
