// SPDX-License-Identifier: Apache-2.0
// The library functions behind our interposers, for callers that are no logical threads: the
// fuzzer's own threads, sanitizers, and everything outside an execution.
#ifndef LASTPUT_SCHED_REAL_H_
#define LASTPUT_SCHED_REAL_H_

#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <sys/select.h>
#include <sys/sysinfo.h>
#include <threads.h>
#include <time.h>
#include <unistd.h>

#include <cstddef>

namespace sched {

struct Real {
#define SCHED_FUNCTION(name) decltype(&::name) name;
#include "sched/real_functions.def"
#undef SCHED_FUNCTION
  int (*cxa_thread_atexit_impl)(void (*)(void*), void*, void*);
  void (*pthread_register_cancel)(__pthread_unwind_buf_t*);
  void (*pthread_unregister_cancel)(__pthread_unwind_buf_t*);
  void (*pthread_unwind_next)(__pthread_unwind_buf_t*);
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
