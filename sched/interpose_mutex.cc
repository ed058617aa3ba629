// SPDX-License-Identifier: Apache-2.0
// Mutexes of all types, and spin locks. A thread that waits for a spin lock is blocked as one that waits
// for a mutex is: spinning shows nothing that waiting does not.
#include <errno.h>
#include <pthread.h>

#include "sched/exploration.h"
#include "sched/interpose.h"
#include "sched/locks.h"
#include "sched/real.h"
#include "sched/sync.h"

namespace sched {
namespace {

// glibc keeps a mutex's type in the two low bits of its kind; elision, priorities are above.
int type_of(const pthread_mutex_t* m) {
  return m->__data.__kind & 3;
}
bool tells_errors(const pthread_mutex_t* m) {
  return type_of(m) == PTHREAD_MUTEX_ERRORCHECK || type_of(m) == PTHREAD_MUTEX_RECURSIVE;
}

bool mine(const Sync& sync) {
  return sync.owner == static_cast<int>(g.current);
}

void take(Sync& sync, LockStep how, uintptr_t pc) {
  if (g.exploring) explore_lock(sync.loc->address, how);
  sync.owner = static_cast<int16_t>(g.current);
  sync.count = 1;
  acquire(sync.release);
  trace_sync(StepKind::kLock, sync, 0, pc);
}

// Waits until nobody holds it. 0, ETIMEDOUT or EINVAL.
int await(SyncKind kind, WaitFor what, const volatile void* object, const Deadline& deadline,
          uintptr_t pc) {
  Sync* sync = &sync_at(kind, object);
  while (sync->owner >= 0) {
    if (!deadline.valid) return EINVAL;
    const void* key = const_cast<const void*>(object);
    if (!deadline.timed) check_circle(what, key, static_cast<uint32_t>(sync->owner));
    ++sync->waiting;
    const bool timed_out = wait_until(what, key, deadline, pc);
    --sync->waiting;
    sync = &sync_at(kind, object);
    if (timed_out) return ETIMEDOUT;
  }
  return 0;
}

void give_back(Sync& sync, uintptr_t pc) {
  if (g.exploring) explore_lock(sync.loc->address, LockStep::kGivenBack);
  sync.owner = -1;
  sync.count = 0;
  release(sync.release);
  trace_sync(StepKind::kUnlock, sync, 0, pc);
  wake(reinterpret_cast<const void*>(sync.loc->address), kMaxThreads);
}

// 0, or what a type that counts or checks makes of a lock by its owner; -1: the caller is not that.
int lock_again(pthread_mutex_t* m, Sync& sync, uintptr_t pc) {
  if (!mine(sync)) return -1;
  if (type_of(m) == PTHREAD_MUTEX_ERRORCHECK) return EDEADLK;
  if (type_of(m) != PTHREAD_MUTEX_RECURSIVE) return -1;
  ++sync.count;
  trace_sync(StepKind::kLock, sync, sync.count, pc);
  return 0;
}

}  // namespace

int lock_mutex(pthread_mutex_t* m, const Deadline& deadline, uintptr_t pc) {
  Sync& sync = sync_at(SyncKind::kMutex, m);
  if (int rc = lock_again(m, sync, pc); rc >= 0) return rc;
  if (mine(sync) && !deadline.timed)
    fail_sync(FailureKind::kLockMisuse, "a thread locks a mutex that it already holds", sync);
  if (int rc = await(SyncKind::kMutex, WaitFor::kMutex, m, deadline, pc); rc != 0) return rc;
  take(sync_at(SyncKind::kMutex, m), LockStep::kTaken, pc);
  return 0;
}

int try_lock_mutex(pthread_mutex_t* m, uintptr_t pc) {
  Sync& sync = sync_at(SyncKind::kMutex, m);
  if (lock_again(m, sync, pc) == 0) return 0;
  if (sync.owner >= 0) {
    trace_sync(StepKind::kTryLock, sync, 0, pc);
    return EBUSY;
  }
  take(sync, LockStep::kTakenByTry, pc);
  return 0;
}

int unlock_mutex(pthread_mutex_t* m, uintptr_t pc) {
  Sync& sync = sync_at(SyncKind::kMutex, m);
  if (!mine(sync)) {
    if (tells_errors(m)) return EPERM;
    fail_sync(FailureKind::kLockMisuse, "a thread unlocks a mutex that it does not hold", sync);
  }
  if (--sync.count == 0) {
    give_back(sync, pc);
  } else {
    trace_sync(StepKind::kUnlock, sync, sync.count, pc);
  }
  return 0;
}

int destroy_mutex(pthread_mutex_t* m, uintptr_t pc) {
  Sync& sync = sync_at(SyncKind::kMutex, m);
  if (sync.owner >= 0)
    fail_sync(FailureKind::kLockMisuse, "a thread destroys a mutex that is locked", sync);
  trace_sync(StepKind::kDestroy, sync, 0, pc);
  destroy_sync(SyncKind::kMutex, m);
  return 0;
}

namespace {

int init_mutex(pthread_mutex_t* m, const pthread_mutexattr_t* attr) {
  int shared = PTHREAD_PROCESS_PRIVATE, robust = PTHREAD_MUTEX_STALLED;
  if (attr != nullptr) {
    pthread_mutexattr_getpshared(attr, &shared);
    pthread_mutexattr_getrobust(attr, &robust);
  }
  if (shared == PTHREAD_PROCESS_SHARED)
    refuse("pthread_mutex_init() of a mutex that processes share", "leave it private");
  if (robust == PTHREAD_MUTEX_ROBUST)
    refuse("pthread_mutex_init() of a robust mutex", "use PTHREAD_MUTEX_STALLED, the default");
  init_sync(SyncKind::kMutex, m);
  return real().pthread_mutex_init(m, attr);
}

// glibc: 1 is free; 0, as in memory that was only cleared, is taken for ever.
void check_spin_initialised(const Sync& sync, const volatile int* lock) {
  if (*lock == 0)
    fail_sync(FailureKind::kLockMisuse,
              "use of a spin lock that was never initialised (zeros are no initialiser)", sync);
}

Sync& spin_at(pthread_spinlock_t* lock) {
  Sync& sync = sync_at(SyncKind::kSpin, lock);
  check_spin_initialised(sync, lock);
  return sync;
}

}  // namespace
}  // namespace sched

using namespace sched;

SCHED_INTERPOSERS(mutex)

// --- Mutexes
// --------------------------------------------------------------------------------------------

SCHED_EXPORT int pthread_mutex_init(pthread_mutex_t* m, const pthread_mutexattr_t* attr) {
  return here() ? init_mutex(m, attr) : real().pthread_mutex_init(m, attr);
}

SCHED_EXPORT int pthread_mutex_destroy(pthread_mutex_t* m) {
  if (!here()) return real().pthread_mutex_destroy(m);
  point_before(m, true);
  return destroy_mutex(m, SCHED_PC());
}

SCHED_EXPORT int pthread_mutex_lock(pthread_mutex_t* m) {
  if (!here()) return real().pthread_mutex_lock(m);
  point_before(m, true);
  return lock_mutex(m, never(), SCHED_PC());
}

SCHED_EXPORT int pthread_mutex_timedlock(pthread_mutex_t* m, const timespec* t) {
  if (!here()) return real().pthread_mutex_timedlock(m, t);
  point_before(m, true);
  return lock_mutex(m, deadline_at(CLOCK_REALTIME, t), SCHED_PC());
}

SCHED_EXPORT int pthread_mutex_clocklock(pthread_mutex_t* m, clockid_t clock, const timespec* t) {
  if (!here()) return real().pthread_mutex_clocklock(m, clock, t);
  if (clock != CLOCK_REALTIME && clock != CLOCK_MONOTONIC) return EINVAL;
  point_before(m, true);
  return lock_mutex(m, deadline_at(clock, t), SCHED_PC());
}

SCHED_EXPORT int pthread_mutex_trylock(pthread_mutex_t* m) {
  if (!here()) return real().pthread_mutex_trylock(m);
  point_before(m, true);
  return try_lock_mutex(m, SCHED_PC());
}

SCHED_EXPORT int pthread_mutex_unlock(pthread_mutex_t* m) {
  if (!here()) return real().pthread_mutex_unlock(m);
  point_before(m, true);
  return unlock_mutex(m, SCHED_PC());
}

// --- Spin locks
// -----------------------------------------------------------------------------------------

SCHED_EXPORT int pthread_spin_init(pthread_spinlock_t* lock, int shared) {
  if (!here()) return real().pthread_spin_init(lock, shared);
  if (shared == PTHREAD_PROCESS_SHARED)
    refuse("pthread_spin_init() of a lock that processes share", "leave it private");
  init_sync(SyncKind::kSpin, lock);
  return real().pthread_spin_init(lock, shared);
}

SCHED_EXPORT int pthread_spin_destroy(pthread_spinlock_t* lock) {
  if (!here()) return real().pthread_spin_destroy(lock);
  point_before(lock, true);
  Sync& sync = spin_at(lock);
  if (sync.owner >= 0)
    fail_sync(FailureKind::kLockMisuse, "a thread destroys a spin lock that is locked", sync);
  trace_sync(StepKind::kDestroy, sync, 0, SCHED_PC());
  destroy_sync(SyncKind::kSpin, lock);
  return 0;
}

SCHED_EXPORT int pthread_spin_lock(pthread_spinlock_t* lock) {
  if (!here()) return real().pthread_spin_lock(lock);
  point_before(lock, true);
  if (Sync& sync = spin_at(lock); mine(sync))
    fail_sync(FailureKind::kLockMisuse, "a thread locks a spin lock that it already holds", sync);
  await(SyncKind::kSpin, WaitFor::kSpin, lock, never(), SCHED_PC());
  take(spin_at(lock), LockStep::kTaken, SCHED_PC());
  return 0;
}

SCHED_EXPORT int pthread_spin_trylock(pthread_spinlock_t* lock) {
  if (!here()) return real().pthread_spin_trylock(lock);
  point_before(lock, true);
  Sync& sync = spin_at(lock);
  if (sync.owner >= 0) {
    trace_sync(StepKind::kTryLock, sync, 0, SCHED_PC());
    return EBUSY;
  }
  take(sync, LockStep::kTakenByTry, SCHED_PC());
  return 0;
}

SCHED_EXPORT int pthread_spin_unlock(pthread_spinlock_t* lock) {
  if (!here()) return real().pthread_spin_unlock(lock);
  point_before(lock, true);
  Sync& sync = spin_at(lock);
  if (!mine(sync))
    fail_sync(FailureKind::kLockMisuse, "a thread unlocks a spin lock that it does not hold", sync);
  give_back(sync, SCHED_PC());
  return 0;
}
