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

LASTPUT_GUARANTEE(guarantee_P1_alloc_answers_a_fresh_area, "P1")
LASTPUT_GUARANTEE(guarantee_P2_alloc_disturbs_nobody, "P2")
LASTPUT_GUARANTEE(guarantee_P3_low_pools_are_refilled, "P3")
LASTPUT_GUARANTEE(guarantee_P4_fill_meets_its_target, "P4")
LASTPUT_GUARANTEE(guarantee_P5_small_fills_stop_refills, "P5")
LASTPUT_GUARANTEE(guarantee_P6_empty_is_the_last_word, "P6")
LASTPUT_GUARANTEE(guarantee_P7_nothing_is_lost, "P7")
LASTPUT_GUARANTEE(guarantee_P8_areas_stay_valid, "P8")

LASTPUT_GUARANTEE(guarantee_R1_free_exactly_once, "R1")
LASTPUT_GUARANTEE(guarantee_R2_no_free_while_held, "R2")
LASTPUT_GUARANTEE(guarantee_R3_free_when_the_form_says, "R3")
LASTPUT_GUARANTEE(guarantee_R4_free_sees_writes, "R4")
LASTPUT_GUARANTEE(guarantee_R5_misuse, "R5")
LASTPUT_GUARANTEE(guarantee_R6_tryget_true_when_raised, "R6")
LASTPUT_GUARANTEE(guarantee_R7_readers_may_look, "R7")
LASTPUT_GUARANTEE(guarantee_R9_removers_wait_for_readers, "R9")
LASTPUT_GUARANTEE(guarantee_U1_grace_periods_wait_for_readers, "U1")
LASTPUT_GUARANTEE(guarantee_U4_callbacks_run_once_in_order, "U4")
LASTPUT_GUARANTEE(guarantee_U5_barriers_wait_for_callbacks, "U5")

Sentence::Sentence(const char* format, ...) {
  va_list arguments;
  va_start(arguments, format);
  std::vsnprintf(text, sizeof text, format, arguments);
  va_end(arguments);
}

}  // namespace targets
