// SPDX-License-Identifier: Apache-2.0
// Semaphores, and barriers.
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <semaphore.h>

#include "sched/interpose.h"
#include "sched/journal.h"
#include "sched/locks.h"
#include "sched/real.h"
#include "sched/sync.h"

namespace sched {
namespace {

// --- Semaphores
// -----------------------------------------------------------------------------------------

// glibc keeps the value in the first word; so do we, for callers outside, and copies.
uint32_t value_of(const sem_t* s) {
  return *reinterpret_cast<const volatile uint32_t*>(s);
}
void set_value(sem_t* s, uint32_t value) {
  journal_write(reinterpret_cast<uintptr_t>(s), sizeof value);
  *reinterpret_cast<volatile uint32_t*>(s) = value;
}

Sync& semaphore_at(sem_t* s) {
  return sync_at(SyncKind::kSemaphore, s);
}

int semaphore_error(int error) {
  errno = error;
  return -1;
}

void take_one(sem_t* s, uintptr_t pc) {
  Sync& sync = semaphore_at(s);
  set_value(s, value_of(s) - 1);
  acquire(sync.release);
  trace_sync(StepKind::kLock, sync, value_of(s), pc);
}

int wait_semaphore(sem_t* s, const Deadline& deadline, uintptr_t pc) {
  while (semaphore_at(s), value_of(s) == 0) {
    if (!deadline.valid) return semaphore_error(EINVAL);
    Sync& sync = semaphore_at(s);
    ++sync.waiting;
    const bool timed_out = wait_until(WaitFor::kSemaphore, s, deadline, pc);
    --sync.waiting;
    if (timed_out) return semaphore_error(ETIMEDOUT);
  }
  take_one(s, pc);
  return 0;
}

int try_semaphore(sem_t* s, uintptr_t pc) {
  if (Sync& sync = semaphore_at(s); value_of(s) == 0) {
    trace_sync(StepKind::kTryLock, sync, 0, pc);
    return semaphore_error(EAGAIN);
  }
  take_one(s, pc);
  return 0;
}

int post_semaphore(sem_t* s, uintptr_t pc) {
  Sync& sync = semaphore_at(s);
  if (value_of(s) == SEM_VALUE_MAX) return semaphore_error(EOVERFLOW);
  set_value(s, value_of(s) + 1);
  trace_sync(StepKind::kUnlock, sync, value_of(s), pc);
  release_join(sync.release);
  wake(s, 1);
  return 0;
}

int init_semaphore(sem_t* s, int shared, unsigned value) {
  if (shared != 0)
    refuse("sem_init() of a semaphore that processes share", "pass 0 as its second argument");
  if (value > SEM_VALUE_MAX) return semaphore_error(EINVAL);
  init_sync(SyncKind::kSemaphore, s);
  return real().sem_init(s, shared, value);
}

// --- Barriers
// -------------------------------------------------------------------------------------------

// glibc: the third word is how many threads a round takes.
uint32_t threads_of(const pthread_barrier_t* b) {
  return reinterpret_cast<const volatile uint32_t*>(b)[2];
}

Sync& barrier_at(pthread_barrier_t* b) {
  Sync& sync = sync_at(SyncKind::kBarrier, b);
  if (threads_of(b) == 0)
    fail_sync(FailureKind::kSyncMisuse, "use of a barrier that was never initialised", sync);
  return sync;
}

// Everybody of the round learns what all of them knew, and one of them is told so. Nobody looks at the
// barrier after this: the one who is told may destroy it.
void end_round(pthread_barrier_t* b, Sync& sync) {
  sync.count = 0;
  release_join(sync.release);
  acquire(sync.release);
  uint32_t serial =
      threads_of(b) == 1
          ? 0
          : choose_departure(Departure::kSerial, departures_up_to(threads_of(b) - 1), kSerialOneIn);
  g.self->serial = serial == 0;
  for (uint32_t i = 0; i < g.thread_count; ++i) {
    Thread& t = g.threads[i];
    if (t.state != State::kBlocked || t.wait_key != b) continue;
    t.clock.join(sync.release.clock);
    t.serial = --serial == 0;
  }
  sync.release.has = false;
  wake(b, kMaxThreads);
}

int wait_barrier(pthread_barrier_t* b, uintptr_t pc) {
  Sync& sync = barrier_at(b);
  ++sync.count;
  trace_sync(StepKind::kWait, sync, 0, pc);
  if (sync.count == threads_of(b)) {
    end_round(b, sync);
  } else {
    release_join(sync.release);
    wait_until(WaitFor::kBarrier, b, never(), pc);
  }
  return g.self->serial ? PTHREAD_BARRIER_SERIAL_THREAD : 0;
}

int init_barrier(pthread_barrier_t* b, const pthread_barrierattr_t* attr, unsigned count) {
  int shared = PTHREAD_PROCESS_PRIVATE;
  if (attr != nullptr) pthread_barrierattr_getpshared(attr, &shared);
  if (shared == PTHREAD_PROCESS_SHARED)
    refuse("pthread_barrier_init() of a barrier that processes share", "leave it private");
  init_sync(SyncKind::kBarrier, b);
  return real().pthread_barrier_init(b, attr, count);
}

}  // namespace
}  // namespace sched

using namespace sched;

SCHED_INTERPOSERS(semaphore)

SCHED_EXPORT int sem_init(sem_t* s, int shared, unsigned value) {
  return here() ? init_semaphore(s, shared, value) : real().sem_init(s, shared, value);
}

SCHED_EXPORT int sem_destroy(sem_t* s) {
  if (!here()) return real().sem_destroy(s);
  point_before(s, true);
  trace_sync(StepKind::kDestroy, semaphore_at(s), 0, SCHED_PC());
  destroy_sync(SyncKind::kSemaphore, s);
  return 0;
}

SCHED_EXPORT int sem_wait(sem_t* s) {
  if (!here()) return real().sem_wait(s);
  point_before(s, true);
  return wait_semaphore(s, never(), SCHED_PC());
}

SCHED_EXPORT int sem_timedwait(sem_t* s, const timespec* t) {
  if (!here()) return real().sem_timedwait(s, t);
  point_before(s, true);
  return wait_semaphore(s, deadline_at(CLOCK_REALTIME, t), SCHED_PC());
}

SCHED_EXPORT int sem_clockwait(sem_t* s, clockid_t clock, const timespec* t) {
  if (!here()) return real().sem_clockwait(s, clock, t);
  if (clock != CLOCK_REALTIME && clock != CLOCK_MONOTONIC) return semaphore_error(EINVAL);
  point_before(s, true);
  return wait_semaphore(s, deadline_at(clock, t), SCHED_PC());
}

SCHED_EXPORT int sem_trywait(sem_t* s) {
  if (!here()) return real().sem_trywait(s);
  point_before(s, true);
  return try_semaphore(s, SCHED_PC());
}

SCHED_EXPORT int sem_post(sem_t* s) {
  if (!here()) return real().sem_post(s);
  point_before(s, true);
  return post_semaphore(s, SCHED_PC());
}

SCHED_EXPORT int sem_getvalue(sem_t* s, int* value) {
  if (!here()) return real().sem_getvalue(s, value);
  point_before(s, false);
  semaphore_at(s);
  *value = static_cast<int>(value_of(s));
  mix_hash(static_cast<uint64_t>(*value));
  return 0;
}

SCHED_EXPORT int pthread_barrier_init(pthread_barrier_t* b, const pthread_barrierattr_t* attr,
                                      unsigned count) {
  return here() ? init_barrier(b, attr, count) : real().pthread_barrier_init(b, attr, count);
}

SCHED_EXPORT int pthread_barrier_destroy(pthread_barrier_t* b) {
  if (!here()) return real().pthread_barrier_destroy(b);
  point_before(b, true);
  trace_sync(StepKind::kDestroy, barrier_at(b), 0, SCHED_PC());
  destroy_sync(SyncKind::kBarrier, b);
  return 0;
}

SCHED_EXPORT int pthread_barrier_wait(pthread_barrier_t* b) {
  if (!here()) return real().pthread_barrier_wait(b);
  point_before(b, true);
  return wait_barrier(b, SCHED_PC());
}
