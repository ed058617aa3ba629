// SPDX-License-Identifier: Apache-2.0
#include "targets/pool_ledger.h"

#include <array>
#include <atomic>
#include <cstdlib>

#include "targets/ledger.h"

namespace targets {
namespace {

constexpr auto kRelaxed = std::memory_order_relaxed;
// Every operation of a thread may be an alloc; main has its own.
constexpr unsigned kMaxAreas = kActors * kSlotsOfActor;

struct PoolLedger {
  std::atomic<uint32_t> begun = 0, ended = 0;
  std::atomic<bool> taken = false;
};
std::array<PoolLedger, kMaxPools> pools;
std::array<std::atomic<const void*>, kMaxAreas> areas = {};
std::atomic<unsigned> entries = 0;

}  // namespace

void reset_pool_ledger() {
  for (PoolLedger& pool : pools) {
    pool.begun.store(0, kRelaxed);
    pool.ended.store(0, kRelaxed);
    pool.taken.store(false, kRelaxed);
  }
  for (unsigned i = entries.exchange(0, kRelaxed); i-- > 0;) areas[i].store(nullptr, kRelaxed);
}

unsigned enter_area(const void* area) {
  for (unsigned i = entries.load(kRelaxed); i-- > 0;)
    if (areas[i].load(kRelaxed) == area) return kAlreadyOut;
  const unsigned entry = entries.fetch_add(1, kRelaxed);
  if (entry >= kMaxAreas) std::abort();
  areas[entry].store(area, kRelaxed);
  return entry;
}

void strike_area(unsigned entry) {
  areas[entry].store(nullptr, kRelaxed);
}

void pool_call_begun(unsigned pool) {
  pools[pool].begun.fetch_add(1, kRelaxed);
}
void pool_call_ended(unsigned pool) {
  pools[pool].ended.fetch_add(1, kRelaxed);
}
uint32_t pool_calls_begun(unsigned pool) {
  return pools[pool].begun.load(kRelaxed);
}

bool pool_is_quiet(unsigned pool, uint32_t* begun) {
  const uint32_t ended = pools[pool].ended.load(kRelaxed);
  *begun = pool_calls_begun(pool);
  return ended == *begun;
}

void pool_taken(unsigned pool) {
  pools[pool].taken.store(true, kRelaxed);
}
bool pool_was_taken(unsigned pool) {
  return pools[pool].taken.load(kRelaxed);
}

}  // namespace targets
