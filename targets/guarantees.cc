// SPDX-License-Identifier: Apache-2.0
#include "targets/guarantees.h"

#include <cstdarg>
#include <cstdio>

#include "targets/runtime.h"

// Each keeps a frame of its own: not inlined, not folded with its equals (the assembly differs),
// and the call below is no jump (something follows it).
#define LASTPUT_GUARANTEE(function, name)                        \
  __attribute__((noinline)) void function(const char* message) { \
    asm volatile("# " name : : "r"(message) : "memory");         \
    runtime::fail(name, message);                                \
    asm volatile("# after " name : : : "memory");                \
  }

namespace targets {

#include "targets/guarantees.def"

Sentence::Sentence(const char* format, ...) {
  va_list arguments;
  va_start(arguments, format);
  std::vsnprintf(text, sizeof text, format, arguments);
  va_end(arguments);
}

}  // namespace targets
