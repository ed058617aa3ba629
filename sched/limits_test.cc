// SPDX-License-Identifier: Apache-2.0
// Crashes, budgets of steps, and what the engine does not simulate: verdicts, never a hang.
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cstdlib>
#include <thread>
#include <vector>

#include "sched/engine_test.h"

namespace engine_test {
namespace {

TEST(Crashes, NullWriteIsFound) {
  expect_found(FailureKind::kCrash, [] {
    std::atomic<volatile int*> p{nullptr};
    *p.load() = 1;
  });
}
TEST(Crashes, AbortIsFound) {
  expect_found(FailureKind::kCrash, [] {
    std::atomic<int> x{1};
    if (x.load() == 1) abort();
  });
}
int recurse(std::atomic<int>& depth) {
  volatile char frame[512];
  frame[0] = 1;
  return depth.fetch_add(1, kRelaxed) < 1'000'000 ? recurse(depth) + frame[0] : 0;
}
TEST(Crashes, StackOverflowIsFound) {
  expect_found(FailureKind::kStackOverflow, [] {
    std::atomic<int> depth{0};
    recurse(depth);
  });
}
TEST(Budget, EndlessLoopIsCutOff) {
  Options o = seeded(1);
  o.step_budget = 1000;
  o.fair_budget = 0;
  Result r = sched::run(
      [](void*) {
        std::atomic<int> x{0};
        while (opaque(&x)->load() == 0) {
        }
      },
      nullptr, o);
  EXPECT_EQ(Verdict::kCutOff, r.verdict);
  EXPECT_EQ(1000u, r.steps);
  o.fair_budget = 1000;
  r = sched::run(
      [](void*) {
        std::atomic<int> x{0};
        while (opaque(&x)->load() == 0) {
        }
      },
      nullptr, o);
  EXPECT_EQ(FailureKind::kLivelock, r.failure.kind);
  EXPECT_EQ(2000u, r.steps);
}

// Unfair schedules never end these, fair ones do: not livelocks, on either back end, recorded or
// not, and with the same course.
void spins_without_yield() {
  std::atomic<int> turn{0};
  parallel(
      [&] {
        while (turn.load(kRelaxed) != 1) {
        }
        turn.store(2, kRelaxed);
      },
      [&] {
        while (turn.load(kRelaxed) != 2) {
        }
        turn.store(3, kRelaxed);
      },
      [&] { turn.store(1, kRelaxed); });
}
void sleeps_while_another_spins() {
  std::atomic<bool> done{false};
  parallel(
      [&] {
        while (!done.load(kRelaxed)) {
        }
      },
      [&] {
        std::this_thread::sleep_for(std::chrono::hours(1));
        done.store(true, kRelaxed);
      });
}
void spins_for_a_lock() {
  std::atomic_flag held;
  int shared = 0;
  auto add = [&] {
    while (held.test_and_set(kAcquire)) {
    }
    ++shared;
    held.clear(kRelease);
  };
  parallel(add, add, add);
}
TEST(Budget, RightSpinLoopsAreNoLivelocks) {
  for (Body body : {spins_without_yield, sleeps_while_another_spins, spins_for_a_lock}) {
    uint64_t cut_off = 0;
    for (uint64_t seed = 1; seed <= 100; ++seed) {
      Options o = seeded(seed);
      o.mean_interval = 0;  // no preemption: as unfair as can be
      o.step_budget = 300;
      Result r = run(body, o);
      ASSERT_NE(Verdict::kFailed, r.verdict) << r.failure.message;
      cut_off += r.verdict == Verdict::kCutOff;
      o.record_always = seed % 2 == 0;
      o.os_threads = seed % 3 == 0;
      Result again = run(body, o);
      ASSERT_EQ(r.trace_hash, again.trace_hash);
      ASSERT_EQ(r.verdict, again.verdict);
    }
    if (body != spins_for_a_lock) {
      EXPECT_GT(cut_off, 0u);
    }
  }
}
TEST(Budget, WhatCannotEndIsALivelockAndReplays) {
  auto body = [] {
    std::atomic<int> a{0}, b{0};
    parallel(
        [&] {
          while (a.load(kRelaxed) == 0) {
          }
          b.store(1, kRelaxed);
        },
        [&] {
          while (b.load(kRelaxed) == 0) {
          }
          a.store(1, kRelaxed);
        });
  };
  Options o = seeded(1);
  o.step_budget = 300;
  o.fair_budget = 3000;
  Result r = search(body, 1, o);
  EXPECT_EQ(FailureKind::kLivelock, r.failure.kind);
  Options replay = o;
  replay.choices = &r.recording.choices;
  Result again = run(body, replay);
  EXPECT_EQ(r.trace_hash, again.trace_hash);
  EXPECT_EQ(r.steps, again.steps);
}
TEST(Budget, SpinWithYieldEnds) {
  expect_clean([] {
    std::atomic<int> x{0};
    parallel(
        [&] {
          while (x.load() == 0) std::this_thread::yield();
        },
        [&] { x.store(1); });
  });
}
TEST(Limits, TooManyThreads) {
  expect_found(FailureKind::kLimit, [] {
    std::vector<std::thread> v;
    for (int i = 0; i < 20; ++i) v.emplace_back([] {});
    for (auto& t : v) t.join();
  });
}
TEST(Limits, UncontrolledCallsAreNamed) {
  Result r = search(
      [] {
        if (fork() == 0) _exit(0);
      },
      1);
  EXPECT_EQ(FailureKind::kLimit, r.failure.kind);
  EXPECT_EQ("fork() is not controlled by the engine", r.failure.message);
}
TEST(Limits, ManyThreadsOneAfterAnother) {
  expect_clean([] {
    int n = 0;
    for (int i = 0; i < 40; ++i) std::thread([&] { n++; }).join();
    if (n != 40) sched::fail("T", "lost");
  });
}

}  // namespace
}  // namespace engine_test
