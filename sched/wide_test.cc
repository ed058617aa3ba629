// SPDX-License-Identifier: Apache-2.0
// The engine with wider clocks: what 16 threads do, 256 do as well; and no more. This file is code under
// test, linked with sched_wide.
#include <pthread.h>

#include <atomic>

#include "sched/sync_testing.h"

extern "C" int reorder_wide_0();
extern "C" int reorder_wide_1();

namespace {

using namespace sched_testing;

static_assert(sched::kMaxThreads == 256);
constexpr unsigned kOthers = sched::kMaxThreads - 1;  // than main

void count(unsigned others) {
  pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
  unsigned n = 0;
  std::function<void()> add = [&] {
    pthread_mutex_lock(&mutex);
    ++n;
    pthread_mutex_unlock(&mutex);
  };
  pthread_t threads[sched::kMaxThreads];
  for (unsigned i = 0; i < others; ++i) pthread_create(&threads[i], nullptr, call_function, &add);
  for (unsigned i = 0; i < others; ++i) pthread_join(threads[i], nullptr);
  require(n == others, "lost");
}

TEST(Wide, AsManyThreadsAtOnceAndNoMore) {
  for (uint64_t seed = 1; seed <= 50; ++seed) {
    const Result r = sched::run([] { count(kOthers); }, seeded(seed));
    ASSERT_EQ(r.verdict, Verdict::kClean) << r.failure.message;
    ASSERT_EQ(r.threads, sched::kMaxThreads);
  }
  expect_found(FailureKind::kLimit, "more than 256 threads at once", [] { count(kOthers + 1); });
}
// What the strategies know of each thread reaches as far.
TEST(Wide, EveryStrategyReachesTheLastThread) {
  for (const auto strategy :
       {sched::Strategy::kRandom, sched::Strategy::kPct, sched::Strategy::kSurw}) {
    Options options = seeded(1);
    options.strategy = strategy;
    for (uint64_t seed = 1; seed <= 5; ++seed) {
      options.seed = seed;
      const Result r = sched::run([] { count(kOthers); }, options);
      ASSERT_EQ(r.verdict, Verdict::kClean)
          << sched::strategy_name(strategy) << ": " << r.failure.message;
      ASSERT_EQ(r.trace_hash, sched::run([] { count(kOthers); }, options).trace_hash);
    }
  }
}

// The last of the threads is watched as the first is.
TEST(Wide, RacesOfTheLastThreadAreFound) {
  expect_found(FailureKind::kDataRace, "by main.255", [] {
    int plain = 0;
    std::function<void()> nothing = [] {}, write = [&] { ++plain; };
    pthread_t threads[kOthers];
    for (unsigned i = 0; i < kOthers; ++i)
      pthread_create(&threads[i], nullptr, call_function, i == kOthers - 1 ? &write : &nothing);
    ++plain;
    for (pthread_t thread : threads) pthread_join(thread, nullptr);
  });
}
// Nineteen setters and one who checks. He comes between only if nobody has finished before he begins: the
// rarer the preemptions, the sooner.
Result reorder(int (*main)(), uint64_t seed) {
  Options options = seeded(seed);
  options.mean_interval = 1u << seed % 7;
  return sched::run(main, options);
}
TEST(Wide, ReorderOfTwenty) {
  uint64_t found = 0;
  for (uint64_t seed = 1; seed <= 20'000; ++seed) {
    ASSERT_EQ(reorder(reorder_wide_0, seed).verdict, Verdict::kClean) << seed;
    if (found == 0 && reorder(reorder_wide_1, seed).verdict == Verdict::kFailed) found = seed;
  }
  EXPECT_NE(found, 0u);
  RecordProperty("execution", static_cast<int>(found));
}
// Every thread spins until the one before has passed, without a yield: only fair turns end that.
TEST(Wide, FairTurnsReachEverybody) {
  Options options = seeded(1);
  options.mean_interval = 0;
  options.step_budget = 100;
  const Result r = run(
      [] {
        std::atomic<int> turn{31};
        std::function<void()> pass[31];
        pthread_t threads[31];
        for (int i = 0; i < 31; ++i) {
          pass[i] = [&turn, i] {
            while (turn.load() != i + 1) {
            }
            turn.store(i);
          };
          pthread_create(&threads[i], nullptr, call_function, &pass[i]);
        }
        for (pthread_t thread : threads) pthread_join(thread, nullptr);
      },
      options);
  EXPECT_EQ(r.verdict, Verdict::kCutOff) << r.failure.message;
}

}  // namespace
