// SPDX-License-Identifier: Apache-2.0
// Strategy::kRandom: uniform distances between preemptions, whose mean is Options::mean_interval, and a
// uniform choice among the others. The walk that PCT and its successors are measured against.
#include "sched/engine.h"
#include "sched/strategy.h"

namespace sched {
namespace {

class RandomScheduler final : public Scheduler {
 public:
  uint64_t distance() override {
    if (g.options.mean_interval == 0) return 0;
    return 1 + random_below(2 * g.options.mean_interval - 1);
  }
  uint32_t choose_thread(Turn, ThreadSet candidates) override {
    const uint32_t n = candidates.count();
    return candidates.nth(n == 1 ? 0 : choose_number(n));
  }
  // Neither interval nor seed: the default schedule.
  uint32_t choose_number(uint32_t n) override {
    return g.options.mean_interval == 0 && g.options.seed == 0 ? 0 : random_below(n);
  }
};

}  // namespace

Scheduler& random_scheduler() {
  static RandomScheduler scheduler;
  return scheduler;
}

}  // namespace sched
