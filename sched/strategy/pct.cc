// SPDX-License-Identifier: Apache-2.0
// Strategy::kPct: probabilistic concurrency testing (Burckhardt, Kothari, Musuvathi, Nagarakatte: A randomized
// scheduler with probabilistic guarantees of finding bugs, ASPLOS 2010). Threads have random priorities, the
// highest that can run runs; at depth - 1 points, uniform among those that an execution is expected to
// have, the priority of the current thread falls below all. Of n threads and k points, a bug that needs
// depth ordered constraints is found with a probability of 1 / (n k^(depth-1)) at least.
//
// Added: who yields, or goes on for kPatience points, falls below all as well, since it may be waiting
// for one of a lower priority.
#include <algorithm>

#include "sched/engine.h"
#include "sched/strategy.h"

namespace sched {
namespace {

constexpr uint64_t kPatience = 400;  // points
constexpr uint32_t kMaxChangePoints = 15;
constexpr uint64_t kLowPriorities = 1u
                                    << 31;  // those that have fallen are below; random ones above

class PctScheduler final : public Scheduler {
 public:
  void begin() override {
    lowest_ = kLowPriorities;
    turn_began_ = 0;
    next_ = 0;
    changes_ = std::clamp(g.options.depth, 1u, kMaxChangePoints + 1) - 1;
    for (uint32_t i = 0; i < changes_; ++i) change_[i] = 1 + random_below(expected_points());
    std::sort(change_, change_ + changes_);
  }
  void thread_ready(uint32_t thread, bool is_new) override {
    if (is_new) priority_[thread] = kLowPriorities + next_random() % kLowPriorities;
    if (priority_[thread] > priority_[g.current]) ask_soon();
  }
  uint64_t distance() override {
    bool falls = g.steps - turn_began_ >= kPatience;
    for (; next_ < changes_ && change_[next_] <= g.steps; ++next_) falls = true;
    if (falls && g.steps != 0) fall();
    const uint64_t patience = kPatience - std::min(g.steps - turn_began_, kPatience - 1);
    return next_ == changes_ ? patience : std::min(patience, change_[next_] - g.steps);
  }
  uint32_t choose_thread(Turn turn, ThreadSet candidates) override {
    if (turn == Turn::kYielded) fall();
    if (turn == Turn::kPreempted) candidates.add(g.current);
    uint32_t best = candidates.first();
    candidates.for_each([&](uint32_t thread) {
      if (priority_[thread] > priority_[best]) best = thread;
    });
    if (best != g.current && turn != Turn::kWoken) turn_began_ = g.steps;
    return best;
  }

 private:
  static uint32_t expected_points() {
    const uint64_t points = g.options.profile == nullptr ? 0 : g.options.profile->points;
    return points == 0 ? kUsualPoints
                       : static_cast<uint32_t>(std::min<uint64_t>(points, UINT32_MAX));
  }
  void fall() {
    priority_[g.current] = --lowest_;
    turn_began_ = g.steps;
  }

  uint64_t priority_[kMaxThreads];
  uint64_t lowest_, turn_began_;
  uint64_t change_[kMaxChangePoints];
  uint32_t changes_, next_;
};

}  // namespace

Scheduler& pct_scheduler() {
  static PctScheduler scheduler;
  return scheduler;
}

}  // namespace sched
