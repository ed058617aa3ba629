// SPDX-License-Identifier: Apache-2.0
#include "sched/memory.h"

#include <algorithm>

#include "sched/engine.h"
#include "sched/exploration.h"
#include "sched/hot.h"

namespace sched {

uint32_t sc_operations;

namespace {

// A seq_cst fence of the execution: who made it, when, and what all of them together had seen.
struct Fence {
  Epoch at;
  uint32_t sc_index;
  VectorClock seen_by_all;
};
constexpr uint32_t kMaxFences = 4096;  // later ones replace the last: they only exclude less
Fence fences[kMaxFences];
uint32_t fence_count;

// Whether an access of the store is in the past that `clock` describes.
bool accessed_before(const Store& store, const VectorClock& clock) {
  bool any = false;
  // One compare a thread: 0 (never) wraps around to the largest clock.
  for (unsigned t = 0; t < kMaxThreads; ++t) any |= store.seen[t] - 1 < clock.at[t];
  return any;
}

// The last seq_cst fence that happens before what the current thread does now; null if none does.
const Fence* last_fence() {
  for (uint32_t i = fence_count; i-- > 0;)
    if (g.self->clock.knows(fences[i].at)) return &fences[i];
  return nullptr;
}

bool may_overlook(const Store& store, bool seq_cst, const Fence* fence) {
  if (store.seen[g.current] != 0 || accessed_before(store, g.self->clock)) return false;
  if (seq_cst && store.sc_index != 0) return false;
  if (fence_count == 0) return true;
  if (seq_cst && accessed_before(store, fences[fence_count - 1].seen_by_all)) return false;
  if (fence == nullptr) return true;
  if (store.sc_index != 0 && store.sc_index < fence->sc_index) return false;
  return !accessed_before(store, fence->seen_by_all);
}

// How many of the latest stores the access may overlook.
uint32_t count_overlooked(Loc* loc, bool seq_cst) {
  const Fence* fence = fence_count == 0 ? nullptr : last_fence();
  const uint32_t most = std::min(loc->store_count, kHistory) - 1;
  uint32_t n = 0;
  while (n < most && may_overlook(store_of_age(loc, n), seq_cst, fence)) ++n;
  return n;
}

// The ages, as bits, that a new store may have, 0 left out, when it may overlook that many.
uint32_t places(Loc* loc, uint32_t overlooked) {
  uint32_t ages = 0;
  // The oldest store is dropped for the new one, so it cannot be what that comes after.
  overlooked = std::min(overlooked, kHistory - 2);
  for (uint32_t age = 1; age <= overlooked; ++age)
    if (!store_of_age(loc, age - 1).modifies) ages |= 1u << age;
  return ages;
}

uint32_t choose_age(Loc* loc, uint32_t ages, uint32_t one_in, bool writes, bool seq_cst) {
  return choose_departure(Departure::kStore, ages, one_in,
                          g.exploring ? worth_trying(loc, ages, writes, seq_cst) : ages);
}

// Stores become visible in time: a loop that waits for one ends.
uint32_t choose_stale(Loc* loc, uint32_t ages, uint32_t one_in, bool writes, bool seq_cst) {
  if (ages == 0) return 0;
  uint8_t& run = loc->stale_run[g.current];
  if (run >= kMaxStaleRun) {
    if (g.exploring) explore_met_stale();
    return run = 0;
  }
  const uint32_t age = choose_age(loc, ages, one_in, writes, seq_cst);
  run = age == 0 ? 0 : static_cast<uint8_t>(run + 1);
  return age;
}

// Every thread releases here, so that the clock of each moves on.
void release_of_all(Release& release) {
  release.clock = g.threads[0].clock;
  for (uint32_t i = 1; i < g.thread_count; ++i) release.clock.join(g.threads[i].clock);
  release.releaser = 0;
  release.has = true;
  for (uint32_t i = 0; i < g.thread_count; ++i) ++g.threads[i].clock.at[i];
  ++g.epoch;
}

}  // namespace

void memory_reset() {
  fence_count = 0;
  sc_operations = 0;
}

// The first access, or something unseen has written: then that is all there is to see. A library that
// is not instrumented may have released what any thread did; better an edge too many than a race that
// is none.
Store& begin_history(Loc* loc, uint64_t value) {
  const bool foreign = loc->store_count != 0;
  loc->store_count = 0;
  Store& store = insert_store(loc, 0, value, false, false);
  loc->newest_plain = 0;
  store.seen[g.current] = 0;
  store.writer = 0;
  if (foreign) release_of_all(store.release);
  return store;
}

void shift_stores(Loc* loc, uint32_t place) {
  for (uint32_t i = loc->store_count - 1; i > place; --i) store_at(loc, i) = store_at(loc, i - 1);
}

uint32_t choose_read_among(Loc* loc, bool seq_cst) {
  return choose_stale(loc, departures_up_to(count_overlooked(loc, seq_cst)), kStaleOneIn, false,
                      seq_cst);
}

uint32_t choose_modify_among(Loc* loc, bool seq_cst) {
  return choose_stale(loc, places(loc, count_overlooked(loc, seq_cst)), kOldStoreOneIn, true,
                      seq_cst);
}

uint32_t choose_write_among(Loc* loc, bool seq_cst) {
  const uint32_t ages = places(loc, count_overlooked(loc, seq_cst));
  return ages == 0 ? 0 : choose_age(loc, ages, kOldStoreOneIn, true, seq_cst);
}

uint32_t choose_compare_among(Loc* loc, uint64_t expected, bool seq_cst, bool failure_seq_cst) {
  const uint32_t readable = count_overlooked(loc, failure_seq_cst);
  const uint32_t modifiable =
      seq_cst == failure_seq_cst ? readable : count_overlooked(loc, seq_cst);
  uint32_t matching = 0;
  for (uint32_t age = 1; age <= std::max(readable, modifiable); ++age)
    if (store_of_age(loc, age).value == expected) matching |= 1u << age;
  const uint32_t ages =
      (departures_up_to(readable) & ~matching) | (places(loc, modifiable) & matching);
  const bool would_match = store_of_age(loc, 0).value == expected;
  return choose_stale(loc, ages, would_match ? kOldStoreOneIn : kStaleOneIn, true,
                      seq_cst || failure_seq_cst);
}

// What the first seq_cst access of a store does to others; nothing, where none is older.
void explore_mark(const Loc* loc, const Store& store) {
  const bool is_oldest = &store == &loc->stores[0] && loc->store_count <= kHistory;
  explore_sc_mark(loc->address, store.sc_index == 0 && !is_oldest);
}

bool latest_is_seen(const Loc* loc) {
  return loc->store_count == 0 ||
         loc->stores[(loc->store_count - 1) % kHistory].seen[g.current] != 0;
}

void seq_cst_fence() {
  uint32_t i = std::min(fence_count, kMaxFences - 1);
  Fence& fence = fences[i];
  if (i == 0) {
    fence.seen_by_all = g.self->clock;
  } else {
    if (i == fence_count) fence.seen_by_all = fences[i - 1].seen_by_all;
    fence.seen_by_all.join(g.self->clock);
  }
  fence.at = g.epoch;
  fence.sc_index = ++sc_operations;
  fence_count = i + 1;
}

}  // namespace sched
