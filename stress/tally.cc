// SPDX-License-Identifier: Apache-2.0
#include "stress/tally.h"

namespace stress {
namespace {

thread_local Tally* own_tally = nullptr;
std::array<std::atomic<uint64_t>, kStats> others = {};

}  // namespace

const char* stat_name(unsigned stat) {
  static constexpr std::array<const char*, kStats> kNames = {
      "operations", "refused",           "kills", "revivals", "switches", "releases",
      "confirms",   "grace periods",     "scans", "made",     "freed",    "signals",
      "handled",    "failed allocations"};
  return kNames[stat];
}

void count(Stat stat, uint64_t n) noexcept {
  const auto index = static_cast<size_t>(stat);
  if (own_tally != nullptr) return own_tally->stats[index].add(n);
  // relaxed: a sum.
  others[index].fetch_add(n, std::memory_order_relaxed);
}

void count_in(Tally* own) noexcept {
  own_tally = own;
}

uint64_t counted_by_others(Stat stat) noexcept {
  return others[static_cast<size_t>(stat)].load(std::memory_order_relaxed);
}

}  // namespace stress
