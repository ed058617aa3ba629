// SPDX-License-Identifier: Apache-2.0
// What code under test does to memory, beyond the plain and the atomic access: copies of ranges, memory
// that is used again, weak compare-exchanges, atomic objects of 16 bytes.
#include <gtest/gtest.h>

#include <atomic>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <string>
#include <thread>

#include "sched/sched.h"

namespace {

using sched::FailureKind;
using sched::Options;
using sched::Result;
using sched::Verdict;
using Body = void (*)();
constexpr auto kRelaxed = std::memory_order_relaxed;
constexpr auto kAcquire = std::memory_order_acquire;
constexpr auto kRelease = std::memory_order_release;

using sched::run;
// The first failure within `runs` seeds, or the last clean one.
Result search(Body body, uint64_t runs, Options options = {}) {
  options.mean_interval = 4;
  options.explain = true;
  for (options.seed = 1;; ++options.seed) {
    Result result = run(body, options);
    if (result.verdict == Verdict::kFailed || options.seed == runs) return result;
  }
}
void expect_replays(Body body, const Result& failed) {
  for (const bool os_threads : {false, true}) {
    Options options;
    options.choices = &failed.recording.choices;
    options.os_threads = os_threads;
    const Result again = run(body, options);
    EXPECT_EQ(again.failure.kind, failed.failure.kind);
    EXPECT_EQ(again.trace_hash, failed.trace_hash);
  }
}

template <class... F>
void parallel(F... f) {
  std::thread threads[] = {std::thread(f)...};
  for (auto& t : threads) t.join();
}

// --- Ranges
// -----------------------------------------------------------------------------------------

struct Big {
  char bytes[300] = {};
};
void copies_race() {
  Big from, to;
  parallel([&] { to = from; }, [&] { from.bytes[299] = 1; });
}
void fills_race() {
  Big one;
  volatile size_t n = sizeof one;
  parallel([&] { memset(&one, 1, n); }, [&] { one.bytes[150] = 2; });
}
void moves_race() {
  Big one;
  volatile size_t n = 200;
  parallel([&] { memmove(one.bytes + 10, one.bytes, n); },
           [&] {
             (void)!one.bytes[205];
             one.bytes[209] = 1;
           });
}
// Keeps the compiler from seeing what it could leave out.
void* volatile kept;
void* opaque(void* p) {
  asm volatile("" : "+r"(p)::"memory");
  return p;
}
void copies_what_was_freed() {
  kept = malloc(300);
  char to[300];
  volatile size_t n = sizeof to;
  free(kept);
  memcpy(to, kept, n);
  if (to[n - 200] == 77) abort();
}
void copies_beyond() {
  kept = malloc(300);
  char to[400];
  volatile size_t n = 301;
  memcpy(to, kept, n);
  free(kept);
  if (to[n - 200] == 77) abort();
}
void copies_in_order() {
  Big from, to;
  std::atomic<bool> ready = false;
  parallel(
      [&] {
        to = from;
        ready.store(true, kRelease);
      },
      [&] {
        if (ready.load(kAcquire)) from = to;
      });
}
TEST(Ranges, AreChecked) {
  EXPECT_EQ(search(copies_race, 100).failure.kind, FailureKind::kDataRace);
  EXPECT_EQ(search(fills_race, 100).failure.kind, FailureKind::kDataRace);
  EXPECT_EQ(search(moves_race, 100).failure.kind, FailureKind::kDataRace);
  EXPECT_EQ(search(copies_what_was_freed, 1).failure.kind, FailureKind::kUseAfterFree);
  EXPECT_EQ(search(copies_beyond, 1).failure.kind, FailureKind::kOutOfBounds);
  EXPECT_EQ(search(copies_in_order, 200).verdict, Verdict::kClean);
}

// --- Reuse
// ------------------------------------------------------------------------------------------

struct Node {
  Node* next = nullptr;
};
struct Stack {
  std::atomic<Node*> top = nullptr;
  void push(Node* node) {
    node->next = top.load(kRelaxed);
    while (!top.compare_exchange_weak(node->next, node, kRelease, kRelaxed)) {
    }
  }
};

TEST(Reuse, SameSizeIsGivenAgain) {
  auto body = [] {
    kept = malloc(300);
    void* const first = kept;
    free(kept);
    kept = malloc(300);
    if (kept == first) sched::fail("T", "the same address");
    free(kept);
  };
  const Result found = search(body, 100);
  EXPECT_EQ(found.failure.message, "the same address");
  expect_replays(body, found);
  Options fresh;
  fresh.reuse = false;
  EXPECT_EQ(search(body, 1000, fresh).verdict, Verdict::kClean);
}

// A stack whose nodes are allocated: pop compares addresses only.
void stack_with_aba() {
  Stack stack;
  stack.push(new Node);
  stack.push(new Node);
  auto pop = [&]() -> Node* {
    Node* seen = stack.top.load(kAcquire);
    if (seen == nullptr) return nullptr;
    Node* next = seen->next;
    return stack.top.compare_exchange_strong(seen, next, kAcquire, kRelaxed) ? seen : nullptr;
  };
  parallel([&] { delete pop(); },
           [&] {
             Node *one = pop(), *two = pop();
             delete one;
             delete two;
             stack.push(new Node);
           });
  while (Node* node = pop()) delete node;
}
TEST(Reuse, FindsMoreThanUseAfterFree) {
  // Either the popper reads a freed node, or it puts one on top.
  const Result found = search(stack_with_aba, 5000);
  EXPECT_EQ(found.verdict, Verdict::kFailed);
  expect_replays(stack_with_aba, found);
}

// Nothing that the block's life before knew can make its new life fail.
void reuses_in_order() {
  std::atomic<int> turn = 0;
  auto life = [&](int mine) {
    while (turn.load(kRelaxed) != mine) std::this_thread::yield();
    auto* big = new Big;
    auto* count = new std::atomic<int>(mine);
    memset(big->bytes, mine, sizeof big->bytes);
    if (count->load(kRelaxed) != mine || big->bytes[7] != mine)
      sched::fail("T", "a value of another life");
    delete big;
    delete count;
    turn.store(mine + 1, kRelaxed);  // orders nothing
  };
  parallel([&] { life(0); }, [&] { life(1); }, [&] { life(2); });
}
TEST(Reuse, IsANewLife) {
  EXPECT_EQ(search(reuses_in_order, 2000).failure.message, "");
}
// ... and who comes from the life before is caught.
void keeps_a_pointer() {
  std::atomic<Big*> shared = new Big;
  parallel([&] { shared.load(kAcquire)->bytes[0] = 1; },
           [&] {
             delete shared.load(kAcquire);
             shared.store(new Big, kRelease);
           });
  delete shared.load();
}
TEST(Reuse, StalePointersAreCaught) {
  EXPECT_EQ(search(keeps_a_pointer, 100).verdict, Verdict::kFailed);
}
// The free of a block's second life, ordered by nothing but luck: a race, and only that.
void frees_what_it_was_told() {
  free(opaque(malloc(300)));
  std::atomic<void*> told = nullptr;
  parallel([&] { told.store(opaque(malloc(300)), kRelaxed); },
           [&] {
             while (told.load(kRelaxed) == nullptr) std::this_thread::yield();
             free(told.load(kRelaxed));
           });
}
TEST(Reuse, IsNoRaceWhereRacesAreNotAsked) {
  EXPECT_EQ(search(frees_what_it_was_told, 500).failure.kind, FailureKind::kDataRace);
  Options options;
  options.races = false;
  EXPECT_EQ(search(frees_what_it_was_told, 500, options).failure.message, "");
}

// --- Weak compare-exchange
// --------------------------------------------------------------------------

// g++ keeps the weak form, clang does not: it is called by its name.
extern "C" int __tsan_atomic32_compare_exchange_weak(volatile uint32_t*, uint32_t*, uint32_t, int,
                                                     int);
void weak_exchange() {
  std::atomic<uint32_t> x = 5;
  uint32_t expected = 5;
  auto* address = reinterpret_cast<volatile uint32_t*>(&x);
  if (__tsan_atomic32_compare_exchange_weak(address, &expected, 6, __ATOMIC_ACQ_REL,
                                            __ATOMIC_RELAXED) == 0) {
    if (expected != 5 || x.load() != 5) sched::fail("T", "it has changed something");
    sched::fail("T", "failed for nothing");
  }
}
void weak_loop() {
  std::atomic<uint32_t> x = 5;
  uint32_t expected = 5;
  auto* address = reinterpret_cast<volatile uint32_t*>(&x);
  while (__tsan_atomic32_compare_exchange_weak(address, &expected, 6, __ATOMIC_ACQ_REL,
                                               __ATOMIC_RELAXED) == 0) {
  }
  if (x.load() != 6) sched::fail("T", "it has not exchanged");
}
TEST(WeakCompareExchange, FailsForNothing) {
  const Result found = search(weak_exchange, 200);
  EXPECT_EQ(found.failure.message, "failed for nothing");
  expect_replays(weak_exchange, found);
  Options strong;
  strong.weak_memory = false;
  EXPECT_EQ(search(weak_exchange, 1000, strong).verdict, Verdict::kClean);
  EXPECT_EQ(search(weak_loop, 1000).verdict, Verdict::kClean);
}

// --- Code that is not instrumented
// ------------------------------------------------------------------

// As call_once of a library does: the store is not seen, the load that finds it is.
void store_unseen(std::atomic<uint32_t>& x, uint32_t value) {
  asm volatile("xchgl %0, %1" : "+r"(value), "+m"(x) : : "memory");
}
void foreign_release(std::memory_order load_order) {
  int plain = 0;
  std::atomic<uint32_t> done = 0;
  (void)done.load(kRelaxed);
  parallel(
      [&] {
        plain = 1;
        store_unseen(done, 1);
        std::this_thread::yield();
      },
      [&] {
        if (done.load(load_order) == 1 && plain != 1) sched::fail("T", "too early");
      });
}
TEST(Foreign, StoreCountsAsRelease) {
  EXPECT_EQ(search([] { foreign_release(kAcquire); }, 500).failure.message, "");
  EXPECT_EQ(search([] { foreign_release(kRelaxed); }, 500).failure.kind, FailureKind::kDataRace);
}

// What each thread knew at the foreign store is in it, and nothing that it learns or does afterwards.
void learns_after_a_foreign_store(bool tells) {
  std::atomic<uint32_t> foreign = 0, first = 0, second = 0;
  [[maybe_unused]] volatile int plain = 0;
  (void)foreign.load(kRelaxed);
  parallel(
      [&] {
        plain = 1;
        first.store(1, kRelease);
      },
      [&] {
        store_unseen(foreign, 1);
        while (first.load(kAcquire) == 0) std::this_thread::yield();
        plain = 2;
        second.store(1, tells ? kRelease : kRelaxed);
      },
      [&] {
        while (foreign.load(kAcquire) == 0) std::this_thread::yield();
        while (second.load(kAcquire) == 0) std::this_thread::yield();
        plain = 3;
      });
}
TEST(Foreign, StoreReleasesNothingThatComesLater) {
  EXPECT_EQ(search([] { learns_after_a_foreign_store(true); }, 500).failure.message, "");
  EXPECT_EQ(search([] { learns_after_a_foreign_store(false); }, 500).failure.kind,
            FailureKind::kDataRace);
}

// --- 16 bytes
// ---------------------------------------------------------------------------------------

struct alignas(16) Pair {
  uint64_t a, b;
  bool operator==(const Pair&) const = default;
};
void wide_counts() {
  std::atomic<Pair> pair{Pair{1, 100}};
  auto step = [&] {
    Pair seen = pair.load(kAcquire);
    while (!pair.compare_exchange_strong(seen, Pair{seen.a + 1, seen.b - 1})) {
      if (seen.a + seen.b != 101) sched::fail("T", "torn");
    }
  };
  parallel(step, step, step);
  if (!(pair.exchange(Pair{7, 8}) == Pair{4, 97})) sched::fail("T", "an exchange was lost");
  pair.store(Pair{9, 9});
  if (!(pair.load() == Pair{9, 9})) sched::fail("T", "a store was lost");
}
void wide_publishes(std::memory_order order) {
  int plain = 0;
  std::atomic<Pair> pair{Pair{0, 0}};
  parallel(
      [&] {
        plain = 1;
        pair.store(Pair{0, 1}, order);
      },
      [&] {
        if (pair.load(kAcquire).b == 1 && plain != 1) sched::fail("T", "too early");
      });
}
void wide_races() {
  std::atomic<Pair> pair{Pair{0, 0}};
  parallel(
      [&] {
        pair.store(Pair{1, 1}, kRelaxed);
      },
      [&] { reinterpret_cast<volatile Pair*>(&pair)->b = 2; });
}
TEST(SixteenBytes, AreAtomicOrderedAndChecked) {
  EXPECT_EQ(search(wide_counts, 500).failure.message, "");
  EXPECT_EQ(search([] { wide_publishes(kRelease); }, 500).failure.message, "");
  EXPECT_EQ(search([] { wide_publishes(kRelaxed); }, 500).failure.kind, FailureKind::kDataRace);
  EXPECT_EQ(search(wide_races, 500).failure.kind, FailureKind::kDataRace);
}
TEST(SixteenBytes, AreAtomicOutsideExecutions) {
  wide_counts();
}

}  // namespace
