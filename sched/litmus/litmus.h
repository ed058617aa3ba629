// SPDX-License-Identifier: Apache-2.0
// Litmus tests: each small program has the exact set of outcomes that the memory model of memory.h
// allows (C++20 without load buffering). Random schedules must reach every one of them, and never
// another; so must an exhaustive search, which says that there is no other. What C++20 allows and the
// engine does not reach stands beside the test, as `missing`.
#ifndef LASTPUT_SCHED_LITMUS_LITMUS_H_
#define LASTPUT_SCHED_LITMUS_LITMUS_H_

#include <gtest/gtest.h>

#include <atomic>
#include <bitset>
#include <initializer_list>
#include <set>
#include <string>
#include <thread>

#include "sched/exhaustive.h"
#include "sched/sched.h"

namespace litmus {

using std::atomic;
using std::memory_order;
inline constexpr auto kRlx = std::memory_order_relaxed;
inline constexpr auto kAcq = std::memory_order_acquire;
inline constexpr auto kRel = std::memory_order_release;
inline constexpr auto kAcqRel = std::memory_order_acq_rel;
inline constexpr auto kSc = std::memory_order_seq_cst;

inline constexpr int kRuns = 20000;

// Outcomes are written as decimal digits: r1 r2 ... = 10 is r1 = 1, r2 = 0.
inline std::bitset<10000> seen;

template <class... F>
void parallel(F... f) {
  std::thread threads[] = {std::thread(f)...};
  for (auto& t : threads) t.join();
}

inline void run_program(void* p) {
  const int outcome = reinterpret_cast<int (*)()>(p)();
  seen[static_cast<size_t>(outcome)] = true;
}

inline std::set<int> seen_outcomes() {
  std::set<int> found;
  for (size_t i = 0; i < seen.size(); ++i)
    if (seen[i]) found.insert(static_cast<int>(i));
  return found;
}

inline std::set<int> all_outcomes(int (*program)(), bool weak = true) {
  seen.reset();
  sched::ExhaustiveOptions o;
  o.run.weak_memory = weak;
  const sched::ExhaustiveResult r =
      sched::explore_all(run_program, reinterpret_cast<void*>(program), o);
  EXPECT_TRUE(r.complete) << r.gave_up << r.failure.failure.message;
  return seen_outcomes();
}

inline std::set<int> outcomes(int (*program)(), bool weak = true) {
  seen.reset();
  for (int seed = 1; seed <= kRuns; ++seed) {
    sched::Options o;
    o.seed = static_cast<uint64_t>(seed);
    o.mean_interval = 3;
    o.weak_memory = weak;
    sched::Result r = sched::run(run_program, reinterpret_cast<void*>(program), o);
    EXPECT_EQ(sched::Verdict::kClean, r.verdict) << r.failure.message;
    if (r.verdict != sched::Verdict::kClean) break;
  }
  return seen_outcomes();
}
inline void expect_exactly(int (*program)(), std::set<int> allowed, std::set<int> missing = {}) {
  std::set<int> found = outcomes(program);
  for (int m : missing) {
    EXPECT_FALSE(found.count(m)) << m << " is reached now: strike it from `missing`";
    allowed.erase(m);
  }
  EXPECT_EQ(allowed, found);
  EXPECT_EQ(allowed, all_outcomes(program));
  EXPECT_EQ(outcomes(program, false), all_outcomes(program, false));
}

// Where nobody looks at what they return, a compiler makes stores of exchanges (and loads of additions
// of 0).
inline void exchange(atomic<int>& x, int value, memory_order order) {
  asm volatile("" : : "r"(x.exchange(value, order)));
}

// All outcomes of so many digits 0 or 1; and all but some.
inline std::set<int> all_binary(unsigned digits) {
  std::set<int> all;
  for (unsigned v = 0; v < 1u << digits; ++v) {
    int decimal = 0;
    for (unsigned i = digits; i-- > 0;) decimal = decimal * 10 + static_cast<int>(v >> i & 1);
    all.insert(decimal);
  }
  return all;
}

inline std::set<int> all_but(unsigned digits, std::initializer_list<int> excluded) {
  std::set<int> all = all_binary(digits);
  for (int e : excluded) all.erase(e);
  return all;
}

}  // namespace litmus

#endif  // LASTPUT_SCHED_LITMUS_LITMUS_H_
