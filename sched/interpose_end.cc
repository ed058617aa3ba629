// SPDX-License-Identifier: Apache-2.0
// Calls that end the process. In the middle of an execution they would end the engine with it, and
// what was found would be lost: so they end the execution, with a message that names the call. Weak, so
// that a program which gives them a meaning of its own may define them.
#include <dlfcn.h>
#include <stdlib.h>
#include <unistd.h>

#include "sched/engine.h"

// The link asks for this name, so that these definitions are taken before the library's.
extern "C" const char sched_interpose_end;
const char sched_interpose_end = 1;

// A sanitizer has weak ones, too, which come first: there these must not be.
#if SCHED_ASAN
#define SCHED_END_LINKAGE
#else
#define SCHED_END_LINKAGE gnu::weak,
#endif

// The real function is looked up by a constructor, as in real.cc, or by a caller that is earlier.
#define SCHED_END(name, ...)                                                                \
  static void (*real_##name)(int);                                                          \
  [[gnu::constructor(101)]] static void resolve_##name() {                                  \
    real_##name = reinterpret_cast<void (*)(int)>(dlsym(RTLD_NEXT, #name));                 \
  }                                                                                         \
  extern "C"[[ SCHED_END_LINKAGE gnu::visibility("default"), gnu::noreturn ]] void name(    \
      int status) __VA_ARGS__ {                                                             \
    if (sched::here())                                                                      \
      sched::fail_execution(sched::FailureKind::kLimit, "",                                 \
                            #name "() in the middle of an execution would end the engine"); \
    if (real_##name == nullptr) resolve_##name();                                           \
    real_##name(status);                                                                    \
    __builtin_unreachable();                                                                \
  }

SCHED_END(exit, noexcept)
SCHED_END(quick_exit, noexcept)
SCHED_END(_exit)
SCHED_END(_Exit, noexcept)
