// SPDX-License-Identifier: Apache-2.0
// What every atomic access of the code under test runs through, inlined into the entry points: the
// usual cases of memory.h and of the race check. What is seldom needed is called.
#ifndef LASTPUT_SCHED_HOT_H_
#define LASTPUT_SCHED_HOT_H_

#include <cstdint>

#include "sched/engine.h"
#include "sched/memory.h"
#include "sched/shadow.h"

namespace sched {

// --- Stores
// -----------------------------------------------------------------------------------------

extern uint32_t sc_operations;  // of the execution so far

inline Store& store_at(Loc* loc, uint32_t index) {
  return loc->stores[index % kHistory];
}

inline Store& store_of_age(Loc* loc, uint32_t age) {
  return store_at(loc, loc->store_count - 1 - age);
}

// All in memory.cc.
void shift_stores(Loc* loc, uint32_t place);
Store& begin_history(Loc* loc, uint64_t value);
uint32_t choose_read_among(Loc* loc, bool seq_cst);
uint32_t choose_modify_among(Loc* loc, bool seq_cst);
uint32_t choose_write_among(Loc* loc, bool seq_cst);
void explore_mark(const Loc* loc, const Store& store);
uint32_t choose_compare_among(Loc* loc, uint64_t expected, bool seq_cst, bool failure_seq_cst);

inline Store& insert_store(Loc* loc, uint32_t age, uint64_t value, bool seq_cst, bool modifies) {
  const uint32_t place = loc->store_count++ - age;
  if (age != 0) shift_stores(loc, place);
  if (loc->newest_plain >= place)
    ++loc->newest_plain;
  else if (!modifies)
    loc->newest_plain = place;
  Store& store = store_at(loc, place);
  store.value = value;
  store.writer = g.epoch;
  store.sc_index = seq_cst ? ++sc_operations : 0;
  store.modifies = modifies;
  for (Clock& seen : store.seen) seen = 0;
  store.seen[g.current] = epoch_clock(g.epoch);
  store.release.has = false;
  return store;
}

inline Store& latest_store(Loc* loc, uint64_t value) {
  if (loc->store_count != 0) {
    Store& store = store_of_age(loc, 0);
    if (__builtin_expect(store.value == value, 1)) return store;
  }
  return begin_history(loc, value);
}

inline void mark_seen(Loc* loc, Store& store, bool seq_cst) {
  if (seq_cst && __builtin_expect(g.exploring, 0)) explore_mark(loc, store);
  if (seq_cst && store.sc_index == 0) store.sc_index = ++sc_operations;
  if (store.seen[g.current] == 0) store.seen[g.current] = epoch_clock(g.epoch);
}

// The usual case, without a look at the rest.
inline bool overlooks_nothing(Loc* loc) {
  if (loc->store_count == 1 || !g.options.weak_memory) return true;
  const Store& latest = store_of_age(loc, 0);
  return latest.seen[g.current] != 0 || g.self->clock.knows(latest.writer);
}

// Whether all that could be parted is further back than the history: so it is with a count, which is
// changed by read-modify-writes alone.
inline bool parts_nothing(const Loc* loc) {
  return loc->newest_plain == 0 || loc->store_count - loc->newest_plain > kHistory - 2;
}

inline uint32_t choose_read(Loc* loc, bool seq_cst) {
  return overlooks_nothing(loc) ? 0 : choose_read_among(loc, seq_cst);
}
inline uint32_t choose_modify(Loc* loc, bool seq_cst) {
  return parts_nothing(loc) || overlooks_nothing(loc) ? 0 : choose_modify_among(loc, seq_cst);
}
inline uint32_t choose_write(Loc* loc, bool seq_cst) {
  return parts_nothing(loc) || overlooks_nothing(loc) ? 0 : choose_write_among(loc, seq_cst);
}
inline uint32_t choose_compare(Loc* loc, uint64_t expected, bool seq_cst, bool failure_seq_cst) {
  if (overlooks_nothing(loc)) return 0;
  return choose_compare_among(loc, expected, seq_cst, failure_seq_cst);
}

// --- Races
// ------------------------------------------------------------------------------------------

// All in shadow.cc.
void check_extra_atomic(Extra* x, uintptr_t address, unsigned size, bool writes);
void touch(Loc* loc);
[[noreturn]] void race(uintptr_t address, unsigned size, const char* mine, Epoch other,
                       const char* theirs, bool is_free);

inline unsigned mask_of(uintptr_t address, unsigned size) {
  return ((1u << size) - 1) << (address & 7);
}

// What makes two accesses race: unordered, by different threads.
inline bool unordered(Epoch e) {
  return epoch_thread(e) != g.current && !g.self->clock.knows(e);
}

inline Extra* extra_of(Cell* cell) {
  uint32_t i = cell->extra;
  if (i == 0 || i > shadow.extra_count || shadow.extras[i].cell != cell) return nullptr;
  return &shadow.extras[i];
}

// Of an atomic access of `size` bytes within one granule, and its record. Fails the execution.
inline __attribute__((always_inline)) void check_atomic(Cell* cell, Loc* loc, uintptr_t address,
                                                        unsigned size, bool writes) {
  const char* mine = writes ? "atomic write" : "atomic read";
  if (!loc->touched) touch(loc);
  (writes ? loc->writes : loc->reads)[g.current] = epoch_clock(g.epoch);
  if (size > 8) size = 8;
  unsigned mask = mask_of(address, size);
  if (cell->extra != 0) {
    if (Extra* x = extra_of(cell)) return check_extra_atomic(x, address, size, writes);
  }
  if ((cell->write_mask & mask) != 0 && unordered(cell->write))
    race(address, size, mine, cell->write, "write", false);
  if (writes && (cell->read_mask & mask) != 0 && unordered(cell->read))
    race(address, size, mine, cell->read, "read", false);
}

}  // namespace sched

#endif  // LASTPUT_SCHED_HOT_H_
