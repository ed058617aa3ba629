// SPDX-License-Identifier: Apache-2.0
#include "sched/virtual_time.h"

#include "sched/exploration.h"
#include "sched/recorder.h"

namespace sched {
namespace {

// What the clocks showed when the execution began: any fixed values, far apart.
constexpr uint64_t kCalendarNs = 1'700'000'000 * kSecondNs;
constexpr uint64_t kSinceBootNs = 1'000'000 * kSecondNs;

uint64_t start_of(clockid_t clock) {
  switch (clock) {
    case CLOCK_REALTIME:
    case CLOCK_REALTIME_COARSE:
    case CLOCK_TAI:
      return kCalendarNs;
    case CLOCK_MONOTONIC:
    case CLOCK_MONOTONIC_RAW:
    case CLOCK_MONOTONIC_COARSE:
    case CLOCK_BOOTTIME:
      return kSinceBootNs;
    default:
      return 0;  // time that a thread or the process has used
  }
}

}  // namespace

uint64_t to_ns(const timespec& t) {
  return static_cast<uint64_t>(t.tv_sec) * kSecondNs + static_cast<uint64_t>(t.tv_nsec);
}

timespec from_ns(uint64_t ns) {
  timespec t;
  t.tv_sec = static_cast<time_t>(ns / kSecondNs);
  t.tv_nsec = static_cast<long>(ns % kSecondNs);
  return t;
}

bool is_time(const timespec* t) {
  return t->tv_nsec >= 0 && t->tv_nsec < static_cast<long>(kSecondNs);
}

uint64_t clock_now_ns(clockid_t clock) {
  return start_of(clock) + g.now_ns;
}

Deadline never() {
  return {};
}

Deadline deadline_at(clockid_t clock, const timespec* t) {
  Deadline deadline{true, is_time(t), 0};
  if (!deadline.valid || t->tv_sec < 0) return deadline;
  const uint64_t ns = to_ns(*t), start = start_of(clock);
  deadline.ns = ns > start ? ns - start : 0;
  return deadline;
}

Deadline deadline_after(const timespec* t) {
  if (g.exploring) explore_touch(kTime, false);
  Deadline deadline{true, is_time(t) && t->tv_sec >= 0, 0};
  if (deadline.valid) deadline.ns = g.now_ns + to_ns(*t);
  return deadline;
}

bool wait_until(WaitFor what, const void* key, const Deadline& deadline, uintptr_t pc) {
  const bool timed_out = block(what, key, deadline.timed, deadline.ns);
  if (timed_out && g.recording)
    record_step(StepKind::kWait, reinterpret_cast<uintptr_t>(key), 0, -1, 0, 1, pc);
  return timed_out;
}

void sleep_until(const Deadline& deadline, uintptr_t pc) {
  point();
  mix_hash(0x51ee9);
  if (g.recording) record_step(StepKind::kSleep, 0, 0, -1, 0, deadline.ns, pc);
  block(WaitFor::kTime, g.self, true, deadline.ns);
}

}  // namespace sched
