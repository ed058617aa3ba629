// SPDX-License-Identifier: Apache-2.0
// Read-write locks. Who gets a lock that is free is a choice of the schedule. A writer that waits keeps
// readers out only where the lock's kind is PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP, as in glibc:
// otherwise readers come in as long as nobody writes, and a reader may lock again.
#include <errno.h>
#include <pthread.h>

#include "sched/interpose.h"
#include "sched/locks.h"
#include "sched/real.h"
#include "sched/sync.h"

namespace sched {
namespace {

Sync& rwlock_at(pthread_rwlock_t* l) {
  return sync_at(SyncKind::kRwlock, l);
}

bool mine(const Sync& sync) {
  return sync.owner == static_cast<int>(g.current);
}
bool has_readers(const Sync& sync) {
  for (uint32_t i = 0; i < g.thread_count; ++i)
    if (sync.reads[i] != 0) return true;
  return false;
}
bool may_read(pthread_rwlock_t* l, const Sync& sync) {
  const bool writers_first = l->__data.__flags == PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP;
  return sync.owner < 0 && !(writers_first && sync.waiting_writers != 0);
}
bool may_write(const Sync& sync) {
  return sync.owner < 0 && !has_readers(sync);
}

void take_for_reading(Sync& sync, uintptr_t pc) {
  ++sync.reads[g.current];
  acquire(sync.release);
  trace_sync(StepKind::kReadLock, sync, 0, pc);
}
void take_for_writing(Sync& sync, uintptr_t pc) {
  sync.owner = static_cast<int16_t>(g.current);
  acquire(sync.release);
  acquire(sync.read_release);
  trace_sync(StepKind::kLock, sync, 0, pc);
}

// Before a wait that a deadline does not end: what never ends otherwise.
void check_wait(WaitFor what, pthread_rwlock_t* l, const Sync& sync, const Deadline& deadline) {
  if (deadline.timed) return;
  if (mine(sync))
    fail_sync(FailureKind::kLockMisuse,
              "a thread locks a read-write lock that it already holds for writing", sync);
  if (what == WaitFor::kWriting && sync.reads[g.current] != 0)
    fail_sync(FailureKind::kLockMisuse,
              "a thread locks for writing a read-write lock that it holds for reading", sync);
  if (sync.owner >= 0) check_circle(what, l, static_cast<uint32_t>(sync.owner));
}

// Blocks once. 0, ETIMEDOUT or EINVAL.
int wait_once(WaitFor what, pthread_rwlock_t* l, const Deadline& deadline, uintptr_t pc) {
  Sync& sync = rwlock_at(l);
  if (!deadline.valid) return EINVAL;
  check_wait(what, l, sync, deadline);
  const bool writes = what == WaitFor::kWriting;
  ++sync.waiting;
  sync.waiting_writers = static_cast<uint16_t>(sync.waiting_writers + writes);
  const bool timed_out = wait_until(what, l, deadline, pc);
  --sync.waiting;
  sync.waiting_writers = static_cast<uint16_t>(sync.waiting_writers - writes);
  // A writer that gives up may have kept readers out.
  if (timed_out && writes) wake(l, kMaxThreads);
  return timed_out ? ETIMEDOUT : 0;
}

int lock_for_reading(pthread_rwlock_t* l, const Deadline& deadline, uintptr_t pc) {
  if (rwlock_at(l).reads[g.current] == UINT8_MAX) return EAGAIN;
  while (!may_read(l, rwlock_at(l)))
    if (int rc = wait_once(WaitFor::kReading, l, deadline, pc); rc != 0) return rc;
  take_for_reading(rwlock_at(l), pc);
  return 0;
}

int lock_for_writing(pthread_rwlock_t* l, const Deadline& deadline, uintptr_t pc) {
  while (!may_write(rwlock_at(l)))
    if (int rc = wait_once(WaitFor::kWriting, l, deadline, pc); rc != 0) return rc;
  take_for_writing(rwlock_at(l), pc);
  return 0;
}

void unlock_after_writing(Sync& sync) {
  sync.owner = -1;
  release(sync.release);
  sync.read_release.has = false;  // the writer knew all of it
}

int unlock_rwlock(pthread_rwlock_t* l, uintptr_t pc) {
  Sync& sync = rwlock_at(l);
  if (mine(sync)) {
    unlock_after_writing(sync);
  } else if (sync.reads[g.current] != 0) {
    --sync.reads[g.current];
    release_join(sync.read_release);
  } else {
    fail_sync(FailureKind::kLockMisuse, "a thread unlocks a read-write lock that it does not hold",
              sync);
  }
  trace_sync(StepKind::kUnlock, sync, 0, pc);
  if (may_write(sync)) wake(l, kMaxThreads);
  return 0;
}

int busy(const Sync& sync, uintptr_t pc) {
  trace_sync(StepKind::kTryLock, sync, 0, pc);
  return EBUSY;
}

int init_rwlock(pthread_rwlock_t* l, const pthread_rwlockattr_t* attr) {
  int shared = PTHREAD_PROCESS_PRIVATE;
  if (attr != nullptr) pthread_rwlockattr_getpshared(attr, &shared);
  if (shared == PTHREAD_PROCESS_SHARED)
    refuse("pthread_rwlock_init() of a lock that processes share", "leave it private");
  init_sync(SyncKind::kRwlock, l);
  return real().pthread_rwlock_init(l, attr);
}

int destroy_rwlock(pthread_rwlock_t* l, uintptr_t pc) {
  Sync& sync = rwlock_at(l);
  if (sync.owner >= 0 || has_readers(sync))
    fail_sync(FailureKind::kLockMisuse, "a thread destroys a read-write lock that is locked", sync);
  trace_sync(StepKind::kDestroy, sync, 0, pc);
  destroy_sync(SyncKind::kRwlock, l);
  return 0;
}

}  // namespace
}  // namespace sched

using namespace sched;

SCHED_INTERPOSERS(rwlock)

SCHED_EXPORT int pthread_rwlock_init(pthread_rwlock_t* l, const pthread_rwlockattr_t* attr) {
  return here() ? init_rwlock(l, attr) : real().pthread_rwlock_init(l, attr);
}

SCHED_EXPORT int pthread_rwlock_destroy(pthread_rwlock_t* l) {
  if (!here()) return real().pthread_rwlock_destroy(l);
  point_before(l, true);
  return destroy_rwlock(l, SCHED_PC());
}

SCHED_EXPORT int pthread_rwlock_rdlock(pthread_rwlock_t* l) {
  if (!here()) return real().pthread_rwlock_rdlock(l);
  point_before(l, true);
  return lock_for_reading(l, never(), SCHED_PC());
}

SCHED_EXPORT int pthread_rwlock_timedrdlock(pthread_rwlock_t* l, const timespec* t) {
  if (!here()) return real().pthread_rwlock_timedrdlock(l, t);
  point_before(l, true);
  return lock_for_reading(l, deadline_at(CLOCK_REALTIME, t), SCHED_PC());
}

SCHED_EXPORT int pthread_rwlock_clockrdlock(pthread_rwlock_t* l, clockid_t clock,
                                            const timespec* t) {
  if (!here()) return real().pthread_rwlock_clockrdlock(l, clock, t);
  if (clock != CLOCK_REALTIME && clock != CLOCK_MONOTONIC) return EINVAL;
  point_before(l, true);
  return lock_for_reading(l, deadline_at(clock, t), SCHED_PC());
}

SCHED_EXPORT int pthread_rwlock_tryrdlock(pthread_rwlock_t* l) {
  if (!here()) return real().pthread_rwlock_tryrdlock(l);
  point_before(l, true);
  Sync& sync = rwlock_at(l);
  if (!may_read(l, sync)) return busy(sync, SCHED_PC());
  if (sync.reads[g.current] == UINT8_MAX) return EAGAIN;
  take_for_reading(sync, SCHED_PC());
  return 0;
}

SCHED_EXPORT int pthread_rwlock_wrlock(pthread_rwlock_t* l) {
  if (!here()) return real().pthread_rwlock_wrlock(l);
  point_before(l, true);
  return lock_for_writing(l, never(), SCHED_PC());
}

SCHED_EXPORT int pthread_rwlock_timedwrlock(pthread_rwlock_t* l, const timespec* t) {
  if (!here()) return real().pthread_rwlock_timedwrlock(l, t);
  point_before(l, true);
  return lock_for_writing(l, deadline_at(CLOCK_REALTIME, t), SCHED_PC());
}

SCHED_EXPORT int pthread_rwlock_clockwrlock(pthread_rwlock_t* l, clockid_t clock,
                                            const timespec* t) {
  if (!here()) return real().pthread_rwlock_clockwrlock(l, clock, t);
  if (clock != CLOCK_REALTIME && clock != CLOCK_MONOTONIC) return EINVAL;
  point_before(l, true);
  return lock_for_writing(l, deadline_at(clock, t), SCHED_PC());
}

SCHED_EXPORT int pthread_rwlock_trywrlock(pthread_rwlock_t* l) {
  if (!here()) return real().pthread_rwlock_trywrlock(l);
  point_before(l, true);
  Sync& sync = rwlock_at(l);
  if (!may_write(sync)) return busy(sync, SCHED_PC());
  take_for_writing(sync, SCHED_PC());
  return 0;
}

SCHED_EXPORT int pthread_rwlock_unlock(pthread_rwlock_t* l) {
  if (!here()) return real().pthread_rwlock_unlock(l);
  point_before(l, true);
  return unlock_rwlock(l, SCHED_PC());
}
