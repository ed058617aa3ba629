// SPDX-License-Identifier: Apache-2.0
// What the engine tells and asks an exhaustive search (exhaustive.h). Called only while g.exploring.
//
// A segment is what a thread does from one turn to the next: the search's transition. What it touches
// decides which other segments it may be swapped with.
#ifndef LASTPUT_SCHED_EXPLORATION_H_
#define LASTPUT_SCHED_EXPLORATION_H_

#include <cstdint>

#include "sched/engine.h"
#include "sched/strategy.h"

namespace sched {

// What is no address of the program, and yet read and written. The kinds are in the top byte.
using Object = uint64_t;
constexpr Object object_at(uintptr_t address) {
  return address;
}
inline Object object_at(const volatile void* p) {
  return reinterpret_cast<uintptr_t>(p);
}
// Who waits for a key.
inline Object queue_of(const void* key) {
  return reinterpret_cast<uintptr_t>(key) | 1ull << 56;
}
// Which store of an atomic object a seq_cst access has met (Store::sc_index).
constexpr Object sc_mark_of(uintptr_t address) {
  return address | 2ull << 56;
}
inline constexpr Object kScOrder = 3ull << 56;      // accesses read it, fences write it
inline constexpr Object kThreadSlots = 4ull << 56;  // indices of threads
inline constexpr Object kTime = 5ull << 56;
inline constexpr Object kAllocations = 6ull << 56;  // their number, where one shall fail

// The current segment touched this.
void explore_touch(Object object, bool writes);
// The same, of what threads synchronise by: it counts in the order of its object.
void explore_sync(const volatile void* object);
enum class LockStep : uint8_t { kTaken, kTakenByTry, kGivenBack };
void explore_lock(uintptr_t lock, LockStep step);
// An atomic access by it. `age`: of the store that was read, or written.
struct AtomicAccess {
  StepKind kind;
  uintptr_t address;
  int order;
  uint32_t age;
  uint64_t value;
  uintptr_t pc;
};
void explore_atomic(const AtomicAccess& access);
// A seq_cst one. `marks`: the first of its store.
void explore_sc_mark(uintptr_t address, bool marks);
// It saw the end of `thread`.
void explore_join(uint32_t thread);
// It ends the execution, whatever the others do.
void explore_exit();
// The current thread is about to wait; comes before its turn ends.
void explore_block(WaitFor what, const void* key, bool timed);
// `thread`, whose turn it is now, waits no longer though nobody woke it.
void explore_unasked(const Thread& thread);

// The segment ends here: who is next.
uint32_t explore_turn(Turn turn, const ThreadSet& candidates);
// One of `departures` or 0.
uint32_t explore_departure(Departure what, uint32_t departures);
// Of the ages that an access may choose, those that no other order of execution shows as well.
uint32_t worth_trying(const Loc* loc, uint32_t ages, bool writes, bool seq_cst);
// A bound of memory.h was met.
void explore_met_stale();

Scheduler& exhaustive_scheduler();

}  // namespace sched

#endif  // LASTPUT_SCHED_EXPLORATION_H_
