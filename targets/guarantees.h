// SPDX-License-Identifier: Apache-2.0
// The guarantees of the core, one function each: services tell failures apart by the topmost frames
// of the stack, so the guarantee is one of them. `message` is one sentence. None returns.
#ifndef LASTPUT_TARGETS_GUARANTEES_H_
#define LASTPUT_TARGETS_GUARANTEES_H_

namespace targets {

// Of percpu refs (core/ref.h).
[[noreturn]] void guarantee_G1_release_exactly_once(const char* message);
[[noreturn]] void guarantee_G2_no_release_while_held(const char* message);
[[noreturn]] void guarantee_G3_release_once_nothing_holds(const char* message);
[[noreturn]] void guarantee_G4_confirm(const char* message);
[[noreturn]] void guarantee_G5_tryget_true_when_raised(const char* message);
[[noreturn]] void guarantee_G6_counts_conserved(const char* message);
[[noreturn]] void guarantee_G7_release_sees_writes(const char* message);
[[noreturn]] void guarantee_G8_memory(const char* message);
[[noreturn]] void guarantee_G9_progress(const char* message);
[[noreturn]] void guarantee_G10_misuse(const char* message);
// Those of the manager (core/manager.h).
[[noreturn]] void guarantee_M1_release_by_manager(const char* message);
[[noreturn]] void guarantee_M2_release_in_two_passes(const char* message);
[[noreturn]] void guarantee_M3_bounded_runs(const char* message);
[[noreturn]] void guarantee_M5_stop(const char* message);
[[noreturn]] void guarantee_M6_release_ends_its_ref(const char* message);
[[noreturn]] void guarantee_M7_visits_change_no_answer(const char* message);

// Of pools (core/pool.h).
[[noreturn]] void guarantee_P1_alloc_answers_a_fresh_area(const char* message);
[[noreturn]] void guarantee_P2_alloc_disturbs_nobody(const char* message);
[[noreturn]] void guarantee_P3_low_pools_are_refilled(const char* message);
[[noreturn]] void guarantee_P4_fill_meets_its_target(const char* message);
[[noreturn]] void guarantee_P5_small_fills_stop_refills(const char* message);
[[noreturn]] void guarantee_P6_empty_is_the_last_word(const char* message);
[[noreturn]] void guarantee_P7_nothing_is_lost(const char* message);
[[noreturn]] void guarantee_P8_areas_stay_valid(const char* message);

// Of the rcuref forms (core/rcuref_count.h), and of RCU (core/rcu.h).
// R1 is told where two frees of one element overlap. A free that follows another finds the memory gone (G8), and the
// two of an overlapping pair race for it, unless neither has got so far: so no known bug is found by R1 first, and
// those that drop the last reference twice name it beside others (rcuref_split_put).
[[noreturn]] void guarantee_R1_free_exactly_once(const char* message);
[[noreturn]] void guarantee_R2_no_free_while_held(const char* message);
[[noreturn]] void guarantee_R3_free_when_the_form_says(const char* message);
[[noreturn]] void guarantee_R4_free_sees_writes(const char* message);
[[noreturn]] void guarantee_R5_misuse(const char* message);
[[noreturn]] void guarantee_R6_tryget_true_when_raised(const char* message);
[[noreturn]] void guarantee_R7_readers_may_look(const char* message);
[[noreturn]] void guarantee_R9_removers_wait_for_readers(const char* message);
[[noreturn]] void guarantee_U1_grace_periods_wait_for_readers(const char* message);
[[noreturn]] void guarantee_U4_callbacks_run_once_in_order(const char* message);
[[noreturn]] void guarantee_U5_barriers_wait_for_callbacks(const char* message);

// A sentence built without allocating: Sentence("ref%u ...", 1).text.
struct Sentence {
  __attribute__((format(printf, 2, 3))) explicit Sentence(const char* format, ...);
  char text[160];
};

}  // namespace targets

#endif  // LASTPUT_TARGETS_GUARANTEES_H_
