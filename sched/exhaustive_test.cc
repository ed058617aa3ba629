// SPDX-License-Identifier: Apache-2.0
// The exhaustive search against numbers that are known.
#include "sched/exhaustive.h"

#include <pthread.h>
#include <sched.h>
#include <time.h>

#include <mutex>
#include <new>

#include "sched/exhaustive_testing.h"

namespace exhaustive_test {
namespace {

void expect_distinct(uint64_t distinct, long (*program)(), const ExhaustiveOptions& options = {}) {
  const Found found = explore(program, options);
  expect_complete(found.result);
  EXPECT_EQ(distinct, found.result.distinct);
}

// --- Counts by reads-from and modification order -----------------------------------------------------------

template <unsigned kThreads>
long stores_of_one_object() {
  atomic<int> x{0};
  std::thread threads[kThreads];
  for (unsigned i = 0; i < kThreads; ++i)
    threads[i] = std::thread([&x, i] { x.store(static_cast<int>(i), kRlx); });
  for (auto& t : threads) t.join();
  return 0;
}
TEST(Exhaustive, StoresOfOneObjectComeInEachOrder) {
  expect_distinct(1, stores_of_one_object<1>);
  expect_distinct(2, stores_of_one_object<2>);
  expect_distinct(6, stores_of_one_object<3>);
  expect_distinct(24, stores_of_one_object<4>);
  expect_distinct(120, stores_of_one_object<5>);
  expect_distinct(120, stores_of_one_object<5>, with_memory(false));
}

template <memory_order kStore, memory_order kLoad>
long sb() {
  atomic<int> x{0}, y{0};
  int a = 0, b = 0;
  parallel([&] { x.store(1, kStore), a = y.load(kLoad); },
           [&] { y.store(1, kStore), b = x.load(kLoad); });
  return a * 10 + b;
}
TEST(Exhaustive, StoreBuffering) {
  expect_distinct(3, sb<kRlx, kRlx>, with_memory(false));
  expect_distinct(4, sb<kRlx, kRlx>);
  expect_distinct(3, sb<kSc, kSc>);
}

long independent() {
  atomic<int> x[4] = {};
  parallel([&] { x[0].store(1), x[0].load(); }, [&] { x[1].store(1), x[1].fetch_add(1); },
           [&] { x[2].store(1), x[2].load(); }, [&] { x[3].fetch_add(1); });
  return 0;
}
TEST(Exhaustive, WhatIsIndependentIsRunOnce) {
  const Found found = explore(independent);
  expect_complete(found.result);
  EXPECT_EQ(1u, found.result.distinct);
  EXPECT_EQ(1u, found.result.executions);
}

// One thread's two loads around another's two stores, and so on: each count is small enough for paper.
long readers_of_one_store() {
  atomic<int> x{0};
  parallel([&] { x.store(1, kRlx); }, [&] { x.load(kRlx); }, [&] { x.load(kRlx); },
           [&] { x.load(kRlx); });
  return 0;
}
TEST(Exhaustive, EachReaderSeesItOrNot) {
  expect_distinct(8, readers_of_one_store);
  expect_distinct(8, readers_of_one_store, with_memory(false));
}

// The last thread to be made, so that no thread's own memory is what fails.
long fails_for() {
  int failed = 0;
  parallel(
      [&] {
        char* volatile p = new (std::nothrow) char;  // else the compiler leaves it out
        failed = p == nullptr;
        delete p;
      },
      [] { sched::fail_allocation(1); });
  return failed;
}
TEST(Exhaustive, AllocationsThatFailComeInEachOrder) {
  ExhaustiveOptions options;
  EXPECT_EQ(1u, explore(fails_for, options).outcomes.size());
  options.run.fails_allocations = true;
  EXPECT_EQ((std::set<long>{0, 1}), explore(fails_for, options).outcomes);
}

long increments() {
  atomic<int> x{0};
  parallel([&] { x.fetch_add(1, kRlx); }, [&] { x.fetch_add(1, kRlx); },
           [&] { x.fetch_add(1, kRlx); });
  return x.load();
}
TEST(Exhaustive, IncrementsComeInEachOrder) {
  expect_distinct(6, increments);
  EXPECT_EQ(std::set<long>{3}, explore(increments).outcomes);
}

// 2 + 2W: two threads store to two objects in opposite order; each object has two orders.
template <memory_order kStore>
long two_plus_two_writes() {
  atomic<int> x{0}, y{0};
  parallel([&] { x.store(1, kStore), y.store(2, kStore); },
           [&] { y.store(1, kStore), x.store(2, kStore); });
  return x.load() * 10 + y.load();
}
TEST(Exhaustive, TwoPlusTwoWrites) {
  expect_distinct(4, two_plus_two_writes<kRlx>);
  expect_distinct(4, two_plus_two_writes<kRel>);
  expect_distinct(3, two_plus_two_writes<kSc>);
  expect_distinct(3, two_plus_two_writes<kRlx>, with_memory(false));
  EXPECT_EQ((std::set<long>{11, 12, 21, 22}), explore(two_plus_two_writes<kRlx>).outcomes);
  EXPECT_EQ((std::set<long>{12, 21, 22}), explore(two_plus_two_writes<kSc>).outcomes);
}

template <unsigned kThreads>
long one_lock() {
  std::mutex m;
  int n = 0;
  std::thread threads[kThreads];
  for (auto& t : threads)
    t = std::thread([&] {
      std::lock_guard lock(m);
      ++n;
    });
  for (auto& t : threads) t.join();
  return n;
}
TEST(Exhaustive, OneLockIsTakenInEachOrder) {
  expect_distinct(2, one_lock<2>);
  expect_distinct(6, one_lock<3>);
  expect_distinct(24, one_lock<4>);
  EXPECT_EQ(24u, explore(one_lock<4>).result.executions);
}

// --- Counts that were published for the same programs: Abdulla et al., POPL 2014, table 2 (traces under
// sequential consistency, which for these are executions by reads-from and modification order) ---------------

// Thread 0 looks for the last zero; thread i copies and adds one.
template <unsigned kWriters>
long lastzero() {
  atomic<int> cells[kWriters + 1] = {};
  std::thread threads[kWriters + 1];
  threads[0] = std::thread([&] {
    unsigned i = kWriters;
    while (cells[i].load() != 0) --i;
  });
  for (unsigned i = 1; i <= kWriters; ++i)
    threads[i] = std::thread([&cells, i] { cells[i].store(cells[i - 1].load() + 1); });
  for (auto& t : threads) t.join();
  return 0;
}
TEST(Exhaustive, CountsOfLastZero) {
  expect_distinct(64, lastzero<5>, with_memory(false));
  expect_distinct(3328, lastzero<10>, with_memory(false));
}

// Each thread puts four numbers into one table of 128; up to 11 threads never meet.
template <unsigned kThreads>
long indexer() {
  atomic<int> table[128] = {};
  std::thread threads[kThreads];
  for (unsigned id = 0; id < kThreads; ++id)
    threads[id] = std::thread([&table, id] {
      for (unsigned m = 1; m <= 4; ++m) {
        const int word = static_cast<int>(m * 11 + id);
        int free = 0;
        for (unsigned h = static_cast<unsigned>(word) * 7 % 128;
             !table[h].compare_exchange_strong(free, word); h = (h + 1) % 128)
          free = 0;
      }
    });
  for (auto& t : threads) t.join();
  return 0;
}
TEST(Exhaustive, CountsOfIndexer) {
  expect_distinct(1, indexer<11>, with_memory(false));
  expect_distinct(8, indexer<12>, with_memory(false));
  expect_distinct(64, indexer<13>, with_memory(false));
}

// --- Waiting ---------------------------------------------------------------------------------------------------

template <bool kYields>
long awaits_flag() {
  atomic<int> flag{0};
  int data = 0;
  parallel(
      [&] {
        data = 7;
        flag.store(1, kRel);
      },
      [&] {
        while (flag.load(kAcq) == 0)
          if (kYields) sched_yield();
        data *= 6;
      });
  return data;
}
TEST(Exhaustive, WhoPollsOrYieldsWaitsForAnother) {
  for (auto* program : {awaits_flag<true>, awaits_flag<false>}) {
    const Found found = explore(program);
    expect_complete(found.result);
    EXPECT_EQ(std::set<long>{42}, found.outcomes);
  }
}

long condition() {
  pthread_mutex_t m = PTHREAD_MUTEX_INITIALIZER;
  pthread_cond_t c = PTHREAD_COND_INITIALIZER;
  int ready = 0, seen = 0;
  auto wait = [&](int value) {
    pthread_mutex_lock(&m);
    while (ready == 0) pthread_cond_wait(&c, &m);
    seen = seen * 10 + value;
    pthread_mutex_unlock(&m);
  };
  parallel([&] { wait(1); }, [&] { wait(2); },
           [&] {
             pthread_mutex_lock(&m);
             ready = 1;
             pthread_cond_broadcast(&c);
             pthread_mutex_unlock(&m);
           });
  return seen;
}
TEST(Exhaustive, WaitersGoOnInEachOrder) {
  const Found found = explore(condition);
  expect_complete(found.result);
  EXPECT_EQ((std::set<long>{12, 21}), found.outcomes);
}

// Deadlines come early only within their bound.
long waits_with_deadline() {
  pthread_mutex_t m = PTHREAD_MUTEX_INITIALIZER;
  pthread_cond_t c = PTHREAD_COND_INITIALIZER;
  int rc = 0;
  bool ready = false;
  parallel(
      [&] {
        pthread_mutex_lock(&m);
        timespec now;
        clock_gettime(CLOCK_REALTIME, &now);
        now.tv_sec += 1;
        while (!ready && rc == 0) rc = pthread_cond_timedwait(&c, &m, &now);
        pthread_mutex_unlock(&m);
      },
      [&] {
        pthread_mutex_lock(&m);
        ready = true;
        pthread_cond_signal(&c);
        pthread_mutex_unlock(&m);
      });
  return rc == 0 ? 0 : 1;
}
TEST(Exhaustive, DeadlinesComeWithinTheirBound) {
  Found found = explore(waits_with_deadline);
  expect_complete(found.result);
  EXPECT_TRUE(found.result.met.timeouts);
  EXPECT_EQ(std::set<long>{0}, found.outcomes);
  ExhaustiveOptions o;
  o.bounds.timeouts = 1;
  found = explore(waits_with_deadline, o);
  expect_complete(found.result);
  EXPECT_EQ((std::set<long>{0, 1}), found.outcomes);
}

extern "C" int __tsan_atomic32_compare_exchange_weak(volatile int*, int*, int, int, int);
// clang makes a strong one of it, so this is what it could have called.
long weak_compare_exchange() {
  int x = 0, expected = 0;
  return __tsan_atomic32_compare_exchange_weak(&x, &expected, 1, __ATOMIC_RELAXED,
                                               __ATOMIC_RELAXED);
}
TEST(Exhaustive, WeakCompareExchangesFailWithinTheirBound) {
  EXPECT_EQ(std::set<long>{1}, explore(weak_compare_exchange).outcomes);
  ExhaustiveOptions o;
  o.bounds.spurious = 1;
  EXPECT_EQ((std::set<long>{0, 1}), explore(weak_compare_exchange, o).outcomes);
}

// Who allocates first makes no difference.
long allocates() {
  atomic<int> x{0};
  auto make = [&] {
    auto* p = new atomic<int>(0);
    p->store(1);
    delete p;
  };
  parallel(make, make, make);
  return x.load();
}
TEST(Exhaustive, AllocationsAreIndependent) {
  const Found found = explore(allocates);
  expect_complete(found.result);
  EXPECT_EQ(1u, found.result.distinct);
  EXPECT_EQ(1u, found.result.executions);
}

// --- Failures, and giving up -------------------------------------------------------------------------------------

long philosophers() {
  std::mutex a, b;
  parallel(
      [&] {
        std::lock_guard one(a);
        std::lock_guard two(b);
      },
      [&] {
        std::lock_guard one(b);
        std::lock_guard two(a);
      });
  return 0;
}
TEST(Exhaustive, AFailureIsFoundAndReplaysByItsChoices) {
  const Found found = explore(philosophers);
  EXPECT_FALSE(found.result.complete);
  EXPECT_EQ("a failure", found.result.gave_up);
  const sched::Result& failed = found.result.failure;
  ASSERT_EQ(sched::FailureKind::kDeadlock, failed.failure.kind);
  sched::Options o;
  o.seed = 0;
  o.choices = &failed.recording.choices;
  const sched::Result again = sched::run(call, reinterpret_cast<void*>(philosophers), o);
  EXPECT_EQ(sched::FailureKind::kDeadlock, again.failure.kind);
  EXPECT_EQ(failed.trace_hash, again.trace_hash);
}
// It takes a preemption; without, all is right, and the bound says that it left something out.
TEST(Exhaustive, ABoundHidesAFailureAndIsTold) {
  ExhaustiveOptions o;
  o.bounds.preemptions = 0;
  const Found found = explore(philosophers, o);
  expect_complete(found.result);
  EXPECT_TRUE(found.result.met.preemptions);
}

TEST(Exhaustive, WhatIsCutOffSaysSo) {
  ExhaustiveOptions o;
  o.bounds.executions = 7;
  EXPECT_EQ("executions", explore(stores_of_one_object<4>, o).result.gave_up);
  o = {};
  o.bounds.steps = 5;
  EXPECT_EQ("steps", explore(stores_of_one_object<4>, o).result.gave_up);
  o = {};
  o.stop = [](void*) { return true; };
  EXPECT_EQ("stopped", explore(stores_of_one_object<4>, o).result.gave_up);
}

TEST(Exhaustive, IsTheSameEachTime) {
  const Found one = explore(two_plus_two_writes<kRlx>);
  explore(condition);
  const Found two = explore(two_plus_two_writes<kRlx>);
  EXPECT_EQ(one.result.executions, two.result.executions);
  EXPECT_EQ(one.result.points, two.result.points);
  EXPECT_EQ(one.result.distinct, two.result.distinct);
}

}  // namespace
}  // namespace exhaustive_test
