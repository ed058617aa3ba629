// SPDX-License-Identifier: Apache-2.0
// For tests of verdicts: each has a program that must get it and a near relative that must not. The
// programs are ordinary C++; the files that include this are compiled as code under test.
#ifndef LASTPUT_SCHED_ENGINE_TEST_H_
#define LASTPUT_SCHED_ENGINE_TEST_H_

#include <gtest/gtest.h>

#include <atomic>
#include <cstdint>
#include <thread>
#include <utility>

#include "sched/sched.h"

namespace engine_test {

using sched::FailureKind;
using sched::Options;
using sched::Result;
using sched::Verdict;
using std::memory_order;
inline constexpr auto kRelaxed = std::memory_order_relaxed;
inline constexpr auto kAcquire = std::memory_order_acquire;
inline constexpr auto kRelease = std::memory_order_release;
inline constexpr auto kAcqRel = std::memory_order_acq_rel;
inline constexpr auto kSeqCst = std::memory_order_seq_cst;

// A captureless body per program, so that nothing of one execution reaches the next.
using Body = void (*)();
using sched::run;

inline Options seeded(uint64_t seed) {
  Options o;
  o.seed = seed;
  o.mean_interval = 3;
  return o;
}

// The first failure within `runs` seeds.
inline Result search(Body body, uint64_t runs, Options base = seeded(1)) {
  for (uint64_t seed = 1;; ++seed) {
    Options o = base;
    o.seed = seed;
    o.explain = true;
    Result r = run(body, o);
    if (r.verdict == Verdict::kFailed || seed == runs) return r;
  }
}

inline void expect_found(FailureKind kind, Body body, Options base = seeded(1)) {
  Result r = search(body, 2000, base);
  EXPECT_STREQ(sched::failure_kind_name(kind), sched::failure_kind_name(r.failure.kind))
      << r.failure.message;
  if (kind == r.failure.kind) {
    EXPECT_FALSE(r.failure.stacks.empty());
    // A recorded failure needs no seed any more.
    Options again = base;
    again.seed = 0;
    again.choices = &r.recording.choices;
    Result replay = run(body, again);
    EXPECT_EQ(Verdict::kFailed, replay.verdict);
    EXPECT_EQ(kind, replay.failure.kind);
    // Where a stack ends depends on how much of it the engine's own frames take at that point.
    if (kind == FailureKind::kStackOverflow) return;
    EXPECT_EQ(r.trace_hash, replay.trace_hash);
    EXPECT_EQ(r.steps, replay.steps);
  }
}
inline void expect_clean(Body body, Options base = seeded(1)) {
  Result r = search(body, 2000, base);
  EXPECT_EQ(Verdict::kClean, r.verdict) << r.failure.message;
}

// Keeps the compiler from seeing through (and removing) an allocation.
template <class T>
T* opaque(T* p) {
  asm volatile("" : "+r"(p)::"memory");
  return p;
}

template <class... F>
void parallel(F... f) {
  std::thread threads[] = {std::thread(std::move(f))...};
  for (auto& t : threads) t.join();
}

}  // namespace engine_test

#endif  // LASTPUT_SCHED_ENGINE_TEST_H_
