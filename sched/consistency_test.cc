// SPDX-License-Identifier: Apache-2.0
// Executions of small programs, told apart by what memory they need. This file is code under test.
#include "sched/consistency.h"

#include <atomic>
#include <map>
#include <set>

#include "sched/engine_test.h"

namespace {

using namespace engine_test;
using sched::MemoryNeeded;

int outcome;
std::atomic<int> x, y;

void begin() {
  x.store(0, kRelaxed);
  y.store(0, kRelaxed);
}
template <memory_order kStore, memory_order kLoad>
void store_buffering() {
  begin();
  int a = 0, b = 0;
  parallel([&] { x.store(1, kStore), a = y.load(kLoad); },
           [&] { y.store(1, kStore), b = x.load(kLoad); });
  outcome = 10 * a + b;
}
void message_passing() {
  begin();
  int a = 0, b = 0;
  parallel([&] { x.store(1, kRelaxed), y.store(1, kRelaxed); },
           [&] { a = y.load(kRelaxed), b = x.load(kRelaxed); });
  outcome = 10 * a + b;
}
void two_writes_each() {
  begin();
  parallel([&] { x.store(1, kRelaxed), y.store(2, kRelaxed); },
           [&] { y.store(1, kRelaxed), x.store(2, kRelaxed); });
  outcome = 10 * x.load(kRelaxed) + y.load(kRelaxed);
}
// A thread reads its own store before others can: still x86 (n6 of Owens, Sarkar and Sewell, TPHOLs 2009).
void own_store_first() {
  begin();
  int a = 0, b = 0;
  parallel([&] { x.store(1, kRelaxed), a = x.load(kRelaxed), b = y.load(kRelaxed); },
           [&] { y.store(2, kRelaxed), x.store(2, kRelaxed); });
  outcome = 100 * a + 10 * b + x.load(kRelaxed);
}
void independent_reads() {
  begin();
  int a = 0, b = 0, c = 0, d = 0;
  parallel([&] { x.store(1, kRelaxed); }, [&] { y.store(1, kRelaxed); },
           [&] { a = x.load(kRelaxed), b = y.load(kRelaxed); },
           [&] { c = y.load(kRelaxed), d = x.load(kRelaxed); });
  outcome = 1000 * a + 100 * b + 10 * c + d;
}
void exchanges() {
  begin();
  int a = 0, b = 0;
  parallel(
      [&] {
        asm volatile("" : : "r"(x.exchange(1, kRelaxed)));
        a = y.load(kRelaxed);
      },
      [&] {
        asm volatile("" : : "r"(y.exchange(1, kRelaxed)));
        b = x.load(kRelaxed);
      });
  outcome = 10 * a + b;
}

// What the executions with each outcome need at least.
std::map<int, MemoryNeeded> needs(Body body, bool weak = true) {
  std::map<int, MemoryNeeded> least;
  for (uint64_t seed = 1; seed <= 3000; ++seed) {
    Options options = seeded(seed);
    options.record_always = true;
    options.weak_memory = weak;
    const Result r = run(body, options);
    EXPECT_EQ(r.verdict, Verdict::kClean) << r.failure.message;
    const MemoryNeeded needed = sched::memory_needed(r.recording);
    const auto [entry, is_new] = least.try_emplace(outcome, needed);
    if (!is_new) entry->second = std::min(entry->second, needed);
  }
  return least;
}

TEST(Consistency, StoreBuffersAreOfX86) {
  const auto least = needs(store_buffering<kRelaxed, kRelaxed>);
  EXPECT_EQ(least, (std::map<int, MemoryNeeded>{{0, MemoryNeeded::kX86},
                                                {1, MemoryNeeded::kSequential},
                                                {10, MemoryNeeded::kSequential},
                                                {11, MemoryNeeded::kSequential}}));
}
// A seq_cst store is an exchange there: with one of the two, the engine still has the outcome where the
// loads are relaxed, and x86 has not.
TEST(Consistency, SeqCstStoresLeaveNoBuffer) {
  const auto least = needs(store_buffering<kSeqCst, kRelaxed>);
  EXPECT_EQ(least.at(0), MemoryNeeded::kWeaker);
  EXPECT_FALSE(needs(store_buffering<kSeqCst, kSeqCst>).contains(0));
}
TEST(Consistency, ReadModifyWritesLeaveNoBuffer) {
  EXPECT_EQ(needs(exchanges).at(0), MemoryNeeded::kWeaker);
}
TEST(Consistency, MessagesOutOfOrderAreOfWeakerMachines) {
  const auto least = needs(message_passing);
  EXPECT_EQ(least.at(10), MemoryNeeded::kWeaker);
  EXPECT_EQ(least.at(11), MemoryNeeded::kSequential);
}
TEST(Consistency, StoresOutOfOrderAreOfWeakerMachines) {
  EXPECT_EQ(needs(two_writes_each).at(11), MemoryNeeded::kWeaker);
}
TEST(Consistency, ReadersThatDisagreeAreOfWeakerMachines) {
  const auto least = needs(independent_reads);
  EXPECT_EQ(least.at(1010), MemoryNeeded::kWeaker);
}
TEST(Consistency, AThreadMaySeeItsOwnStoreFirst) {
  // a = 1, b = 0, and x ends as 1: its store comes after the other's, and yet it saw no y.
  EXPECT_EQ(needs(own_store_first).at(101), MemoryNeeded::kX86);
}
TEST(Consistency, InterleavingsNeedNothing) {
  for (Body body : {store_buffering<kRelaxed, kRelaxed>, message_passing, two_writes_each,
                    own_store_first, independent_reads, exchanges})
    for (const auto& [value, needed] : needs(body, false))
      EXPECT_EQ(needed, MemoryNeeded::kSequential) << value;
}

}  // namespace
