// SPDX-License-Identifier: Apache-2.0
// Crashes, budgets of steps, and what the engine does not simulate: verdicts, never a hang.
#include <signal.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <exception>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <string>
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
TEST(Crashes, StackOverflowOfAThreadIsFound) {
  for (const bool os_threads : {false, true}) {
    Options o = seeded(1);
    o.os_threads = os_threads;
    expect_found(
        FailureKind::kStackOverflow,
        [] {
          std::atomic<int> depth{0};
          parallel([&] { recurse(depth); });
        },
        o);
  }
}
int recurse_to(int depth) {
  volatile char frame[512];
  frame[0] = 1;
  return depth == 0 ? 0 : recurse_to(depth - 1) + frame[0];
}
TEST(Crashes, DeepRecursionThatFitsIsClean) {
  expect_clean([] {
    const auto deep = [] {
      if (recurse_to(300) != 300) sched::fail("T", "depth");
    };
    parallel(deep, deep);
  });
}

template <int kSignal>
void raises() {
  parallel([] { raise(kSignal); });
}
TEST(Crashes, EachFatalSignalIsNamed) {
  const struct {
    Body body;
    const char* name;
  } all[] = {
      {raises<SIGSEGV>, "SIGSEGV"}, {raises<SIGBUS>, "SIGBUS"},   {raises<SIGILL>, "SIGILL"},
      {raises<SIGFPE>, "SIGFPE"},   {raises<SIGABRT>, "abort()"}, {raises<SIGTRAP>, "SIGTRAP"},
  };
  for (const auto& each : all) {
    expect_found(FailureKind::kCrash, each.body);
    EXPECT_NE(std::string::npos, search(each.body, 1).failure.message.find(each.name));
  }
}

// The library prints what it was before it aborts.
TEST(Crashes, ExceptionsThatNobodyCatchesAreFound) {
  expect_found(FailureKind::kCrash,
               [] { parallel([] { throw std::runtime_error("in a thread"); }); });
  expect_found(FailureKind::kCrash, [] { throw std::runtime_error("in the body"); });
  expect_found(FailureKind::kCrash, [] {
    void (*const throws)() = [] { throw std::runtime_error("where nothing may be thrown"); };
    parallel([=]() noexcept { throws(); });
  });
}

TEST(Crashes, AnAbandonedExceptionIsForgotten) {
  search([] { parallel([] { throw 1; }); }, 1);
  search(
      [] {
        try {
          throw 1;
        } catch (...) {
          sched::fail("T", "while it is handled");
        }
      },
      1);
  expect_clean([] {
    const auto look = [] {
      if (std::uncaught_exceptions() != 0 || std::current_exception() != nullptr)
        sched::fail("T", "an exception from nowhere");
    };
    parallel(look, look);
    look();
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
// Loops of any length that give their lock back for a moment only: who waits for it has its turn.
int points_held;
void loops_with_a_lock() {
  std::mutex mutex;
  bool done = false;
  std::atomic<int> x{0};
  parallel(
      [&] {
        for (bool go_on = true; go_on;) {
          const std::lock_guard lock(mutex);
          for (int i = 0; i < points_held; ++i) x.load(kRelaxed);
          go_on = !done;
        }
      },
      [&] {
        const std::lock_guard lock(mutex);
        done = true;
      });
}
TEST(Budget, LoopsThatHoldALockAreNoLivelocks) {
  for (points_held = 0; points_held <= 100; ++points_held) {
    for (uint64_t seed = 1; seed <= 10; ++seed) {
      Options o = seeded(seed);
      o.step_budget = 300;
      o.fair_budget = 30000;
      const Result r = run(loops_with_a_lock, o);
      ASSERT_NE(Verdict::kFailed, r.verdict) << points_held << ": " << r.failure.message;
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
  EXPECT_EQ(0u, r.failure.message.rfind("fork() is not controlled by the engine: ", 0))
      << r.failure.message;
}
void expect_limit(const char* message, Body body, Options o = seeded(1)) {
  const Result r = search(body, 1, o);
  EXPECT_EQ(FailureKind::kLimit, r.failure.kind);
  EXPECT_EQ(message, r.failure.message);
  // Whatever was exhausted, the next execution has all of it.
  EXPECT_EQ(Verdict::kClean, search([] { parallel([] {}, [] {}); }, 1).verdict);
}

TEST(Limits, EndsOfTheProcessAreNamed) {
  expect_limit("exit() in the middle of an execution would end the engine", [] { exit(0); });
  expect_limit("exit() in the middle of an execution would end the engine",
               [] { parallel([] { exit(1); }, [] {}); });
  expect_limit("_exit() in the middle of an execution would end the engine", [] { _exit(0); });
  expect_limit("_Exit() in the middle of an execution would end the engine", [] { _Exit(0); });
  expect_limit("quick_exit() in the middle of an execution would end the engine",
               [] { quick_exit(0); });
}

template <size_t kCount>
void locks_many_mutexes() {
  auto mutexes = std::make_unique<std::mutex[]>(kCount);
  const auto all = [&] {
    for (size_t i = 0; i < kCount; ++i) {
      std::lock_guard lock(mutexes[i]);
    }
  };
  parallel(all, all);
}
TEST(Limits, TenThousandMutexes) {
  Options o = seeded(1);
  o.step_budget = 200'000;
  EXPECT_EQ(Verdict::kClean, search(locks_many_mutexes<10'000>, 3, o).verdict);
  expect_limit("too many atomics and locks for one execution", locks_many_mutexes<20'000>, o);
}
TEST(Limits, TooManyAtomics) {
  Options o = seeded(1);
  o.step_budget = 200'000;
  expect_limit(
      "too many atomics and locks for one execution",
      [] {
        auto all = std::make_unique<std::atomic<int>[]>(20'000);
        for (size_t i = 0; i < 20'000; ++i) opaque(all.get())[i].store(1, kRelaxed);
      },
      o);
}
TEST(Limits, TooManyBytesShared) {
  expect_limit("too many bytes shared between threads for one execution", [] {
    auto all = std::make_unique<long[]>(20'000);
    const auto read = [&] {
      for (size_t i = 0; i < 20'000; ++i) (void)*const_cast<volatile long*>(&all[i]);
    };
    parallel(read, read);
  });
}
TEST(Limits, TooMuchMemoryElsewhere) {
  expect_limit("too much memory outside heap, stacks and globals", [] {
    static auto* const words = static_cast<volatile long*>(
        mmap(nullptr, 1 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
    for (size_t i = 0; i < 20'000; ++i) words[i] = 1;
  });
}

constexpr char kHeapIsFull[] = "the execution's heap is full (64 MiB, or 262144 blocks)";
template <size_t kBytes>
void allocates() {
  volatile size_t bytes = kBytes;
  free(opaque(malloc(bytes)));
}
TEST(Limits, HugeAllocations) {
  expect_limit(kHeapIsFull, allocates<size_t{1} << 40>);
  expect_limit(kHeapIsFull, allocates<SIZE_MAX - 100>);
  expect_limit(kHeapIsFull, allocates<SIZE_MAX>);
  expect_limit(kHeapIsFull, allocates<(65u << 20)>);
  EXPECT_EQ(Verdict::kClean, search(allocates<(60u << 20)>, 1).verdict);
  expect_clean([] {
    volatile size_t count = SIZE_MAX / 2;
    if (opaque(calloc(count, 8)) != nullptr) sched::fail("T", "an overflow");
  });
}
TEST(Limits, TooManyBlocks) {
  expect_limit(kHeapIsFull, [] {
    for (int i = 0; i < 300'000; ++i) free(opaque(malloc(1)));
  });
}

// What was undone only in part would show in what comes next: so it is told.
volatile long global;
TEST(Limits, MoreWritesOfGlobalsThanAreUndoneAreTold) {
  testing::internal::CaptureStderr();
  search(
      [] {
        for (int i = 0; i < 1'100'000; ++i) global = i;
        sched::fail("T", "in the middle");
      },
      1);
  EXPECT_NE(std::string::npos,
            testing::internal::GetCapturedStderr().find("not all of them are as they were"));
}

TEST(Limits, InputThatEndsGoesOnBySeed) {
  const Body body = [] {
    std::atomic<int> x{0};
    const auto add = [&] {
      for (int i = 0; i < 20; ++i) x.fetch_add(1);
    };
    parallel(add, add);
  };
  const uint64_t by_seed = run(body, seeded(4)).trace_hash;
  const uint8_t bytes[] = {3, 1, 0xff, 0xff, 7};
  Options o = seeded(4);
  o.bytes = {bytes, 1};  // half a preemption
  EXPECT_EQ(by_seed, run(body, o).trace_hash);
  for (size_t size = 2; size <= sizeof bytes; ++size) {
    o.bytes = {bytes, size};
    const Result r = run(body, o);
    EXPECT_EQ(Verdict::kClean, r.verdict);
    EXPECT_EQ(r.trace_hash, run(body, o).trace_hash);
  }
}

// A thread that never comes to a point keeps all others waiting, and the engine, which is on the same
// processor thread, cannot tell. Whoever fuzzes has an alarm.
void tell_and_end(int) {
  const char words[] = "the alarm";
  (void)!write(1, words, sizeof words - 1);
  syscall(SYS_exit_group, 70);
}
TEST(Limits, ALoopWithoutAPointIsLeftToTheAlarm) {
  EXPECT_EXIT(
      {
        signal(SIGALRM, tell_and_end);
        alarm(1);
        run(
            [] {
              parallel([] {
                for (;;) asm volatile("");
              });
            },
            seeded(1));
      },
      testing::ExitedWithCode(70), "");
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
