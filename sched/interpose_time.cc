// SPDX-License-Identifier: Apache-2.0
// Clocks, sleeping, and calls that only sleep if they wait for nothing else.
#include <errno.h>
#include <poll.h>
#include <sys/select.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include "sched/exploration.h"
#include "sched/interpose.h"
#include "sched/real.h"
#include "sched/sync.h"
#include "sched/virtual_time.h"

namespace sched {
namespace {

// A look takes a microsecond; a program that only looks, until its time has come, need not do so for
// ever: each further 64 looks take twice as long, up to a millisecond.
constexpr uint64_t kLookNs = 1000;
constexpr uint32_t kLooksPerStep = 64, kMaxSteps = 10;

void look_at_clock() {
  point();
  if (g.exploring) explore_touch(kTime, true);
  const uint32_t steps = g.looks++ / kLooksPerStep;
  g.now_ns += kLookNs << (steps < kMaxSteps ? steps : kMaxSteps);
}

int sleep_for(const timespec* t, uintptr_t pc) {
  const Deadline deadline = deadline_after(t);
  if (!deadline.valid) return EINVAL;
  sleep_until(deadline, pc);
  return 0;
}

int error(int number) {
  errno = number;
  return -1;
}

}  // namespace
}  // namespace sched

using namespace sched;

SCHED_INTERPOSERS(time)

SCHED_EXPORT int clock_gettime(clockid_t clock, timespec* t) {
  if (!here()) return real().clock_gettime(clock, t);
  look_at_clock();
  *t = from_ns(clock_now_ns(clock));
  return 0;
}

SCHED_EXPORT_WEAK int timespec_get(timespec* t, int base) {
  if (base != TIME_UTC) return here() ? 0 : real().timespec_get(t, base);
  clock_gettime(CLOCK_REALTIME, t);
  return base;
}

SCHED_EXPORT time_t time(time_t* out) {
  timespec t;
  clock_gettime(CLOCK_REALTIME, &t);
  if (out != nullptr) *out = t.tv_sec;
  return t.tv_sec;
}

SCHED_EXPORT int gettimeofday(timeval* __restrict tv, void* __restrict) {
  timespec t;
  clock_gettime(CLOCK_REALTIME, &t);
  tv->tv_sec = t.tv_sec;
  tv->tv_usec = t.tv_nsec / 1000;
  return 0;
}

SCHED_EXPORT_WEAK clock_t clock() {
  if (!here()) return real().clock();
  look_at_clock();
  return static_cast<clock_t>(g.now_ns / (kSecondNs / CLOCKS_PER_SEC));
}

SCHED_EXPORT int nanosleep(const timespec* t, timespec* left) {
  if (!here()) return real().nanosleep(t, left);
  const int rc = sleep_for(t, SCHED_PC());
  return rc == 0 ? 0 : error(rc);
}

SCHED_EXPORT int clock_nanosleep(clockid_t clock, int flags, const timespec* t, timespec* left) {
  if (!here()) return real().clock_nanosleep(clock, flags, t, left);
  if (flags != TIMER_ABSTIME) return sleep_for(t, SCHED_PC());
  const Deadline deadline = deadline_at(clock, t);
  if (!deadline.valid) return EINVAL;
  sleep_until(deadline, SCHED_PC());
  return 0;
}

SCHED_EXPORT int usleep(useconds_t us) {
  timespec t = from_ns(uint64_t{us} * 1000);
  return nanosleep(&t, nullptr);
}

SCHED_EXPORT_WEAK unsigned sleep(unsigned seconds) {
  timespec t = from_ns(seconds * kSecondNs);
  nanosleep(&t, nullptr);
  return 0;
}

// With nothing to wait for, both are how old programs sleep; without a wait, they pass through.
SCHED_EXPORT_WEAK int poll(pollfd* fds, nfds_t count, int timeout_ms) {
  if (!here() || timeout_ms == 0) return real().poll(fds, count, timeout_ms);
  if (count != 0 || timeout_ms < 0)
    refuse("poll() that may wait", "pass 0 as its timeout, or a condition variable in its place");
  timespec t = from_ns(static_cast<uint64_t>(timeout_ms) * 1'000'000);
  sleep_for(&t, SCHED_PC());
  return 0;
}

SCHED_EXPORT_WEAK int select(int count, fd_set* reads, fd_set* writes, fd_set* errors,
                             timeval* timeout) {
  const bool waits = timeout == nullptr || timeout->tv_sec != 0 || timeout->tv_usec != 0;
  if (!here() || !waits) return real().select(count, reads, writes, errors, timeout);
  if (timeout == nullptr || reads != nullptr || writes != nullptr || errors != nullptr)
    refuse("select() that may wait", "pass zeros as its timeout, or use a condition variable");
  timespec t = {timeout->tv_sec, timeout->tv_usec * 1000};
  return sleep_for(&t, SCHED_PC()) == 0 ? 0 : error(EINVAL);
}
