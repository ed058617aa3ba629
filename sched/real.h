// SPDX-License-Identifier: Apache-2.0
// The library functions behind our interposers, for callers that are no logical threads: the
// fuzzer's own threads, sanitizers, and everything outside an execution.
#ifndef LASTPUT_SCHED_REAL_H_
#define LASTPUT_SCHED_REAL_H_

#include <pthread.h>
#include <time.h>

#include <cstddef>

namespace sched {

struct Real {
  int (*pthread_create)(pthread_t*, const pthread_attr_t*, void* (*)(void*), void*);
  int (*pthread_join)(pthread_t, void**);
  int (*pthread_detach)(pthread_t);
  int (*pthread_setname_np)(pthread_t, const char*);
  int (*pthread_mutex_lock)(pthread_mutex_t*);
  int (*pthread_mutex_trylock)(pthread_mutex_t*);
  int (*pthread_mutex_timedlock)(pthread_mutex_t*, const timespec*);
  int (*pthread_mutex_clocklock)(pthread_mutex_t*, clockid_t, const timespec*);
  int (*pthread_mutex_unlock)(pthread_mutex_t*);
  int (*pthread_cond_wait)(pthread_cond_t*, pthread_mutex_t*);
  int (*pthread_cond_timedwait)(pthread_cond_t*, pthread_mutex_t*, const timespec*);
  int (*pthread_cond_clockwait)(pthread_cond_t*, pthread_mutex_t*, clockid_t, const timespec*);
  int (*pthread_cond_signal)(pthread_cond_t*);
  int (*pthread_cond_broadcast)(pthread_cond_t*);
  int (*pthread_once)(pthread_once_t*, void (*)());
  int (*pthread_key_create)(pthread_key_t*, void (*)(void*));
  int (*pthread_key_delete)(pthread_key_t);
  int (*pthread_setspecific)(pthread_key_t, const void*);
  void* (*pthread_getspecific)(pthread_key_t);
  int (*clock_gettime)(clockid_t, timespec*);
  int (*nanosleep)(const timespec*, timespec*);
  int (*clock_nanosleep)(clockid_t, int, const timespec*, timespec*);
  int (*cxa_thread_atexit_impl)(void (*)(void*), void*, void*);
};
// Resolved by a constructor, so that no interposer ever runs the dynamic loader (a sanitizer that
// has stopped the world may be the caller); earlier callers resolve on demand.
const Real& real();

void* real_malloc(size_t size);
void real_free(void* pointer);
void* real_calloc(size_t count, size_t size);
void* real_realloc(void* pointer, size_t size);
void* real_memalign(size_t alignment, size_t size);

}  // namespace sched

#endif  // LASTPUT_SCHED_REAL_H_
