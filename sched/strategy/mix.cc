// SPDX-License-Identifier: Apache-2.0
// Which strategy each schedule of a program has: those that pay in bench/strategy_bench take turns, each with
// its parameters in turn.
#include <iterator>

#include "sched/sched.h"

namespace sched {
namespace {

constexpr Strategy kTurns[] = {Strategy::kRandom, Strategy::kSweep, Strategy::kPct,
                               Strategy::kSurw};
// As many of each as have no divisor in common with the turns, so that all of them come.
constexpr uint32_t kIntervals[] = {8, 3, 20, 5, 64, 2, 12};
constexpr uint32_t kDepths[] = {2, 6, 3, 5, 4};
constexpr uint32_t kInteresting[] = {0, 1, 2};

template <size_t kSize>
uint32_t turn_of(const uint32_t (&all)[kSize], uint32_t index) {
  static_assert(kSize % 2 == 1 && std::size(kTurns) == 4);
  return all[index % kSize];
}

}  // namespace

void mix_strategies(uint32_t index, Options* options) {
  options->strategy = kTurns[index % std::size(kTurns)];
  options->mean_interval = turn_of(kIntervals, index);
  options->depth = turn_of(kDepths, index);
  options->interesting = turn_of(kInteresting, index);
  options->number = index / static_cast<uint32_t>(std::size(kTurns));
}

}  // namespace sched
