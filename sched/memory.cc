// SPDX-License-Identifier: Apache-2.0
#include "sched/memory.h"

#include <algorithm>
#include <cstring>

#include "sched/engine.h"

namespace sched {
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
uint32_t sc_operations;

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

Store& store_at(Loc* loc, uint32_t index) {
  return loc->stores[index % kHistory];
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

namespace {

Store& fill_store(Store& store, uint64_t value, bool seq_cst) {
  store.value = value;
  store.writer = g.epoch;
  store.sc_index = seq_cst ? ++sc_operations : 0;
  store.modifies = false;
  memset(store.seen, 0, sizeof store.seen);
  store.seen[g.current] = epoch_clock(g.epoch);
  store.release.has = false;
  return store;
}

// The index of the oldest store that an access may overlook, with all newer ones; the number of stores
// if it may overlook none. `places_store`: it is a store, which is not to part two that belong
// together.
uint32_t first_overlooked(Loc* loc, bool seq_cst, bool places_store) {
  const Fence* fence = fence_count == 0 ? nullptr : last_fence();
  const uint32_t count = loc->store_count;
  uint32_t first = count;
  const uint32_t oldest = count > kHistory ? count - kHistory : 0;
  while (first - 1 > oldest && may_overlook(store_at(loc, first - 1), seq_cst, fence) &&
         !(places_store && store_at(loc, first - 1).modifies)) {
    --first;
  }
  return first;
}

// The usual case, without a look at the rest.
bool overlooks_nothing(const Loc* loc, const Store& latest) {
  return loc->store_count == 1 || !g.options.weak_memory || latest.seen[g.current] != 0 ||
         g.self->clock.knows(latest.writer);
}

}  // namespace

Store& append_store(Loc* loc, uint64_t value, bool seq_cst) {
  return fill_store(store_at(loc, loc->store_count++), value, seq_cst);
}

Store& place_store(Loc* loc, uint64_t value, bool seq_cst, uint32_t* age) {
  *age = 0;
  uint32_t place = loc->store_count;
  if (!overlooks_nothing(loc, store_at(loc, place - 1))) {
    const uint32_t overlooked = place - first_overlooked(loc, seq_cst, true);
    if (overlooked != 0) *age = choose_departure(1 + overlooked, kOldStoreOneIn);
    place -= *age;
  }
  for (uint32_t i = loc->store_count++; i > place; --i) store_at(loc, i) = store_at(loc, i - 1);
  return fill_store(store_at(loc, place), value, seq_cst);
}

Store& latest_store(Loc* loc, uint64_t value) {
  if (loc->store_count != 0) {
    Store& store = store_at(loc, loc->store_count - 1);
    if (__builtin_expect(store.value == value, 1)) return store;
  }
  // The first access, or something unseen has written: then that is all there is to see. A library
  // that is not instrumented may have released what any thread did; better an edge too many than a
  // race that is none.
  const bool foreign = loc->store_count != 0;
  loc->store_count = 0;
  Store& store = append_store(loc, value, false);
  store.seen[g.current] = 0;
  store.writer = 0;
  if (foreign) release_of_all(store.release);
  return store;
}

Store& choose_store(Loc* loc, uint64_t value, bool seq_cst, uint32_t* age) {
  *age = 0;
  Store& latest = latest_store(loc, value);
  if (overlooks_nothing(loc, latest)) return latest;
  uint32_t count = loc->store_count;
  uint32_t candidates = count - first_overlooked(loc, seq_cst, false) + 1;
  if (candidates == 1) return latest;
  uint8_t& run = loc->stale_run[g.current];
  if (run >= kMaxStaleRun) {
    run = 0;
    return latest;
  }
  *age = choose_departure(candidates, kStaleOneIn);
  run = *age == 0 ? 0 : static_cast<uint8_t>(run + 1);
  return store_at(loc, count - 1 - *age);
}

void mark_seen(Store& store, bool seq_cst) {
  if (seq_cst && store.sc_index == 0) store.sc_index = ++sc_operations;
  if (store.seen[g.current] == 0) store.seen[g.current] = epoch_clock(g.epoch);
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
