// SPDX-License-Identifier: Apache-2.0
// Litmus tests that are algorithms of a few lines.
#include "sched/litmus/litmus.h"

namespace litmus {
namespace {

// --- Algorithms -----------------------------------------------------------------------------------------------

template <memory_order kStore, memory_order kLoad>
int dekker() {
  atomic<int> x{0}, y{0}, inside{0}, both{0};
  auto enter = [&](atomic<int>& mine, atomic<int>& other) {
    mine.store(1, kStore);
    if (other.load(kLoad) == 0) {
      if (inside.fetch_add(1, kRlx) != 0) both.store(1, kRlx);
      inside.fetch_sub(1, kRlx);
    }
  };
  parallel([&] { enter(x, y); }, [&] { enter(y, x); });
  return both.load(kRlx);
}
TEST(Litmus, DekkerSeqCst) {
  expect_exactly(dekker<kSc, kSc>, {0});
}
TEST(Litmus, DekkerAcquireReleaseLetsBothIn) {
  expect_exactly(dekker<kRel, kAcq>, {0, 1});
}

template <memory_order kOrder>
int peterson() {
  atomic<int> want[2] = {0, 0}, turn{0}, inside{0};
  atomic<int> both{0};
  auto lock = [&](int me) {
    const int other = 1 - me;
    want[me].store(1, kOrder == kSc ? kSc : kRel);
    turn.store(other, kOrder == kSc ? kSc : kRel);
    while (want[other].load(kOrder == kSc ? kSc : kAcq) == 1 &&
           turn.load(kOrder == kSc ? kSc : kAcq) == other)
      std::this_thread::yield();
    if (inside.fetch_add(1, kRlx) != 0) both.store(1, kRlx);
    inside.fetch_sub(1, kRlx);
    want[me].store(0, kOrder == kSc ? kSc : kRel);
  };
  parallel([&] { lock(0); }, [&] { lock(1); });
  return both.load(kRlx);
}
TEST(Litmus, PetersonSeqCst) {
  expect_exactly(peterson<kSc>, {0});
}
TEST(Litmus, PetersonAcquireReleaseIsBroken) {
  expect_exactly(peterson<kAcqRel>, {0, 1});
}

// What one holder does inside, the next must see: each adds one to what it finds.
template <memory_order kServe, memory_order kWait>
int ticket_lock() {
  atomic<int> next{0}, serving{0}, sum{0};
  auto add = [&] {
    const int mine = next.fetch_add(1, kRlx);
    while (serving.load(kWait) != mine) std::this_thread::yield();
    const int found = sum.load(kRlx);
    sum.store(found + 1, kRlx);
    serving.store(mine + 1, kServe);
    return found;
  };
  int a = 0, b = 0;
  parallel([&] { a = add(); }, [&] { b = add(); });
  return a * 10 + b;
}
TEST(Litmus, TicketLock) {
  expect_exactly(ticket_lock<kRel, kAcq>, {01, 10});
}
TEST(Litmus, TicketLockRelaxedUnlockLosesWhatWasDone) {
  expect_exactly(ticket_lock<kRlx, kAcq>, {00, 01, 10});
}
TEST(Litmus, TicketLockRelaxedLockLosesWhatWasDone) {
  expect_exactly(ticket_lock<kRel, kRlx>, {00, 01, 10});
}

// Treiber's stack of nodes 1 above 2. One thread pops (the first digit; 0: empty); the other pops
// twice (the second and third) and puts back the first of its two; the last digit is the top then.
template <bool kTagged>
int treiber() {
  atomic<int> top{1}, next[3] = {0, 2, 0};  // top: node + 10 * tag
  auto pop = [&] {
    int seen = top.load(kAcq);
    for (;;) {
      const int node = seen % 10;
      if (node == 0) return 0;
      const int below = next[node].load(kRlx) + (kTagged ? seen / 10 * 10 + 10 : 0);
      if (top.compare_exchange_strong(seen, below, kAcqRel, kAcq)) return node;
    }
  };
  auto push = [&](int node) {
    int seen = top.load(kRlx), now;
    do {
      next[node].store(seen % 10, kRlx);
      now = node + (kTagged ? seen / 10 * 10 + 10 : 0);
    } while (!top.compare_exchange_strong(seen, now, kRel, kRlx));
  };
  int a = 0, b = 0, c = 0;
  parallel([&] { a = pop(); },
           [&] {
             b = pop();
             c = pop();
             if (b != 0) push(b);
           });
  return a * 1000 + b * 100 + c * 10 + top.load(kRlx) % 10;
}
TEST(Litmus, TreiberTagged) {
  expect_exactly(treiber<true>, {1202, 2101, 121, 1120});
}
// ABA: node 1 is on top again, but what is below it is not what was below it.
TEST(Litmus, TreiberWithoutTagsRevivesANode) {
  expect_exactly(treiber<false>, {1202, 2101, 121, 1120, 1122});
}

// A seqlock after Boehm (MSPC 2012): with the acquire fence a torn read is never accepted.
template <bool kWithFence>
int seqlock() {
  atomic<int> sequence{0}, a{0}, b{0};
  int torn = 0;
  parallel(
      [&] {
        sequence.store(1, kRlx);
        std::atomic_thread_fence(kRel);
        a.store(1, kRlx);
        b.store(1, kRlx);
        sequence.store(2, kRel);
      },
      [&] {
        const int before = sequence.load(kAcq);
        const int x = a.load(kRlx), y = b.load(kRlx);
        if (kWithFence) std::atomic_thread_fence(kAcq);
        const int after = sequence.load(kRlx);
        torn = before == after && before % 2 == 0 && x != y;
      });
  return torn;
}
TEST(Litmus, Seqlock) {
  expect_exactly(seqlock<true>, {0});
}
TEST(Litmus, SeqlockWithoutFenceIsTorn) {
  expect_exactly(seqlock<false>, {0, 1});
}

}  // namespace
}  // namespace litmus
