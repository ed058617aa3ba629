// SPDX-License-Identifier: Apache-2.0
// Threads of C11. glibc's types are those of pthreads under another name (its own calls rely on it):
// mtx_t a pthread_mutex_t, cnd_t a pthread_cond_t, thrd_t a pthread_t, tss_t a key, once_flag a
// pthread_once_t. So are the calls here.
#include <errno.h>
#include <threads.h>

#include "sched/interpose.h"
#include "sched/locks.h"
#include "sched/real.h"
#include "sched/sync.h"
#include "sched/thread_keys.h"

namespace sched {
namespace {

static_assert(sizeof(mtx_t) == sizeof(pthread_mutex_t) && sizeof(cnd_t) == sizeof(pthread_cond_t));
static_assert(sizeof(once_flag) == sizeof(pthread_once_t) &&
              sizeof(tss_t) == sizeof(pthread_key_t));
static_assert(sizeof(thrd_t) == sizeof(pthread_t));

pthread_mutex_t* as(mtx_t* m) {
  return reinterpret_cast<pthread_mutex_t*>(m);
}
pthread_cond_t* as(cnd_t* c) {
  return reinterpret_cast<pthread_cond_t*>(c);
}

int result_of(int error) {
  switch (error) {
    case 0:
      return thrd_success;
    case EBUSY:
      return thrd_busy;
    case ETIMEDOUT:
      return thrd_timedout;
    case ENOMEM:
      return thrd_nomem;
    default:
      return thrd_error;
  }
}

Deadline deadline_of(const timespec* t) {
  return deadline_at(CLOCK_REALTIME, t);
}

}  // namespace
}  // namespace sched

using namespace sched;

SCHED_INTERPOSERS(c11)

// --- Threads
// --------------------------------------------------------------------------------------------

SCHED_EXPORT_WEAK int thrd_create(thrd_t* out, thrd_start_t function, void* argument) {
  if (!here()) return real().thrd_create(out, function, argument);
  // An int comes back in the low half of the register of a pointer; only that half is looked at.
  auto* as_pthread = reinterpret_cast<void* (*)(void*)>(reinterpret_cast<void*>(function));
  return result_of(create_thread(out, false, as_pthread, argument, SCHED_PC()));
}

SCHED_EXPORT_WEAK int thrd_join(thrd_t thread, int* result) {
  if (!here()) return real().thrd_join(thread, result);
  void* value = nullptr;
  const int rc = join_thread(thread, &value, never(), SCHED_PC());
  if (rc == 0 && result != nullptr) *result = static_cast<int>(reinterpret_cast<uintptr_t>(value));
  return result_of(rc);
}

SCHED_EXPORT_WEAK int thrd_detach(thrd_t thread) {
  return here() ? result_of(detach_thread(thread)) : real().thrd_detach(thread);
}

SCHED_EXPORT_WEAK void thrd_exit(int result) {
  if (here()) exit_thread(reinterpret_cast<void*>(static_cast<intptr_t>(result)));
  real().thrd_exit(result);
  __builtin_unreachable();
}

SCHED_EXPORT_WEAK int thrd_sleep(const timespec* t, timespec* left) {
  if (!here()) return real().thrd_sleep(t, left);
  const Deadline deadline = deadline_after(t);
  if (!deadline.valid) return -2;
  sleep_until(deadline, SCHED_PC());
  return 0;
}

SCHED_EXPORT_WEAK void thrd_yield() {
  sched_yield();
}

// --- Mutexes
// --------------------------------------------------------------------------------------------

SCHED_EXPORT_WEAK int mtx_init(mtx_t* m, int type) {
  if (here()) init_sync(SyncKind::kMutex, m);
  return real().mtx_init(m, type);
}

SCHED_EXPORT_WEAK void mtx_destroy(mtx_t* m) {
  if (!here()) return real().mtx_destroy(m);
  point_before(m, true);
  destroy_mutex(as(m), SCHED_PC());
}

SCHED_EXPORT_WEAK int mtx_lock(mtx_t* m) {
  if (!here()) return real().mtx_lock(m);
  point_before(m, true);
  return result_of(lock_mutex(as(m), never(), SCHED_PC()));
}

SCHED_EXPORT_WEAK int mtx_timedlock(mtx_t* m, const timespec* t) {
  if (!here()) return real().mtx_timedlock(m, t);
  point_before(m, true);
  return result_of(lock_mutex(as(m), deadline_of(t), SCHED_PC()));
}

SCHED_EXPORT_WEAK int mtx_trylock(mtx_t* m) {
  if (!here()) return real().mtx_trylock(m);
  point_before(m, true);
  return result_of(try_lock_mutex(as(m), SCHED_PC()));
}

SCHED_EXPORT_WEAK int mtx_unlock(mtx_t* m) {
  if (!here()) return real().mtx_unlock(m);
  point_before(m, true);
  return result_of(unlock_mutex(as(m), SCHED_PC()));
}

// --- Condition variables
// --------------------------------------------------------------------------------

SCHED_EXPORT_WEAK int cnd_init(cnd_t* c) {
  if (here()) init_sync(SyncKind::kCondition, c);
  return real().cnd_init(c);
}

SCHED_EXPORT_WEAK void cnd_destroy(cnd_t* c) {
  if (!here()) return real().cnd_destroy(c);
  point_before(c, true);
  destroy_condition(as(c), SCHED_PC());
}

SCHED_EXPORT_WEAK int cnd_wait(cnd_t* c, mtx_t* m) {
  if (!here()) return real().cnd_wait(c, m);
  return result_of(wait_condition(as(c), as(m), never(), SCHED_PC()));
}

SCHED_EXPORT_WEAK int cnd_timedwait(cnd_t* c, mtx_t* m, const timespec* t) {
  if (!here()) return real().cnd_timedwait(c, m, t);
  return result_of(wait_condition(as(c), as(m), deadline_of(t), SCHED_PC()));
}

SCHED_EXPORT_WEAK int cnd_signal(cnd_t* c) {
  if (!here()) return real().cnd_signal(c);
  point_before(c, true);
  return result_of(wake_condition(as(c), 1, SCHED_PC()));
}

SCHED_EXPORT_WEAK int cnd_broadcast(cnd_t* c) {
  if (!here()) return real().cnd_broadcast(c);
  point_before(c, true);
  return result_of(wake_condition(as(c), kMaxThreads, SCHED_PC()));
}

// --- Once, and keys
// -------------------------------------------------------------------------------------

SCHED_EXPORT_WEAK void call_once(once_flag* flag, void (*function)()) {
  if (!here()) return real().call_once(flag, function);
  run_once(reinterpret_cast<pthread_once_t*>(flag), function);
}

SCHED_EXPORT_WEAK int tss_create(tss_t* key, tss_dtor_t destructor) {
  return result_of(key_create(key, destructor, SCHED_PC()));
}
SCHED_EXPORT_WEAK void tss_delete(tss_t key) {
  key_delete(key);
}
SCHED_EXPORT_WEAK void* tss_get(tss_t key) {
  return key_get(key);
}
SCHED_EXPORT_WEAK int tss_set(tss_t key, void* value) {
  return result_of(key_set(key, value));
}
