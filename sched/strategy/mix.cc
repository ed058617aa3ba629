// SPDX-License-Identifier: Apache-2.0
// Which strategy each schedule of a program has. The table is what bench/strategy_bench found to pay.
#include <iterator>

#include "sched/sched.h"

namespace sched {
namespace {

constexpr struct {
  Strategy strategy;
  uint32_t parameter;  // kPct: depth, kSurw: interesting
} kMix[] = {
    {Strategy::kRandom, 0}, {Strategy::kSurw, 0},  {Strategy::kPct, 3}, {Strategy::kRandom, 0},
    {Strategy::kSurw, 2},   {Strategy::kSweep, 0}, {Strategy::kPct, 5}, {Strategy::kSurw, 1},
};
// As many as are not a divisor of the rows, so that each row comes by all. The first is the usual one.
constexpr uint32_t kIntervals[] = {8, 3, 20, 5, 64, 2, 12};

}  // namespace

void mix_strategies(uint32_t index, Options* options) {
  const auto& row = kMix[index % std::size(kMix)];
  options->strategy = row.strategy;
  switch (row.strategy) {
    case Strategy::kRandom:
      options->mean_interval = kIntervals[index % std::size(kIntervals)];
      break;
    case Strategy::kPct:
      options->depth = row.parameter;
      break;
    case Strategy::kSurw:
      options->interesting = row.parameter;
      break;
    case Strategy::kSweep:
      options->number = index / std::size(kMix) + 1;
      break;
    case Strategy::kPos:
      break;
  }
}

}  // namespace sched
