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

LASTPUT_GUARANTEE(guarantee_G1_release_exactly_once, "G1")
LASTPUT_GUARANTEE(guarantee_G2_no_release_while_held, "G2")
LASTPUT_GUARANTEE(guarantee_G3_release_once_nothing_holds, "G3")
LASTPUT_GUARANTEE(guarantee_G4_confirm, "G4")
LASTPUT_GUARANTEE(guarantee_G5_tryget_true_when_raised, "G5")
LASTPUT_GUARANTEE(guarantee_G6_counts_conserved, "G6")
LASTPUT_GUARANTEE(guarantee_G7_release_sees_writes, "G7")
LASTPUT_GUARANTEE(guarantee_G8_memory, "G8")
LASTPUT_GUARANTEE(guarantee_G9_progress, "G9")
LASTPUT_GUARANTEE(guarantee_G10_misuse, "G10")
LASTPUT_GUARANTEE(guarantee_M1_release_by_manager, "M1")
LASTPUT_GUARANTEE(guarantee_M2_release_in_two_passes, "M2")
LASTPUT_GUARANTEE(guarantee_M3_bounded_runs, "M3")
LASTPUT_GUARANTEE(guarantee_M5_stop, "M5")
LASTPUT_GUARANTEE(guarantee_M6_release_ends_its_ref, "M6")
LASTPUT_GUARANTEE(guarantee_M7_visits_change_no_answer, "M7")

Sentence::Sentence(const char* format, ...) {
  va_list arguments;
  va_start(arguments, format);
  std::vsnprintf(text, sizeof text, format, arguments);
  va_end(arguments);
}

}  // namespace targets
