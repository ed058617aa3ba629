// SPDX-License-Identifier: Apache-2.0
// For tests that are code under test: bodies of main, each run under many random schedules.
#ifndef LASTPUT_TARGETS_EXPLORED_TESTING_H_
#define LASTPUT_TARGETS_EXPLORED_TESTING_H_

#include <gtest/gtest.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <thread>

#include "sched/sched.h"

namespace targets {

// What the oracles say of time must not be undone by a switch of threads in between: plain memory
// that the engine does not see is looked at with no scheduling point before.
class Unseen {
 public:
  [[gnu::noinline, clang::no_sanitize("thread")]] void add(int n) noexcept { value_ = value_ + n; }
  [[gnu::noinline, clang::no_sanitize("thread")]] int get() const noexcept { return value_; }

 private:
  volatile int value_ = 0;
};

struct Exploration {
  uint64_t executions = 4000;  // LASTPUT_EXPLORED_RUNS in the environment says otherwise
  uint64_t step_budget = 20000;
  uint32_t mean_interval = 0;          // points from one preemption to the next; 0: 2 to 13
  bool leaks = true;                   // whether what is left allocated is a failure
  uint32_t allocations_that_fail = 0;  // the first n take turns; 0: none fails
};

// Each of its executions must be clean; one is a seed. A failure is told as "execution SEED: GUARANTEE
// KIND: MESSAGE".
inline void explore(void (*body)(), const Exploration& how = {}) {
  const auto call = [](void* argument) { reinterpret_cast<void (*)()>(argument)(); };
  const char* const given = std::getenv("LASTPUT_EXPLORED_RUNS");
  const uint64_t executions = given != nullptr ? std::strtoull(given, nullptr, 10) : how.executions;
  uint64_t steps = 0;
  for (uint64_t seed = 1; seed <= executions; ++seed) {
    sched::Options options;
    options.seed = seed;
    options.mean_interval =
        how.mean_interval != 0 ? how.mean_interval : 2 + static_cast<uint32_t>(seed % 12);
    options.step_budget = how.step_budget;
    options.explain = true;
    options.leaks = how.leaks;
    if (how.allocations_that_fail != 0) {
      options.fail_allocation = static_cast<uint32_t>(1 + seed % how.allocations_that_fail);
    }
    const sched::Result result = sched::run(call, reinterpret_cast<void*>(body), options);
    steps += result.steps;
    // Cut off: an unfair schedule has let somebody spin; a fair one has ended it.
    ASSERT_NE(result.verdict, sched::Verdict::kFailed)
        << "execution " << seed << ": " << result.failure.guarantee << ' '
        << sched::failure_kind_name(result.failure.kind) << ": " << result.failure.message;
  }
  std::printf("%llu executions, %llu points\n", static_cast<unsigned long long>(executions),
              static_cast<unsigned long long>(steps));
}

// The functions as threads of their own, to their ends.
template <typename... F>
void parallel(F... f) {
  std::thread threads[] = {std::thread(f)...};
  for (auto& thread : threads) thread.join();
}

}  // namespace targets

#endif  // LASTPUT_TARGETS_EXPLORED_TESTING_H_
