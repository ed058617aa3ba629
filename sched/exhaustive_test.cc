// SPDX-License-Identifier: Apache-2.0
// The exhaustive search against numbers that are known.
#include "sched/exhaustive.h"

#include <pthread.h>
#include <sched.h>

#include <mutex>

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

}  // namespace
}  // namespace exhaustive_test
