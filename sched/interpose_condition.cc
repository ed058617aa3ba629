// SPDX-License-Identifier: Apache-2.0
// Condition variables. Whom a signal wakes is a choice of the schedule; a wait without a deadline may
// also end for nothing (engine.h: kSpuriousWakeOneIn), one with a deadline by that.
#include <errno.h>
#include <pthread.h>

#include "sched/interpose.h"
#include "sched/locks.h"
#include "sched/real.h"
#include "sched/sync.h"

namespace sched {
namespace {

// glibc keeps the clock of pthread_condattr_setclock in bit 1 of its count of references.
clockid_t clock_of(const pthread_cond_t* c) {
  return (c->__data.__wrefs & 2) != 0 ? CLOCK_MONOTONIC : CLOCK_REALTIME;
}

void check_same_mutex(pthread_cond_t* c, const pthread_mutex_t* m, Sync& sync) {
  if (waiters_of(c) != 0 && sync.mutex != m)
    fail_sync(FailureKind::kSyncMisuse,
              "threads wait on a condition variable with different mutexes", sync);
  sync.mutex = m;
}

void check_held(pthread_mutex_t* m) {
  const Sync& mutex = sync_at(SyncKind::kMutex, m);
  if (mutex.owner != static_cast<int>(g.current))
    fail_sync(FailureKind::kLockMisuse,
              "a thread waits on a condition variable with a mutex that it does not hold", mutex);
}

int init_condition(pthread_cond_t* c, const pthread_condattr_t* attr) {
  int shared = PTHREAD_PROCESS_PRIVATE;
  if (attr != nullptr) pthread_condattr_getpshared(attr, &shared);
  if (shared == PTHREAD_PROCESS_SHARED)
    refuse("pthread_cond_init() of a condition variable that processes share", "leave it private");
  init_sync(SyncKind::kCondition, c);
  return real().pthread_cond_init(c, attr);
}

}  // namespace

int wait_condition(pthread_cond_t* c, pthread_mutex_t* m, const Deadline& deadline, uintptr_t pc) {
  point_before(c, true);
  Sync& sync = sync_at(SyncKind::kCondition, c);
  if (!deadline.valid) return EINVAL;
  check_held(m);
  check_same_mutex(c, m, sync);
  trace_sync(StepKind::kWait, sync, 0, pc);
  if (int rc = unlock_mutex(m, pc); rc != 0) return rc;
  // From here on the condition variable may be gone: who wakes the last waiter may destroy it.
  const bool timed_out = wait_until(WaitFor::kCondition, c, deadline, pc);
  if (int rc = lock_mutex(m, never(), pc); rc != 0) return rc;
  return timed_out ? ETIMEDOUT : 0;
}

int wake_condition(pthread_cond_t* c, uint32_t count, uintptr_t pc) {
  Sync& sync = sync_at(SyncKind::kCondition, c);
  trace_sync(StepKind::kWake, sync, wake(c, count), pc);
  return 0;
}

int destroy_condition(pthread_cond_t* c, uintptr_t pc) {
  trace_sync(StepKind::kDestroy, sync_at(SyncKind::kCondition, c), 0, pc);
  destroy_sync(SyncKind::kCondition, c);
  return 0;
}

}  // namespace sched

using namespace sched;

SCHED_INTERPOSERS(condition)

SCHED_EXPORT int pthread_cond_init(pthread_cond_t* c, const pthread_condattr_t* attr) {
  return here() ? init_condition(c, attr) : real().pthread_cond_init(c, attr);
}

SCHED_EXPORT int pthread_cond_destroy(pthread_cond_t* c) {
  if (!here()) return real().pthread_cond_destroy(c);
  point_before(c, true);
  return destroy_condition(c, SCHED_PC());
}

SCHED_EXPORT int pthread_cond_wait(pthread_cond_t* c, pthread_mutex_t* m) {
  if (!here()) return real().pthread_cond_wait(c, m);
  return wait_condition(c, m, never(), SCHED_PC());
}

SCHED_EXPORT int pthread_cond_timedwait(pthread_cond_t* c, pthread_mutex_t* m, const timespec* t) {
  if (!here()) return real().pthread_cond_timedwait(c, m, t);
  return wait_condition(c, m, deadline_at(clock_of(c), t), SCHED_PC());
}

SCHED_EXPORT int pthread_cond_clockwait(pthread_cond_t* c, pthread_mutex_t* m, clockid_t clock,
                                        const timespec* t) {
  if (!here()) return real().pthread_cond_clockwait(c, m, clock, t);
  if (clock != CLOCK_REALTIME && clock != CLOCK_MONOTONIC) return EINVAL;
  return wait_condition(c, m, deadline_at(clock, t), SCHED_PC());
}

SCHED_EXPORT int pthread_cond_signal(pthread_cond_t* c) {
  if (!here()) return real().pthread_cond_signal(c);
  point_before(c, true);
  return wake_condition(c, 1, SCHED_PC());
}

SCHED_EXPORT int pthread_cond_broadcast(pthread_cond_t* c) {
  if (!here()) return real().pthread_cond_broadcast(c);
  point_before(c, true);
  return wake_condition(c, kMaxThreads, SCHED_PC());
}
