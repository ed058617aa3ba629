// SPDX-License-Identifier: Apache-2.0
// Each verdict has a program that must get it and a near relative that must not. The programs are
// ordinary C++; this file is compiled as code under test.
#include <gtest/gtest.h>
#include <pthread.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <memory>
#include <mutex>
#include <set>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "sched/sched.h"

namespace {

using sched::FailureKind;
using sched::Options;
using sched::Result;
using sched::Verdict;
using std::memory_order;
constexpr auto kRelaxed = std::memory_order_relaxed;
constexpr auto kAcquire = std::memory_order_acquire;
constexpr auto kRelease = std::memory_order_release;
constexpr auto kAcqRel = std::memory_order_acq_rel;
constexpr auto kSeqCst = std::memory_order_seq_cst;

// A captureless body per program, so that nothing of one execution reaches the next.
using Body = void (*)();
void call(void* body) {
  reinterpret_cast<Body>(body)();
}

Options seeded(uint64_t seed) {
  Options o;
  o.seed = seed;
  o.mean_interval = 3;
  return o;
}

// The first failure within `runs` seeds.
Result search(Body body, uint64_t runs, Options base = seeded(1)) {
  for (uint64_t seed = 1;; ++seed) {
    Options o = base;
    o.seed = seed;
    o.explain = true;
    Result r = sched::run(call, reinterpret_cast<void*>(body), o);
    if (r.verdict == Verdict::kFailed || seed == runs) return r;
  }
}

void expect_found(FailureKind kind, Body body, Options base = seeded(1)) {
  Result r = search(body, 2000, base);
  EXPECT_STREQ(sched::failure_kind_name(kind), sched::failure_kind_name(r.failure.kind))
      << r.failure.message;
  if (kind == r.failure.kind) {
    EXPECT_FALSE(r.failure.stacks.empty());
    // A recorded failure needs no seed any more.
    Options again = base;
    again.seed = 0;
    again.choices = &r.recording.choices;
    Result replay = sched::run(call, reinterpret_cast<void*>(body), again);
    EXPECT_EQ(Verdict::kFailed, replay.verdict);
    EXPECT_EQ(kind, replay.failure.kind);
    EXPECT_EQ(r.trace_hash, replay.trace_hash);
    EXPECT_EQ(r.steps, replay.steps);
  }
}
void expect_clean(Body body, Options base = seeded(1)) {
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
  std::thread threads[] = {std::thread(f)...};
  for (auto& t : threads) t.join();
}

// --- Data races
// -------------------------------------------------------------------------------------

template <memory_order kStore, memory_order kLoad>
void message_passing() {
  std::atomic<int> flag{0};
  [[maybe_unused]] volatile int data = 0;
  parallel(
      [&] {
        data = 1;
        flag.store(1, kStore);
      },
      [&] {
        if (flag.load(kLoad) == 1) data = 2;
      });
}
TEST(Races, ReleaseAcquireOrdersPlainData) {
  expect_clean(message_passing<kRelease, kAcquire>);
}
TEST(Races, SeqCstOrdersPlainData) {
  expect_clean(message_passing<kSeqCst, kSeqCst>);
}
TEST(Races, RelaxedStoreDoesNot) {
  expect_found(FailureKind::kDataRace, message_passing<kRelaxed, kAcquire>);
}
TEST(Races, RelaxedLoadDoesNot) {
  expect_found(FailureKind::kDataRace, message_passing<kRelease, kRelaxed>);
}

template <memory_order kFence>
void fences() {
  std::atomic<int> flag{0};
  [[maybe_unused]] volatile int data = 0;
  parallel(
      [&] {
        data = 1;
        std::atomic_thread_fence(kFence == kRelaxed ? kAcquire : kRelease);
        flag.store(1, kRelaxed);
      },
      [&] {
        if (flag.load(kRelaxed) != 1) return;
        std::atomic_thread_fence(kAcquire);
        data = 2;
      });
}
TEST(Races, FencesOrderPlainData) {
  expect_clean(fences<kSeqCst>);
}
TEST(Races, AcquireFenceReleasesNothing) {
  expect_found(FailureKind::kDataRace, fences<kRelaxed>);
}

void write_after_release_fence() {
  std::atomic<int> flag{0};
  [[maybe_unused]] volatile int data = 0;
  parallel(
      [&] {
        std::atomic_thread_fence(kRelease);
        data = 1;  // not covered by the fence before it
        flag.store(1, kRelaxed);
      },
      [&] {
        if (flag.load(kAcquire) == 1) data = 2;
      });
}
TEST(Races, ReleaseFenceCoversOnlyWhatPrecedesIt) {
  expect_found(FailureKind::kDataRace, write_after_release_fence);
}

template <memory_order kMiddle, bool kPlainStore>
void release_sequence() {
  std::atomic<int> flag{0};
  [[maybe_unused]] volatile int data = 0;
  parallel(
      [&] {
        data = 1;
        flag.store(1, kRelease);
      },
      [&] {
        if (kPlainStore) {
          if (flag.load(kRelaxed) == 1) flag.store(2, kMiddle);
        } else {
          int one = 1;
          flag.compare_exchange_strong(one, 2, kMiddle);
        }
      },
      [&] {
        if (flag.load(kAcquire) == 2) data = 2;
      });
}
TEST(Races, RmwContinuesReleaseSequence) {
  expect_clean(release_sequence<kRelaxed, false>);
}
TEST(Races, PlainStoreEndsReleaseSequence) {
  expect_found(FailureKind::kDataRace, release_sequence<kRelaxed, true>);
}

template <memory_order kPut>
void reference_count() {
  struct Object {
    std::atomic<int> count{2};
    int a = 0, b = 0;
  };
  auto* o = new Object;
  auto put = [o] {
    if (o->count.fetch_sub(1, kPut) == 1) delete o;
  };
  parallel(
      [=] {
        o->a = 1;
        put();
      },
      [=] {
        o->b = 1;
        put();
      });
}
TEST(Races, AcqRelPutIsRight) {
  expect_clean(reference_count<kAcqRel>);
}
TEST(Races, RelaxedPutIsFound) {
  expect_found(FailureKind::kDataRace, reference_count<kRelaxed>);
}
TEST(Races, ReleaseOnlyPutIsFound) {
  expect_found(FailureKind::kDataRace, reference_count<kRelease>);
}

void neighbours() {  // different bytes and bit-sizes of one granule never race
  struct {
    uint32_t a = 0;
    uint16_t b = 0;
    uint8_t c = 0, d = 0;
  } s;
  parallel(
      [&] {
        s.a++;
        s.b++;
      },
      [&] { s.c++; },
      [&] {
        s.d++;
        s.d++;
      });
  s.a = s.b = s.c = s.d = 0;
}
TEST(Races, NeighbouringBytesAreApart) {
  expect_clean(neighbours);
}

void atomic_neighbour() {
  struct {
    std::atomic<uint32_t> a{0};
    uint32_t b = 0;
  } s;
  parallel([&] { s.a.fetch_add(1, kRelaxed); }, [&] { s.b++; });
}
TEST(Races, AtomicAndPlainNeighboursAreApart) {
  expect_clean(atomic_neighbour);
}

void shared_readers(bool with_writer) {
  int data = 1;
  std::atomic<int> sum{0};
  auto read = [&] { sum.fetch_add(data, kRelaxed); };
  if (with_writer)
    parallel(read, read, [&] { data = 2; });
  else
    parallel(read, read, read);
}
TEST(Races, ReadersMayShare) {
  expect_clean([] { shared_readers(false); });
}
TEST(Races, WriterAmongReadersIsFound) {
  expect_found(FailureKind::kDataRace, [] { shared_readers(true); });
}

void partial_overlap() {
  alignas(8) char b[8] = {};
  parallel(
      [&] {
        uint32_t v = 1;
        memcpy(b, &v, 4);
      },
      [&] { *const_cast<volatile char*>(b + 3) = 1; });
}
TEST(Races, OverlappingSizesAreFound) {
  expect_found(FailureKind::kDataRace, partial_overlap);
}

void atomic_against_plain() {
  alignas(4) int x = 0;
  parallel([&] { std::atomic_ref<int>(x).store(1, kRelaxed); }, [&] { x = 2; });
}
TEST(Races, AtomicAgainstPlainIsFound) {
  expect_found(FailureKind::kDataRace, atomic_against_plain);
}

int global_counter;
TEST(Races, GlobalsAreWatched) {
  expect_found(FailureKind::kDataRace,
               [] { parallel([] { global_counter++; }, [] { global_counter++; }); });
}

// --- Locks and waiting
// --------------------------------------------------------------------------------

void mutual_exclusion() {
  std::mutex m;
  int n = 0;
  auto add = [&] {
    std::lock_guard<std::mutex> lock(m);
    n++;
  };
  parallel(add, add, add);
  if (n != 3) sched::fail("T", "lost update");
}
TEST(Locks, MutexOrders) {
  expect_clean(mutual_exclusion);
}

void two_locks(bool same_order) {
  std::mutex a, b;
  auto first = [&] {
    std::lock_guard<std::mutex> x(a);
    std::lock_guard<std::mutex> y(b);
  };
  auto second = [&] {
    std::lock_guard<std::mutex> x(b);
    std::lock_guard<std::mutex> y(a);
  };
  if (same_order)
    parallel(first, first);
  else
    parallel(first, second);
}
TEST(Locks, SameOrderIsClean) {
  expect_clean([] { two_locks(true); });
}
TEST(Locks, OppositeOrderDeadlocks) {
  expect_found(FailureKind::kDeadlock, [] { two_locks(false); });
}

TEST(Locks, RelockIsFound) {
  expect_found(FailureKind::kLockMisuse, [] {
    std::mutex m;
    m.lock();
    m.lock();
  });
}
TEST(Locks, RecursiveRelockIsClean) {
  expect_clean([] {
    std::recursive_mutex m;
    int n = 0;
    auto add = [&] {
      m.lock();
      m.lock();
      n++;
      m.unlock();
      m.unlock();
    };
    parallel(add, add);
  });
}
TEST(Locks, UnlockByAnotherIsFound) {
  expect_found(FailureKind::kLockMisuse, [] {
    std::mutex m;
    m.lock();
    parallel([&] { m.unlock(); });
  });
}
TEST(Locks, TryLock) {
  expect_clean([] {
    std::mutex m;
    int n = 0;
    auto add = [&] {
      if (m.try_lock()) {
        n++;
        m.unlock();
      }
    };
    parallel(add, add);
  });
}

void condition(bool under_lock) {
  std::mutex m;
  std::condition_variable cv;
  std::atomic<bool> ready{false};
  parallel(
      [&] {
        if (under_lock) {
          std::lock_guard<std::mutex> lock(m);
          ready = true;
        } else
          ready = true;
        cv.notify_one();
      },
      [&] {
        std::unique_lock<std::mutex> lock(m);
        while (!ready) cv.wait(lock);
      });
}
TEST(Waiting, ConditionUnderLockIsClean) {
  expect_clean([] { condition(true); });
}
TEST(Waiting, NotifyOutsideLockLosesWakeup) {
  expect_found(FailureKind::kLostWakeup, [] { condition(false); });
}

void atomic_wait(bool notify) {
  std::atomic<int> x{0};
  int data = 0;
  std::atomic<int> busy{0};
  parallel(
      [&] {
        for (int i = 0; i < 40; ++i) busy.fetch_add(1);  // libstdc++ spins before it waits
        data = 5;
        x.store(1, kRelease);
        if (notify) x.notify_one();
      },
      [&] {
        x.wait(0, kAcquire);
        if (data != 5) sched::fail("T", "too early");
      });
}
TEST(Waiting, AtomicWaitNotify) {
  expect_clean([] { atomic_wait(true); });
}
TEST(Waiting, MissingNotifyIsLostWakeup) {
  expect_found(FailureKind::kLostWakeup, [] { atomic_wait(false); });
}

TEST(Waiting, NotifyOneMayWakeEither) {
  static bool first[3];
  expect_clean([] {
    std::mutex m;
    std::condition_variable cv;
    int waiting = 0, tokens = 0, winner = 0;
    auto waiter = [&](int id) {
      std::unique_lock<std::mutex> lock(m);
      ++waiting;
      cv.wait(lock, [&] { return tokens > 0; });
      --tokens;
      if (winner == 0) winner = id;
    };
    parallel([&] { waiter(1); }, [&] { waiter(2); },
             [&] {
               for (int given = 0; given < 2;) {
                 std::unique_lock<std::mutex> lock(m);
                 if (waiting <= given) {
                   lock.unlock();
                   std::this_thread::yield();
                   continue;
                 }
                 ++tokens;
                 ++given;
                 cv.notify_one();
               }
             });
    first[winner] = true;
  });
  EXPECT_TRUE(first[1] && first[2]);
}

void call_once_twice() {
  std::once_flag flag;
  int runs = 0;
  auto f = [&] {
    std::call_once(flag, [&] {
      std::this_thread::yield();
      runs++;
    });
    if (runs != 1) sched::fail("T", "once");
  };
  parallel(f, f);
}
TEST(Waiting, CallOnce) {
  expect_clean(call_once_twice);
}

TEST(Waiting, SleepEndsAndTimesOut) {
  expect_clean([] {
    std::mutex m;
    std::condition_variable cv;
    auto begin = std::chrono::steady_clock::now();
    std::thread t([] { std::this_thread::sleep_for(std::chrono::hours(1)); });
    {
      std::unique_lock<std::mutex> lock(m);
      if (cv.wait_for(lock, std::chrono::seconds(5)) != std::cv_status::timeout)
        sched::fail("T", "no timeout");
    }
    t.join();
    if (std::chrono::steady_clock::now() - begin < std::chrono::hours(1))
      sched::fail("T", "too early");
  });
}

// --- Memory
// ---------------------------------------------------------------------------------------------

void use_after_free(bool ordered) {
  std::mutex m;
  auto* p = new int(1);
  bool gone = false;
  parallel(
      [&] {
        std::lock_guard<std::mutex> l(m);
        delete p;
        gone = true;
      },
      [&] {
        std::lock_guard<std::mutex> l(m);
        if (!ordered || !gone) *const_cast<volatile int*>(p) = 2;
      });
}
TEST(Memory, UseAfterFreeUnderLockIsFound) {
  expect_found(FailureKind::kUseAfterFree, [] { use_after_free(false); });
}
TEST(Memory, GuardedUseIsClean) {
  expect_clean([] { use_after_free(true); });
}
TEST(Memory, AtomicUseAfterFreeIsFound) {
  expect_found(FailureKind::kUseAfterFree, [] {
    auto* p = opaque(new std::atomic<int>(1));
    std::atomic<bool> freed{false};
    parallel(
        [&] {
          delete p;
          freed = true;
        },
        [&] {
          if (freed) p->fetch_add(1);
        });
  });
}
TEST(Memory, UnorderedFreeIsARace) {
  expect_found(FailureKind::kDataRace, [] {
    auto* p = opaque(new int(1));
    std::atomic<int> done{0};
    parallel(
        [&] {
          *p = 2;
          done.store(1, kRelaxed);
        },
        [&] {
          while (done.load(kRelaxed) == 0) std::this_thread::yield();
          delete p;
        });
  });
}
TEST(Memory, DoubleFreeIsFound) {
  expect_found(FailureKind::kBadFree, [] {
    std::mutex m;
    void* p = malloc(8);
    auto f = [&] {
      std::lock_guard<std::mutex> l(m);
      free(p);
    };
    parallel(f, f);
  });
}
TEST(Memory, ForeignFreeIsFound) {
  expect_found(FailureKind::kBadFree,
               [] { free(opaque(opaque(static_cast<char*>(malloc(64))) + 16)); });
}
TEST(Memory, OutOfBoundsIsFound) {
  expect_found(FailureKind::kOutOfBounds, [] {
    auto* p = static_cast<volatile char*>(malloc(13));
    std::atomic<int> i{13};
    p[i.load()] = 1;
  });
}
TEST(Memory, LastByteIsClean) {
  expect_clean([] {
    auto* p = static_cast<volatile char*>(malloc(13));
    std::atomic<int> i{12};
    p[i.load()] = 1;
    free(const_cast<char*>(p));
  });
}
TEST(Memory, LeakIsFound) {
  expect_found(FailureKind::kLeak, [] { opaque(new int(1)); });
}
TEST(Memory, LeaksMayBeIgnored) {
  Options o = seeded(1);
  o.leaks = false;
  expect_clean([] { opaque(new int(1)); }, o);
}
TEST(Memory, AllocationFails) {
  for (uint32_t n = 1; n <= 3; ++n) {
    Options o = seeded(1);
    o.fail_allocation = n;
    static int failed;
    failed = 0;
    Result r = sched::run(
        [](void*) {
          for (int i = 0; i < 3; ++i) {
            std::unique_ptr<char[]> p(new (std::nothrow) char[8]);
            if (opaque(p.get()) == nullptr) failed = i + 1;
          }
        },
        nullptr, o);
    EXPECT_EQ(Verdict::kClean, r.verdict) << r.failure.message;
    EXPECT_EQ(static_cast<int>(n), failed);
  }
}
TEST(Memory, ReallocKeepsContents) {
  expect_clean([] {
    auto* p = static_cast<char*>(malloc(4));
    memcpy(p, "abc", 4);
    p = static_cast<char*>(realloc(p, 100));
    if (strcmp(p, "abc") != 0) sched::fail("T", "realloc");
    free(p);
  });
}

// --- Crashes, budgets, limits
// -----------------------------------------------------------------------------

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
  std::atomic_flag held = ATOMIC_FLAG_INIT;
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
      Result r = sched::run(call, reinterpret_cast<void*>(body), o);
      ASSERT_NE(Verdict::kFailed, r.verdict) << r.failure.message;
      cut_off += r.verdict == Verdict::kCutOff;
      o.record_always = seed % 2 == 0;
      o.os_threads = seed % 3 == 0;
      Result again = sched::run(call, reinterpret_cast<void*>(body), o);
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
  Result again = sched::run(call, reinterpret_cast<void*>(+body), replay);
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
  Result r = search([] { (void)!system("true"); }, 1);
  EXPECT_EQ(FailureKind::kLimit, r.failure.kind);
  EXPECT_EQ(
      "system() is not controlled by the engine: test what one process does, with threads in place "
      "of processes",
      r.failure.message);
}
TEST(Limits, ManyThreadsOneAfterAnother) {
  expect_clean([] {
    int n = 0;
    for (int i = 0; i < 40; ++i) std::thread([&] { n++; }).join();
    if (n != 40) sched::fail("T", "lost");
  });
}

// --- The language's own
// ------------------------------------------------------------------------------------

struct Counted {
  static inline std::atomic<int> alive{0};
  int uses = 0;
  Counted() { alive++; }
  ~Counted() { alive--; }
};
thread_local Counted counted;
thread_local int plain_local = 7;

TEST(Language, ThreadLocalsAreEachThreadsOwn) {
#if SCHED_ASAN
  GTEST_SKIP() << "under AddressSanitizer thread_locals are not reset between executions: the "
                  "sanitizer's own per-thread state shares their segment";
#endif
  expect_clean([] {
    auto f = [] {
      if (plain_local != 7 || counted.uses != 0)
        sched::fail("T", "thread_local is shared or stale");
      plain_local = 1;
      counted.uses = 1;
      std::this_thread::yield();
      if (plain_local != 1 || counted.uses != 1) sched::fail("T", "thread_local lost");
    };
    parallel(f, f, f);
    if (Counted::alive != 0) sched::fail("T", "thread_local not destroyed");
  });
}

TEST(Language, ExceptionsUnwindAcrossSwitches) {
  expect_clean([] {
    auto f = [](int id) {
      try {
        std::this_thread::yield();
        throw std::runtime_error(std::to_string(id));
      } catch (const std::exception& e) {
        std::this_thread::yield();
        if (e.what() != std::to_string(id)) sched::fail("T", "wrong exception");
      }
    };
    parallel([&] { f(1); }, [&] { f(2); });
  });
}

TEST(Language, StaticLocalsInitialiseOnce) {
  Result r = search(
      [] {
        struct Slow {
          std::atomic<int> value{0};
          Slow() {
            std::this_thread::yield();
            value = 3;
          }
        };
        auto f = [] {
          static Slow s;
          if (s.value != 3) sched::fail("T", "seen unfinished");
        };
        parallel(f, f);
      },
      50);
  EXPECT_EQ(Verdict::kClean, r.verdict) << r.failure.message;
}

TEST(Language, DetachedThreadsEndBeforeTheExecution) {
  static int ended;
  ended = 0;
  Result r = search(
      [] {
        std::thread([] {
          std::this_thread::yield();
          ended++;
        }).detach();
      },
      20);
  EXPECT_EQ(Verdict::kClean, r.verdict);
  EXPECT_EQ(20, ended);
}

TEST(Language, SharedPointers) {
  expect_clean([] {
    auto p = std::make_shared<int>(1);
    auto f = [](std::shared_ptr<int> q) {
      auto copy = q;
      if (*copy != 1) sched::fail("T", "value");
    };
    std::thread a(f, p), b(f, p);
    p.reset();
    a.join();
    b.join();
  });
}

// --- Determinism
// -------------------------------------------------------------------------------------------

void busy() {
  std::atomic<int> x{0};
  std::mutex m;
  std::condition_variable cv;
  int n = 0;
  auto f = [&] {
    for (int i = 0; i < 4; ++i) {
      x.fetch_add(1);
      std::lock_guard<std::mutex> l(m);
      auto p = std::make_unique<int>(++n);
      cv.notify_all();
    }
  };
  auto g = [&] {
    std::unique_lock<std::mutex> l(m);
    cv.wait(l, [&] { return n >= 8; });
  };
  parallel(f, f, g);
}

TEST(Determinism, SameSeedSameHashTenThousandTimes) {
  for (uint64_t seed = 1; seed <= 3; ++seed) {
    Result first = sched::run(call, reinterpret_cast<void*>(busy), seeded(seed));
    for (int i = 0; i < 10'000; ++i) {
      if (i % 100 == 7) search(message_passing<kRelaxed, kAcquire>, 3);  // others in between
      Result r = sched::run(call, reinterpret_cast<void*>(busy), seeded(seed));
      ASSERT_EQ(first.trace_hash, r.trace_hash) << "run " << i;
      ASSERT_EQ(first.steps, r.steps);
    }
  }
}

TEST(Determinism, RecordingChangesNothing) {
  for (uint64_t seed = 1; seed <= 200; ++seed) {
    Options o = seeded(seed);
    Result fast = sched::run(call, reinterpret_cast<void*>(busy), o);
    o.record_always = true;
    Result slow = sched::run(call, reinterpret_cast<void*>(busy), o);
    ASSERT_EQ(fast.trace_hash, slow.trace_hash) << seed;
    ASSERT_EQ(fast.steps, slow.steps) << seed;
    Options given;
    given.choices = &slow.recording.choices;
    Result again = sched::run(call, reinterpret_cast<void*>(busy), given);
    ASSERT_EQ(fast.trace_hash, again.trace_hash) << seed;
  }
}

TEST(Determinism, DifferentSeedsDiffer) {
  std::set<uint64_t> hashes;
  for (uint64_t seed = 1; seed <= 500; ++seed)
    hashes.insert(sched::run(call, reinterpret_cast<void*>(busy), seeded(seed)).trace_hash);
  EXPECT_GT(hashes.size(), 450u);
}

TEST(Determinism, BytesComeFirstThenTheSeed) {
  std::vector<uint8_t> bytes;
  std::set<uint64_t> hashes;
  for (int i = 0; i < 60; ++i) {
    bytes.push_back(static_cast<uint8_t>(i * 37 % 11));
    Options o = seeded(9);
    o.bytes = bytes;
    Result a = sched::run(call, reinterpret_cast<void*>(busy), o);
    Result b = sched::run(call, reinterpret_cast<void*>(busy), o);
    ASSERT_EQ(a.trace_hash, b.trace_hash);
    hashes.insert(a.trace_hash);
  }
  EXPECT_GT(hashes.size(), 10u);
}

// The same in a fork child, and in a fresh process.
TEST(Determinism, AcrossProcesses) {
  uint64_t mine = sched::run(call, reinterpret_cast<void*>(busy), seeded(5)).trace_hash;
  int fds[2];
  ASSERT_EQ(0, pipe(fds));
  pid_t child = fork();
  if (child == 0) {
    uint64_t h = sched::run(call, reinterpret_cast<void*>(busy), seeded(5)).trace_hash;
    ssize_t n = write(fds[1], &h, sizeof h);
    _exit(n == sizeof h ? 0 : 1);
  }
  uint64_t theirs = 0;
  ASSERT_EQ(static_cast<ssize_t>(sizeof theirs), read(fds[0], &theirs, sizeof theirs));
  int status = 0;
  waitpid(child, &status, 0);
  EXPECT_EQ(0, status);
  EXPECT_EQ(mine, theirs);
  close(fds[0]);
  close(fds[1]);

  std::string seen;
  for (int i = 0; i < 3; ++i) {
    FILE* p = popen("exec /proc/$PPID/exe --hash-of-busy", "r");
    ASSERT_NE(nullptr, p);
    char line[64] = {};
    ASSERT_NE(nullptr, fgets(line, sizeof line, p));
    EXPECT_EQ(0, pclose(p));
    EXPECT_EQ(std::to_string(mine) + "\n", line);
  }
}

TEST(Strategy, EveryOutcomeOfStoreBufferingUnderSequentialConsistency) {
  static int outcomes[2][2];
  Options o = seeded(1);
  o.weak_memory = false;
  for (o.seed = 1; o.seed <= 500; ++o.seed)
    sched::run(
        [](void*) {
          std::atomic<int> x{0}, y{0};
          int a = 0, b = 0;
          opaque(&x);
          opaque(&y);
          parallel(
              [&] {
                x.store(1, kRelaxed);
                a = y.load(kRelaxed);
              },
              [&] {
                y.store(1, kRelaxed);
                b = x.load(kRelaxed);
              });
          outcomes[a][b]++;
        },
        nullptr, o);
  EXPECT_EQ(0, outcomes[0][0]);
  EXPECT_TRUE(outcomes[0][1] && outcomes[1][0] && outcomes[1][1]);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc == 2 && strcmp(argv[1], "--hash-of-busy") == 0) {
    printf("%lu\n", sched::run(call, reinterpret_cast<void*>(busy), seeded(5)).trace_hash);
    return 0;
  }
  testing::InitGoogleTest(&argc, argv);
  return RUN_ALL_TESTS();
}
