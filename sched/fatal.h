// SPDX-License-Identifier: Apache-2.0
// The engine's own checks: on in every build. A broken one is the tool's fault (exit code 2), never
// a verdict about the code under test.
#ifndef LASTPUT_SCHED_FATAL_H_
#define LASTPUT_SCHED_FATAL_H_

namespace sched {
[[noreturn]] void fatal(const char* file, int line, const char* message);
}

#define SCHED_CHECK(condition, message)                                                 \
  do {                                                                                  \
    if (__builtin_expect(!(condition), 0)) ::sched::fatal(__FILE__, __LINE__, message); \
  } while (0)

#endif  // LASTPUT_SCHED_FATAL_H_
