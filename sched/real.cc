// SPDX-License-Identifier: Apache-2.0
#include "sched/real.h"

#include <dlfcn.h>

#include <cstdio>
#include <cstdlib>

#include "sched/fatal.h"

extern "C" {
void* __libc_malloc(size_t);
void __libc_free(void*);
void* __libc_calloc(size_t, size_t);
void* __libc_realloc(void*, size_t);
void* __libc_memalign(size_t, size_t);
#if SCHED_ASAN
// AddressSanitizer's interceptors: two underscores in clang 14, three in clang 19.
#define SCHED_INTERCEPTOR(ret, name, ...)              \
  [[gnu::weak]] ret __interceptor_##name(__VA_ARGS__); \
  [[gnu::weak]] ret ___interceptor_##name(__VA_ARGS__);
SCHED_INTERCEPTOR(int, pthread_create, pthread_t*, const pthread_attr_t*, void* (*)(void*), void*)
SCHED_INTERCEPTOR(int, pthread_join, pthread_t, void**)
SCHED_INTERCEPTOR(int, pthread_detach, pthread_t)
SCHED_INTERCEPTOR(void*, malloc, size_t)
SCHED_INTERCEPTOR(void, free, void*)
SCHED_INTERCEPTOR(void*, calloc, size_t, size_t)
SCHED_INTERCEPTOR(void*, realloc, void*, size_t)
SCHED_INTERCEPTOR(void*, memalign, size_t, size_t)
#define SCHED_REAL(name, libc)                    \
  (___interceptor_##name  ? ___interceptor_##name \
   : __interceptor_##name ? __interceptor_##name  \
                          : libc)
#else
#define SCHED_REAL(name, libc) (libc)
#endif
}

namespace sched {
namespace {

Real table;
bool resolved;

template <class F>
void resolve(F*& slot, const char* name) {
  slot = reinterpret_cast<F*>(dlsym(RTLD_NEXT, name));
}

#if SCHED_ASAN
// The header's type promises that nothing is thrown, the interceptor's does not.
template <class F, class G>
void prefer(F*& slot, G* function) {
  slot = reinterpret_cast<F*>(function);
}
#endif

void resolve_all() {
  Real t{};
#define SCHED_FUNCTION(name) resolve(t.name, #name);
#include "sched/real_functions.def"
#undef SCHED_FUNCTION
  resolve(t.cxa_thread_atexit_impl, "__cxa_thread_atexit_impl");
  resolve(t.pthread_register_cancel, "__pthread_register_cancel");
  resolve(t.pthread_unregister_cancel, "__pthread_unregister_cancel");
  resolve(t.pthread_unwind_next, "__pthread_unwind_next");
#if SCHED_ASAN
  prefer(t.pthread_create, SCHED_REAL(pthread_create, t.pthread_create));
  prefer(t.pthread_join, SCHED_REAL(pthread_join, t.pthread_join));
  prefer(t.pthread_detach, SCHED_REAL(pthread_detach, t.pthread_detach));
#endif
  table = t;
  resolved = true;
}

[[gnu::constructor(101)]] void resolve_early() {
  if (!resolved) resolve_all();
}

}  // namespace

const Real& real() {
  if (__builtin_expect(!resolved, 0)) resolve_all();
  return table;
}

void* real_malloc(size_t size) {
  return SCHED_REAL(malloc, __libc_malloc)(size);
}
void real_free(void* pointer) {
  SCHED_REAL(free, __libc_free)(pointer);
}
void* real_calloc(size_t count, size_t size) {
  return SCHED_REAL(calloc, __libc_calloc)(count, size);
}
void* real_realloc(void* pointer, size_t size) {
  return SCHED_REAL(realloc, __libc_realloc)(pointer, size);
}
void* real_memalign(size_t alignment, size_t size) {
  return SCHED_REAL(memalign, __libc_memalign)(alignment, size);
}

void fatal(const char* file, int line, const char* message) {
  fprintf(stderr, "lastput: engine error: %s (%s:%d)\n", message, file, line);
  _Exit(2);
}

}  // namespace sched
