// SPDX-License-Identifier: Apache-2.0
// Strategy::kPos: partial order sampling (Yuan, Yang, Gu: Partial order aware concurrency sampling, CAV
// 2018). What each thread is about to do has a random priority, and the highest goes on. When it is done,
// the thread's next operation gets a priority, and those of others that raced with it get new ones: so
// the orders of independent operations take no share of the probability.
#include "sched/engine.h"
#include "sched/strategy.h"

namespace sched {
namespace {

class PosScheduler final : public Scheduler {
 public:
  void thread_ready(uint32_t thread, bool is_new) override {
    if (!is_new) return;
    priority_[thread] = next_random();
    next_[thread] = Intent{};
  }
  uint64_t distance() override { return 1; }
  ThreadSet choose_waiters(ThreadSet timed, ThreadSet spurious) override {
    return random_below(kWaitersOneIn) == 0 ? timed | spurious : ThreadSet();
  }
  uint32_t choose_thread(Turn turn, ThreadSet candidates) override {
    if (turn == Turn::kPreempted) {
      candidates.add(g.current);
      did(next_[g.current]);
      next_[g.current] = g.self->pending;
    }
    uint32_t best = candidates.first();
    candidates.for_each([&](uint32_t thread) {
      if (priority_[thread] > priority_[best]) best = thread;
    });
    return best;
  }

 private:
  static bool race(const Intent& a, const Intent& b) {
    return a.address != 0 && a.address >> 3 == b.address >> 3 && (a.writes || b.writes);
  }
  // The current thread has done `intent`.
  void did(const Intent& intent) {
    for (uint32_t i = 0; i < g.thread_count; ++i)
      if (i == g.current || race(next_[i], intent)) priority_[i] = next_random();
  }

  uint64_t priority_[kMaxThreads];
  Intent next_[kMaxThreads];
};

}  // namespace

Scheduler& pos_scheduler() {
  static PosScheduler scheduler;
  return scheduler;
}

}  // namespace sched
