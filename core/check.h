// SPDX-License-Identifier: Apache-2.0
// PERCPU_CHECK: an invariant of the library itself. It stays on in every build: a count that cannot
// be trusted is worse than a process that stops. What a caller did wrong is a Misuse (misuse.h).
#ifndef PERCPU_CORE_CHECK_H_
#define PERCPU_CORE_CHECK_H_

#include <cstdio>
#include <cstdlib>

#define PERCPU_CHECK(condition)                                                                  \
  do {                                                                                           \
    if (!(condition)) [[unlikely]] {                                                             \
      std::fprintf(stderr, "%s:%d: percpu: check failed: %s\n", __FILE__, __LINE__, #condition); \
      std::abort();                                                                              \
    }                                                                                            \
  } while (false)

#endif  // PERCPU_CORE_CHECK_H_
