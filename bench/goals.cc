// SPDX-License-Identifier: Apache-2.0
#include "bench/goals.h"

namespace bench {

const std::vector<Goal>& goals() {
  using enum Goal::Bound;
  static const std::vector<Goal> list = {
      {"get and put of one ref: time of a thread-local count", "get_put/percpu/1 thread",
       "get_put/thread-local/1 thread", kAtMost, 1.6},
      {"get and put of one ref: faster than an uncontended atomic", "get_put/std::atomic/1 thread",
       "get_put/percpu/1 thread", kAtLeast, 2.7},
      {"spread over 16 refs: time of thread-local counts", "get_put/percpu/16 refs",
       "get_put/thread-local/16 refs", kAtMost, 1.0},
      {"spread over 16 refs: faster than uncontended atomics", "get_put/std::atomic/16 refs",
       "get_put/percpu/16 refs", kAtLeast, 6},
      {"2 threads on one ref: faster than on one atomic", "get_put/std::atomic/2 threads",
       "get_put/percpu/2 threads", kAtLeast, 14, 2},
      {"2 threads on one ref: throughput of one thread", "get_put/percpu/1 thread",
       "get_put/percpu/2 threads", kAtLeast, 1.9, 2},
      {"kill to confirm: time of a wake-up and a membarrier", "kill/kill to confirm/caller sleeps",
       "kill/wake-up and membarrier/caller sleeps", kAtMost, 3},
      {"kill to confirm: sooner than liburcu's call_rcu", "kill/liburcu call_rcu/caller sleeps",
       "kill/kill to confirm/caller sleeps", kAtLeast, 100},
      {"1,000 kills at once: time of one kill",
       "kill/1,000 kills to the last confirm/caller sleeps", "kill/kill to confirm/caller sleeps",
       kAtMost, 20},
  };
  return list;
}

bool Outcome::met() const {
  if (!measured) return false;
  return goal->bound == Goal::Bound::kAtMost ? *measured <= goal->limit : *measured >= goal->limit;
}

const char* Outcome::word() const {
  if (!measured) return "not measured";
  return met() ? "met" : "missed";
}

std::vector<Outcome> judge(const Figures& figures, unsigned cpus) {
  std::vector<Outcome> outcomes;
  for (const Goal& goal : goals()) {
    Outcome outcome{&goal, std::nullopt};
    if (cpus >= goal.cpus) outcome.measured = figures.ratio(goal.dividend, goal.divisor);
    outcomes.push_back(outcome);
  }
  return outcomes;
}

}  // namespace bench
