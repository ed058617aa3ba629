// SPDX-License-Identifier: Apache-2.0
// What the tests of synchronisation share: a program is a body without captures, which is searched for
// failures over many seeds. What is found must replay by its choices alone; both back ends must agree.
#ifndef LASTPUT_SCHED_SYNC_TESTING_H_
#define LASTPUT_SCHED_SYNC_TESTING_H_

#include <gtest/gtest.h>
#include <pthread.h>

#include <functional>
#include <string>

#include "sched/sched.h"

namespace sched_testing {

using sched::FailureKind;
using sched::Options;
using sched::Result;
using sched::Verdict;
using Body = void (*)();

inline constexpr uint64_t kSeeds = 2000;
inline constexpr uint64_t kSeedsOnBoth = 20;

inline Options seeded(uint64_t seed) {
  Options options;
  options.seed = seed;
  options.mean_interval = 3;
  return options;
}

using sched::run;

inline void expect_same(const Result& a, const Result& b) {
  EXPECT_EQ(a.verdict, b.verdict);
  EXPECT_EQ(a.trace_hash, b.trace_hash);
  EXPECT_EQ(a.steps, b.steps);
  EXPECT_EQ(a.failure.kind, b.failure.kind);
}

// No seed fails.
inline void expect_clean(Body body, uint64_t seeds = kSeeds, Options options = seeded(1)) {
  for (uint64_t seed = 1; seed <= seeds; ++seed) {
    options.seed = seed;
    options.os_threads = false;
    const Result fibers = run(body, options);
    ASSERT_EQ(fibers.verdict, Verdict::kClean)
        << "seed " << seed << ": " << sched::failure_kind_name(fibers.failure.kind) << ", "
        << fibers.failure.message;
    if (seed > kSeedsOnBoth) continue;
    options.os_threads = true;
    expect_same(fibers, run(body, options));
  }
}

// Some seed fails with a message that has `text` in it, and all that fail do so in this way.
inline void expect_found(FailureKind kind, const std::string& text, Body body,
                         uint64_t seeds = kSeeds, Options options = seeded(1)) {
  options.explain = true;
  std::string other = "nothing";
  for (uint64_t seed = 1; seed <= seeds; ++seed) {
    options.seed = seed;
    const Result found = run(body, options);
    if (found.verdict != Verdict::kFailed) continue;
    EXPECT_STREQ(sched::failure_kind_name(kind), sched::failure_kind_name(found.failure.kind))
        << found.failure.message;
    if (found.failure.message.find(text) == std::string::npos) {
      other = found.failure.message;
      continue;
    }
    EXPECT_FALSE(found.failure.stacks.empty());
    Options replay = options;
    replay.explain = false;
    replay.choices = &found.recording.choices;
    for (const bool os_threads : {false, true}) {
      replay.os_threads = os_threads;
      expect_same(found, run(body, replay));
    }
    return;
  }
  ADD_FAILURE() << "found in " << seeds << " executions: " << other;
}

// Code of threads as a list of functions, by pthreads alone.
inline void* call_function(void* f) {
  (*static_cast<std::function<void()>*>(f))();
  return nullptr;
}
template <class... F>
void parallel(F... f) {
  std::function<void()> functions[] = {f...};
  pthread_t threads[sizeof...(F)];
  for (size_t i = 0; i < sizeof...(F); ++i)
    pthread_create(&threads[i], nullptr, call_function, &functions[i]);
  for (pthread_t thread : threads) pthread_join(thread, nullptr);
}

// Remembers beyond the execution that it came to this; the engine sees nothing of it.
[[gnu::noinline, gnu::no_sanitize_thread]] inline void note(bool& seen) {
  seen = true;
}

inline void require(bool condition, const char* what) {
  if (!condition) sched::fail("T", what);
}

// Time of a clock, in so many seconds.
inline timespec in_seconds(clockid_t clock, long seconds) {
  timespec t;
  clock_gettime(clock, &t);
  t.tv_sec += seconds;
  return t;
}

}  // namespace sched_testing

#endif  // LASTPUT_SCHED_SYNC_TESTING_H_
