// SPDX-License-Identifier: Apache-2.0
// Strategy::kSweep: schedules with few preemptions, one after the other. Number 0 has none, those up to
// kOnes have one, the others two. Where they come is a low-discrepancy sequence over the points that an
// execution is expected to have (Halton, On the efficiency of certain quasi-random sequences, 1960), so
// that the first few are spread evenly; whom they go to takes turns. Most bugs need one or two
// (Musuvathi and Qadeer, PLDI 2007).
#include <algorithm>

#include "sched/engine.h"
#include "sched/strategy.h"

namespace sched {
namespace {

constexpr uint32_t kOnes = 32;

class SweepScheduler final : public Scheduler {
 public:
  void begin() override {
    const uint32_t number = g.options.number;
    count_ = number == 0 ? 0 : number <= kOnes ? 1 : 2;
    const uint64_t points = g.options.profile == nullptr ? 0 : g.options.profile->points;
    constexpr uint32_t kBases[] = {2, 3};
    for (uint32_t i = 0; i < count_; ++i)
      at_[i] = 1 + static_cast<uint64_t>(mirrored(number, kBases[i]) *
                                         static_cast<double>(points == 0 ? kUsualPoints : points));
    if (count_ == 2 && at_[0] > at_[1]) std::swap(at_[0], at_[1]);
    done_ = 0;
  }
  uint64_t distance() override {
    while (done_ < count_ && at_[done_] <= g.steps) ++done_;
    return done_ == count_ ? 0 : at_[done_] - g.steps;
  }
  uint32_t choose_thread(Turn turn, ThreadSet candidates) override {
    if (turn != Turn::kPreempted) return candidates.first();
    return candidates.nth(g.options.number % candidates.count());
  }

 private:
  // The digits of n behind the point: the van der Corput sequence.
  static double mirrored(uint32_t n, uint32_t base) {
    double value = 0, digit = 1;
    for (; n != 0; n /= base) value += (digit /= base) * (n % base);
    return value;
  }
  uint64_t at_[2];
  uint32_t count_, done_;
};

}  // namespace

Scheduler& sweep_scheduler() {
  static SweepScheduler scheduler;
  return scheduler;
}

}  // namespace sched
