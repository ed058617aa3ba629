// SPDX-License-Identifier: Apache-2.0
// Calls that the engine does not control: a logical thread that makes one would block, or leave, the
// one OS thread that all of them share. So it ends the execution with a message that names the call.
#include <dlfcn.h>
#include <pthread.h>
#include <semaphore.h>
#include <unistd.h>

#include "sched/engine.h"

namespace {

template <class F>
F* next(const char* name) {
  return reinterpret_cast<F*>(dlsym(RTLD_NEXT, name));
}

[[noreturn]] void refuse(const char* message) {
  sched::fail_execution(sched::FailureKind::kLimit, "", message);
}

}  // namespace

extern "C" const char sched_interpose_refused;
const char sched_interpose_refused = 1;

// The real function is looked up by a constructor, as in real.cc, or by a caller that is earlier.
#define SCHED_REFUSE(ret, name, parameters, arguments)                     \
  static ret(*real_##name) parameters;                                     \
  [[gnu::constructor(101)]] static void resolve_##name() {                 \
    real_##name = next<ret parameters>(#name);                             \
  }                                                                        \
  extern "C" __attribute__((visibility("default"))) ret name parameters {  \
    if (sched::here()) refuse(#name "() is not controlled by the engine"); \
    if (real_##name == nullptr) resolve_##name();                          \
    return real_##name arguments;                                          \
  }

SCHED_REFUSE(int, pthread_rwlock_rdlock, (pthread_rwlock_t * l), (l))
SCHED_REFUSE(int, pthread_rwlock_wrlock, (pthread_rwlock_t * l), (l))
SCHED_REFUSE(int, pthread_rwlock_tryrdlock, (pthread_rwlock_t * l), (l))
SCHED_REFUSE(int, pthread_rwlock_trywrlock, (pthread_rwlock_t * l), (l))
SCHED_REFUSE(int, pthread_rwlock_unlock, (pthread_rwlock_t * l), (l))
SCHED_REFUSE(int, pthread_barrier_wait, (pthread_barrier_t * b), (b))
SCHED_REFUSE(int, pthread_spin_lock, (pthread_spinlock_t * l), (l))
SCHED_REFUSE(int, sem_wait, (sem_t * s), (s))
SCHED_REFUSE(int, sem_timedwait, (sem_t * s, const timespec* t), (s, t))
SCHED_REFUSE(int, pthread_cancel, (pthread_t t), (t))
SCHED_REFUSE(pid_t, fork, (), ())
