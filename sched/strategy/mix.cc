// SPDX-License-Identifier: Apache-2.0
// Which strategy each schedule of a program has: those that pay in bench/strategy_bench take turns, each with
// its parameters in turn.
#include <iterator>

#include "sched/sched.h"

namespace sched {
namespace {

constexpr Strategy kTurns[] = {Strategy::kRandom, Strategy::kPct, Strategy::kSurw};
constexpr uint32_t kIntervals[] = {8, 3, 20, 5, 64, 2, 12};
constexpr uint32_t kDepths[] = {2, 6, 3, 5, 4};
constexpr uint32_t kInteresting[] = {0, 1, 2};

}  // namespace

void mix_strategies(uint32_t index, Options* options) {
  const auto round = index / static_cast<uint32_t>(std::size(kTurns));
  options->strategy = kTurns[index % std::size(kTurns)];
  options->mean_interval = kIntervals[round % std::size(kIntervals)];
  options->depth = kDepths[round % std::size(kDepths)];
  options->interesting = kInteresting[round % std::size(kInteresting)];
}

}  // namespace sched
