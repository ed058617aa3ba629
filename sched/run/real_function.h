// SPDX-License-Identifier: Apache-2.0
// The library function behind an interposer of ours, as real_NAME(). Looked up by a constructor, or by a
// caller that is earlier; never by a guarded static, whose guard would be a step of an execution.
#ifndef LASTPUT_SCHED_RUN_REAL_FUNCTION_H_
#define LASTPUT_SCHED_RUN_REAL_FUNCTION_H_

#include <dlfcn.h>

#define SCHED_RUN_REAL(ret, name, parameters, arguments)                        \
  static ret(*next_##name) parameters;                                          \
  [[gnu::constructor(101)]] static void resolve_##name() {                      \
    next_##name = reinterpret_cast<ret(*) parameters>(dlsym(RTLD_NEXT, #name)); \
  }                                                                             \
  static ret real_##name parameters {                                           \
    if (next_##name == nullptr) resolve_##name();                               \
    return next_##name arguments;                                               \
  }

// Weak: a program may have functions of its own by such names.
#define SCHED_RUN_EXPORT extern "C" __attribute__((visibility("default"), weak))

#endif  // LASTPUT_SCHED_RUN_REAL_FUNCTION_H_
