// SPDX-License-Identifier: Apache-2.0
#include "sched/profile.h"

namespace sched {
namespace {

// A small hash table, and the order in which its places were taken.
constexpr uint32_t kPlaces = 512;
struct Counted {
  uintptr_t address;
  uint32_t accesses[kMaxThreads];
  bool written;
};
Counted places[kPlaces];
uint16_t order[kMostObjects];
uint32_t objects;

Counted* find(uintptr_t granule) {
  auto place = static_cast<uint32_t>(granule * 0x9E3779B97F4A7C15u >> 32) % kPlaces;
  while (places[place].address != 0) {
    if (places[place].address == granule) return &places[place];
    place = (place + 1) % kPlaces;
  }
  if (objects == kMostObjects) return nullptr;
  order[objects++] = static_cast<uint16_t>(place);
  places[place].address = granule;
  return &places[place];
}

}  // namespace

void profile_reset() {
  for (uint32_t i = 0; i < objects; ++i) places[order[i]] = Counted{};
  objects = 0;
}

void profile_access(const Intent& intent) {
  const uintptr_t granule = granule_of(intent);
  if (granule == 0) return;
  Counted* counted = find(granule);
  if (counted == nullptr) return;
  ++counted->accesses[g.current];
  counted->written |= intent.writes;
}

void profile_take(uint64_t points) {
  Profile& profile = *g.options.learn;
  profile.points = points;
  profile.objects.clear();
  for (uint32_t i = 0; i < objects; ++i) {
    const Counted& counted = places[order[i]];
    unsigned threads = 0;
    for (const uint32_t n : counted.accesses) threads += n != 0;
    if (threads < 2 || !counted.written) continue;
    profile.objects.push_back(
        {counted.address, {counted.accesses, counted.accesses + g.thread_count}});
  }
}

}  // namespace sched
