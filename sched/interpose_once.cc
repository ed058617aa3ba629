// SPDX-License-Identifier: Apache-2.0
// What runs once, static guards of C++, and keys.
#include <pthread.h>
#include <unistd.h>

#include "sched/interpose.h"
#include "sched/journal.h"
#include "sched/locks.h"
#include "sched/real.h"
#include "sched/sync.h"
#include "sched/thread_keys.h"

namespace sched {
namespace {

constexpr int kOnceDone = 2;  // glibc's mark in a finished pthread_once_t

// True if the caller shall run the initialiser; false when it has been run.
bool begin_once(SyncKind kind, void* object, bool done) {
  Sync* sync = &sync_at(kind, object);
  while (!done && sync->count == kOnceRunning) {
    if (sync->owner == static_cast<int>(g.current))
      fail_sync(FailureKind::kSyncMisuse, "an initialiser that runs once waits for itself", *sync);
    block(WaitFor::kOnce, object, false, 0);
    sync = &sync_at(kind, object);
    done = sync->count == kOnceFinished;
  }
  if (done || sync->count == kOnceFinished) {
    acquire(sync->release);
    return false;
  }
  acquire(sync->release);  // of one who tried before, and threw
  sync->count = kOnceRunning;
  sync->owner = static_cast<int16_t>(g.current);
  return true;
}

void end_once(SyncKind kind, void* object, uint32_t state) {
  Sync& sync = sync_at(kind, object);
  sync.count = state;
  sync.owner = -1;
  release(sync.release);
  wake(object, kMaxThreads);
}

}  // namespace

int run_once(pthread_once_t* once, void (*function)()) {
  point_before(once, true);
  if (!begin_once(SyncKind::kOnce, once, *once == kOnceDone)) return 0;
  try {
    function();
  } catch (...) {
    end_once(SyncKind::kOnce, once, 0);
    throw;
  }
  journal_write(reinterpret_cast<uintptr_t>(once), sizeof *once);
  *once = kOnceDone;  // for callers outside as well
  end_once(SyncKind::kOnce, once, kOnceFinished);
  return 0;
}

}  // namespace sched

using namespace sched;

SCHED_INTERPOSERS(once)

SCHED_EXPORT int pthread_once(pthread_once_t* once, void (*function)()) {
  return here() ? run_once(once, function) : real().pthread_once(once, function);
}

// Byte 0 of a guard says "initialised" (Itanium C++ ABI, 3.3.3); byte 1 is ours: somebody is at it.
SCHED_EXPORT int __cxa_guard_acquire(uint8_t* guard) {
  if (here()) {
    point_before(guard, true);
    return begin_once(SyncKind::kGuard, guard, guard[0] != 0) ? 1 : 0;
  }
  if (__atomic_load_n(guard, __ATOMIC_ACQUIRE) != 0) return 0;
  while (__atomic_exchange_n(guard + 1, 1, __ATOMIC_ACQUIRE) != 0) usleep(50);
  if (__atomic_load_n(guard, __ATOMIC_ACQUIRE) == 0) return 1;
  __atomic_store_n(guard + 1, 0, __ATOMIC_RELEASE);
  return 0;
}

SCHED_EXPORT void __cxa_guard_release(uint8_t* guard) {
  if (here()) journal_write(reinterpret_cast<uintptr_t>(guard), 8);
  __atomic_store_n(guard, 1, __ATOMIC_RELEASE);
  __atomic_store_n(guard + 1, 0, __ATOMIC_RELEASE);
  if (here()) end_once(SyncKind::kGuard, guard, kOnceFinished);
}

SCHED_EXPORT void __cxa_guard_abort(uint8_t* guard) {
  __atomic_store_n(guard + 1, 0, __ATOMIC_RELEASE);
  if (here()) end_once(SyncKind::kGuard, guard, 0);
}

SCHED_EXPORT int pthread_key_create(pthread_key_t* key, void (*destructor)(void*)) {
  return key_create(key, destructor, SCHED_PC());
}
SCHED_EXPORT int pthread_key_delete(pthread_key_t key) {
  return key_delete(key);
}
SCHED_EXPORT void* pthread_getspecific(pthread_key_t key) {
  return key_get(key);
}
SCHED_EXPORT int pthread_setspecific(pthread_key_t key, const void* value) {
  return key_set(key, value);
}
