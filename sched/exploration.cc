// SPDX-License-Identifier: Apache-2.0
// Engine and search meet here: the engine's calls, with the library's own heap.
#include "sched/exploration.h"

#include "sched/explorer.h"

namespace sched {

Scheduler& exhaustive_scheduler() {
  return explorer();
}

void explore_touch(Object object, bool writes) {
  EngineOff off;
  explorer().trace().touch(object, writes);
}
void explore_sync(const volatile void* object) {
  EngineOff off;
  explorer().sync(object_at(object));
}
void explore_lock(uintptr_t lock, LockStep step) {
  EngineOff off;
  explorer().trace().lock(lock, step);
}
void explore_atomic(const AtomicAccess& access) {
  EngineOff off;
  explorer().atomic(access);
}
void explore_sc_mark(uintptr_t address, bool marks) {
  EngineOff off;
  explorer().trace().touch(sc_mark_of(address), marks);
}
void explore_join(uint32_t thread) {
  EngineOff off;
  explorer().trace().learns_of(thread);
}
void explore_exit() {
  explorer().trace().exits();
}
void explore_block(WaitFor what, const void* key, bool timed) {
  EngineOff off;
  explorer().trace().blocks(what, key, timed);
}
void explore_unasked(const Thread& thread) {
  EngineOff off;
  explorer().unasked(thread);
}
uint32_t explore_turn(Turn turn, const ThreadSet& candidates) {
  EngineOff off;
  return explorer().turn(turn, candidates.bits());
}
uint32_t explore_departure(Departure what, uint32_t departures) {
  EngineOff off;
  return explorer().departure(what, departures);
}
uint32_t worth_trying(const Loc* loc, uint32_t ages, bool writes, bool seq_cst) {
  EngineOff off;
  return explorer().worth(loc, ages, writes, seq_cst);
}
void explore_met_stale() {
  explorer().met_stale();
}

}  // namespace sched
