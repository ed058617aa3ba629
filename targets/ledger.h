// SPDX-License-Identifier: Apache-2.0
// The ledger: what a program has done to its refs, as the harness itself counts it, and what
// follows from that about the core. It is not instrumented, and all its atomics are relaxed: under
// the engine it is invisible (no scheduling point, no edge), and on real threads it orders nothing
// that the core must order itself.
//
// How each count is kept so that a right core is never accused, whatever the schedule:
//   a reference counts as held   from after the call that raised the count, until before its put
//   kill, put of the initial     count as begun before the call; as won after it
//   resurrect, reinit            count as begun before the call
// A release happens after everything that led to it, so it reads at least that much.
//
// The equations (lives of a ref are what release ends; resurrect lengthens a life):
//   at release   held = 0                                                             G2
//                releases <= lives begun                                              G1
//                kills begun + initial puts begun >= releases + resurrects            G2
//                confirms + plain kills begun + initial puts begun >= same; none runs  G4
//   at the end   releases = kills won + initial puts - resurrects                     G1, G3
//                confirms of a thread = its kill_and_confirms won                     G4
//                switch callbacks of a thread = its switches with a callback          G6
#ifndef LASTPUT_TARGETS_LEDGER_H_
#define LASTPUT_TARGETS_LEDGER_H_

#include <array>
#include <atomic>
#include <cstdint>

#include "targets/program.h"

namespace targets {

// Main has the number after the last thread.
inline constexpr unsigned kMain = kMaxThreads;
inline constexpr unsigned kActors = kMaxThreads + 1;

// The payload has a slot for every put of the program, so that none is written twice: what release
// reads, it reads after the one write. Operation kMaxOperations of a thread is its winding down.
inline constexpr unsigned kSlotsOfActor = kMaxOperations + 1;
inline constexpr unsigned kSlots = kActors * kSlotsOfActor;
constexpr unsigned slot_of(unsigned actor, unsigned operation) {
  return actor * kSlotsOfActor + operation;
}

class RefLedger {
 public:
  void reset(const RefSetup& setup);

  void raised(uint64_t n);
  void dropping(uint64_t n);
  uint64_t held() const;

  void kill_begun(bool confirm);
  void kill_ended(unsigned actor, bool confirm, bool won);
  void initial_put_begun();
  void resurrect_begun();
  void reinit_begun();
  uint32_t lives_begun() const;
  // Whether the initial reference is there. REQUIRES: nothing is in progress.
  bool live() const;

  void confirm_begun(unsigned actor);
  void confirm_ended();
  void switch_begun(unsigned actor);
  void switch_callback(unsigned actor);

  // nullptr, or what is wrong.
  struct Verdict {
    const char* wrong = nullptr;
    enum Guarantee { kG1, kG2, kG3, kG4, kG6 } guarantee = kG1;
  };
  Verdict release_begun();
  Verdict at_end() const;
  uint32_t releases() const;

  // The put with this slot is about to be made; has returned.
  void mark_written(unsigned slot);
  void mark_returned(unsigned slot);
  // The first written slot at or after `slot`; kSlots if there is none.
  unsigned next_written(unsigned slot) const;
  // Keeps, for the confirm of this actor's kill that begins now, which puts have returned: they have
  // been counted, so confirm must see what was written before them. Only the actor's first kill of the
  // ref counts, for the confirm of an earlier one might still be to come.
  void remember_returned(unsigned actor);
  unsigned next_remembered(unsigned actor, unsigned slot) const;

 private:
  using Count = std::atomic<uint32_t>;
  bool begins_live_ = true;
  std::atomic<uint64_t> held_ = 0;
  Count kills_begun_ = 0, plain_kills_begun_ = 0, kills_won_ = 0, initial_puts_ = 0;
  Count resurrects_ = 0, reinits_ = 0, releases_ = 0;
  Count confirms_ = 0, confirms_running_ = 0;
  std::array<Count, kActors> confirms_won_ = {}, confirms_run_ = {};
  std::array<Count, kActors> switches_begun_ = {}, switch_callbacks_ = {};
  using Slots = std::array<std::atomic<uint64_t>, (kSlots + 63) / 64>;
  static unsigned next_in(const Slots& slots, unsigned slot);
  Slots written_ = {}, returned_ = {};
  std::array<Slots, kActors> remembered_ = {};
  std::array<std::atomic<bool>, kActors> has_remembered_ = {};
};

// The ledgers of the execution that is running: one at a time in a process.
RefLedger& ledger(unsigned ref);
// Operations of the current execution that its threads were not allowed to apply.
void count_dropped_operation();
uint32_t dropped_operations();
void reset_ledgers(const Program& program);

// Releases that are running on the manager's own thread.
void release_by_thread_begun();
void release_by_thread_ended();
uint32_t releases_by_thread();

}  // namespace targets

#endif  // LASTPUT_TARGETS_LEDGER_H_
