// SPDX-License-Identifier: Apache-2.0
// For tests of the exhaustive search: programs that return what they saw, as decimal digits.
#ifndef LASTPUT_SCHED_EXHAUSTIVE_TESTING_H_
#define LASTPUT_SCHED_EXHAUSTIVE_TESTING_H_

#include <gtest/gtest.h>

#include <atomic>
#include <set>
#include <thread>
#include <utility>

#include "sched/exhaustive.h"

namespace exhaustive_test {

using sched::Bounds;
using sched::ExhaustiveOptions;
using sched::ExhaustiveResult;
using std::atomic;
using std::memory_order;
inline constexpr auto kRlx = std::memory_order_relaxed;
inline constexpr auto kAcq = std::memory_order_acquire;
inline constexpr auto kRel = std::memory_order_release;
inline constexpr auto kAcqRel = std::memory_order_acq_rel;
inline constexpr auto kSc = std::memory_order_seq_cst;

template <class... F>
void parallel(F... f) {
  std::thread threads[] = {std::thread(std::move(f))...};
  for (auto& t : threads) t.join();
}

inline ExhaustiveOptions with_memory(bool weak) {
  ExhaustiveOptions o;
  o.run.weak_memory = weak;
  return o;
}

struct Found {
  std::set<long> outcomes;
  ExhaustiveResult result;
};

inline long last_outcome;
inline std::set<long> outcomes_so_far;

// A body that leaves its outcome in last_outcome.
inline Found explore(void (*body)(void*), void* argument, ExhaustiveOptions options) {
  outcomes_so_far.clear();
  options.on_execution = [](const sched::Result&, void*) { outcomes_so_far.insert(last_outcome); };
  Found found;
  found.result = explore_all(body, argument, options);
  found.outcomes = outcomes_so_far;
  return found;
}

// Of a program that returns its outcome.
inline void call(void* program) {
  last_outcome = reinterpret_cast<long (*)()>(program)();
}
inline Found explore(long (*program)(), const ExhaustiveOptions& options = {}) {
  return explore(call, reinterpret_cast<void*>(program), options);
}

inline void expect_complete(const ExhaustiveResult& r) {
  EXPECT_TRUE(r.complete) << r.gave_up << ": " << r.failure.failure.message;
}

}  // namespace exhaustive_test

#endif  // LASTPUT_SCHED_EXHAUSTIVE_TESTING_H_
