// SPDX-License-Identifier: Apache-2.0
// The guarantees of percpu refs and their manager, one function each: services tell failures apart by the topmost
// frames of the stack, so the guarantee is one of them. `message` is one sentence. None returns.
#ifndef LASTPUT_TARGETS_GUARANTEES_H_
#define LASTPUT_TARGETS_GUARANTEES_H_

namespace targets {

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

// A sentence built without allocating: Sentence("ref%u ...", 1).text.
struct Sentence {
  __attribute__((format(printf, 2, 3))) explicit Sentence(const char* format, ...);
  char text[160];
};

}  // namespace targets

#endif  // LASTPUT_TARGETS_GUARANTEES_H_
