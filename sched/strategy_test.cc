// SPDX-License-Identifier: Apache-2.0
// Each strategy: the same again, whatever ran before; what it finds replays without it; it ends loops that
// wait; and what its paper promises, checked by statistics of fixed seeds.
#include <array>
#include <atomic>
#include <chrono>
#include <cmath>
#include <condition_variable>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "sched/engine_test.h"

namespace engine_test {
namespace {

using sched::Profile;
using sched::Strategy;

class EachStrategy : public testing::TestWithParam<Strategy> {
 protected:
  static Options options(uint64_t seed, const Profile* profile = nullptr) {
    Options o;
    o.seed = seed;
    o.strategy = GetParam();
    o.profile = profile;
    return o;
  }
};
INSTANTIATE_TEST_SUITE_P(Strategy, EachStrategy,
                         testing::Values(Strategy::kRandom, Strategy::kPct, Strategy::kSurw),
                         [](const auto& tested) { return strategy_name(tested.param); });

Profile learn(Body body) {
  Profile profile;
  Options o = seeded(1);
  o.learn = &profile;
  run(body, o);
  return profile;
}

void busy() {
  std::atomic<int> x{0}, y{0};
  std::mutex m;
  std::condition_variable changed;
  int n = 0;
  auto add = [&] {
    for (int i = 0; i < 4; ++i) {
      x.fetch_add(1, kRelaxed);
      y.store(i, kRelease);
      const std::lock_guard lock(m);
      ++n;
      changed.notify_all();
    }
  };
  parallel(add, add, [&] {
    std::unique_lock lock(m);
    changed.wait_for(lock, std::chrono::milliseconds(1), [&] { return n >= 6; });
    x.load(kAcquire);
  });
}

int shared;
void racy() {
  parallel([] { ++shared; }, [] { ++shared; });
}

// The last of two looks, then changes: needs two switches in the middle.
void check_then_act() {
  std::atomic<int> count{1}, ends{0};
  auto drop = [&] {
    const int seen = count.load();
    if (seen == 1) {
      count.store(0);
      if (ends.fetch_add(1) == 1) sched::fail("G1", "it ended twice");
    }
  };
  parallel(drop, drop);
}

TEST_P(EachStrategy, IsTheSameAgainAfterOthers) {
  const Profile profile = learn(busy);
  for (uint64_t seed = 1; seed <= 100; ++seed) {
    const Result first = run(busy, options(seed, &profile));
    const auto again_after = [&](Body other) {
      run(other, options(seed + 1));
      const Result again = run(busy, options(seed, &profile));
      ASSERT_EQ(first.trace_hash, again.trace_hash) << seed;
      ASSERT_EQ(first.steps, again.steps) << seed;
    };
    again_after(busy);
    again_after(racy);  // which leaves threads in the middle of what they did
  }
}

TEST_P(EachStrategy, IsTheSameRecordedAndReplayedByItsChoices) {
  const Profile profile = learn(busy);
  for (uint64_t seed = 1; seed <= 200; ++seed) {
    Options o = options(seed, &profile);
    const Result fast = run(busy, o);
    o.record_always = true;
    const Result slow = run(busy, o);
    ASSERT_EQ(fast.trace_hash, slow.trace_hash) << seed;
    ASSERT_EQ(fast.steps, slow.steps) << seed;
    Options given;
    given.choices = &slow.recording.choices;
    ASSERT_EQ(fast.trace_hash, run(busy, given).trace_hash) << seed;
  }
}

TEST_P(EachStrategy, IsTheSameWhileItLearns) {
  for (uint64_t seed = 1; seed <= 100; ++seed) {
    Options o = options(seed);
    const Result plain = run(busy, o);
    Profile profile;
    o.learn = &profile;
    const Result learning = run(busy, o);
    ASSERT_EQ(plain.trace_hash, learning.trace_hash) << seed;
    ASSERT_EQ(plain.steps, learning.steps) << seed;
    ASSERT_EQ(plain.steps, profile.points) << seed;
  }
}

TEST_P(EachStrategy, TakesBytesFirst) {
  std::vector<uint8_t> bytes;
  std::set<uint64_t> hashes;
  for (int i = 0; i < 60; ++i) {
    bytes.push_back(static_cast<uint8_t>(i * 37 % 11));
    Options o = options(9);
    o.bytes = bytes;
    const Result a = run(busy, o), b = run(busy, o);
    ASSERT_EQ(a.trace_hash, b.trace_hash);
    hashes.insert(a.trace_hash);
  }
  EXPECT_GT(hashes.size(), 10u);
}

TEST_P(EachStrategy, FindsWhatReplaysWithoutIt) {
  const Profile profile = learn(check_then_act);
  Options base = options(1, &profile);
  base.weak_memory = false;
  uint64_t seed = 1;
  Result found;
  for (; found.verdict != Verdict::kFailed && seed <= 2000; ++seed) {
    base.seed = seed;
    base.explain = true;
    found = run(check_then_act, base);
  }
  ASSERT_EQ(FailureKind::kOracle, found.failure.kind) << found.failure.message;
  Options given;
  given.choices = &found.recording.choices;
  const Result replay = run(check_then_act, given);
  EXPECT_EQ(FailureKind::kOracle, replay.failure.kind);
  EXPECT_EQ(found.trace_hash, replay.trace_hash);
}

TEST_P(EachStrategy, EndsLoopsThatWait) {
  for (uint64_t seed = 1; seed <= 50; ++seed) {
    const Result r = run(
        [] {
          std::atomic<bool> a{false}, b{false};
          parallel(
              [&] {
                while (!a.load()) {
                }
                b.store(true);
              },
              [&] {
                while (!b.load()) std::this_thread::yield();
              },
              [&] { a.store(true); });
        },
        options(seed));
    ASSERT_EQ(Verdict::kClean, r.verdict) << seed << r.failure.message;
  }
}

// --- What an execution shows

void two_counters() {
  alignas(8) std::atomic<int> shared_one{0};
  alignas(8) std::atomic<int> own{0};
  parallel(
      [&] {
        for (int i = 0; i < 3; ++i) shared_one.fetch_add(1);
      },
      [&] {
        for (int i = 0; i < 5; ++i) shared_one.fetch_add(1), own.fetch_add(1);
      });
}

TEST(Profile, CountsTheAccessesToWhatThreadsShare) {
  const Profile profile = learn(two_counters);
  ASSERT_EQ(1u, profile.objects.size());
  EXPECT_EQ(8u, profile.objects[0].all());
  EXPECT_EQ(3u, profile.objects[0].accesses[1]);
  EXPECT_EQ(5u, profile.objects[0].accesses[2]);
  EXPECT_GE(profile.points, 13u);
}

// --- What the papers promise

// The order in which two threads, of kFirst and kSecond operations, came: "0010..".
template <int kFirst, int kSecond>
std::string order_of_two;
template <int kFirst, int kSecond>
void interleave() {
  std::atomic<int> place{0};
  std::string order(kFirst + kSecond, '?');
  auto take = [&](int n, char name) {
    for (int i = 0; i < n; ++i) order[static_cast<size_t>(place.fetch_add(1))] = name;
  };
  parallel([&] { take(kFirst, '0'); }, [&] { take(kSecond, '1'); });
  order_of_two<kFirst, kSecond> = order;
}

// Pearson's statistic of the orders' frequencies against a uniform distribution over `orders` of them.
template <int kFirst, int kSecond>
double chi_square(Options o, unsigned orders, unsigned runs) {
  std::map<std::string, unsigned> counts;
  for (o.seed = 1; o.seed <= runs; ++o.seed) {
    run(interleave<kFirst, kSecond>, o);
    ++counts[order_of_two<kFirst, kSecond>];
  }
  EXPECT_LE(counts.size(), orders);
  const double expected = static_cast<double>(runs) / orders;
  double sum = (orders - static_cast<double>(counts.size())) * expected;
  for (const auto& [order, n] : counts) sum += (n - expected) * (n - expected) / expected;
  return sum;
}

// Critical values of chi square for one false alarm in a thousand.
constexpr double kCritical9 = 27.9, kCritical19 = 43.8;

TEST(Surw, DrawsAllInterleavingsEquallyOften) {
  Options o;
  o.strategy = Strategy::kSurw;
  o.races = false;
  const Profile even = learn(interleave<3, 3>), uneven = learn(interleave<9, 1>);
  o.profile = &even;
  EXPECT_LT((chi_square<3, 3>(o, 20, 4000)), kCritical19);
  o.profile = &uneven;
  EXPECT_LT((chi_square<9, 1>(o, 10, 4000)), kCritical9);
  o.interesting = 0;
  EXPECT_LT((chi_square<9, 1>(o, 10, 4000)), kCritical9);
}

TEST(Surw, WhatItDrawsAWalkDoesNot) {
  for (const Strategy strategy : {Strategy::kRandom, Strategy::kPct}) {
    Options o;
    o.strategy = strategy;
    o.races = false;
    EXPECT_GT((chi_square<9, 1>(o, 10, 4000)), kCritical9) << strategy_name(strategy);
  }
}

// Fails where the threads come in this order: the first's first operation, the second's two, the first's
// second. That is depth 3: three ordered constraints.
void sandwich() {
  std::atomic<int> state{0};
  parallel(
      [&] {
        for (int i = 0; i < 4; ++i) state.load();
        state.store(1);
        if (state.load() == 3) sched::fail("G1", "between");
      },
      [&] {
        for (int i = 0; i < 4; ++i) state.load();
        if (state.load() == 1) state.store(3);
      });
}

TEST(Pct, FindsAtLeastAsOftenAsItGuarantees) {
  constexpr unsigned kRuns = 20000, kThreads = 3, kDepth = 3;
  const Profile profile = learn(sandwich);
  Options o;
  o.strategy = Strategy::kPct;
  o.depth = kDepth;
  o.profile = &profile;
  o.weak_memory = false;
  unsigned found = 0;
  for (o.seed = 1; o.seed <= kRuns; ++o.seed) found += run(sandwich, o).verdict == Verdict::kFailed;
  const auto points = static_cast<double>(profile.points);
  EXPECT_GE(found / double{kRuns}, 1 / (kThreads * std::pow(points, kDepth - 1)));
  // No fewer priority changes than asked for: with none, the second thread never comes between.
  o.depth = 1;
  for (o.seed = 1; o.seed <= kRuns / 10; ++o.seed)
    ASSERT_EQ(Verdict::kClean, run(sandwich, o).verdict);
}

TEST(Mix, BeginsAtRandomAndHasNoHoles) {
  Options o;
  sched::mix_strategies(0, &o);
  EXPECT_EQ(Strategy::kRandom, o.strategy);
  for (uint32_t i = 0; i < 100; ++i) {
    sched::mix_strategies(i, &o);
    o.seed = i;
    EXPECT_EQ(Verdict::kClean, run(busy, o).verdict) << i;
  }
}

}  // namespace
}  // namespace engine_test
