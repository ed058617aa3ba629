// SPDX-License-Identifier: Apache-2.0
// Litmus tests of what a thread learns of others: who misses whose store.
#include "sched/litmus/litmus.h"

namespace litmus {
namespace {

// --- Store buffering: each thread may miss the other's store ------------------------------------------

template <memory_order kStore, memory_order kLoad, memory_order kFence = kRlx>
int sb() {
  atomic<int> x{0}, y{0};
  int a = 0, b = 0;
  auto fence = [] {
    if (kFence != kRlx) std::atomic_thread_fence(kFence);
  };
  parallel(
      [&] {
        x.store(1, kStore);
        fence();
        a = y.load(kLoad);
      },
      [&] {
        y.store(1, kStore);
        fence();
        b = x.load(kLoad);
      });
  return a * 10 + b;
}
TEST(Litmus, SbRelaxed) {
  expect_exactly(sb<kRlx, kRlx>, {00, 01, 10, 11});
}
TEST(Litmus, SbReleaseAcquire) {
  expect_exactly(sb<kRel, kAcq>, {00, 01, 10, 11});
}
TEST(Litmus, SbSeqCst) {
  expect_exactly(sb<kSc, kSc>, {01, 10, 11});
}
TEST(Litmus, SbSeqCstFences) {
  expect_exactly(sb<kRlx, kRlx, kSc>, {01, 10, 11});
}
TEST(Litmus, SbAcqRelFences) {
  expect_exactly(sb<kRlx, kRlx, kAcqRel>, {00, 01, 10, 11});
}
TEST(Litmus, SbSeqCstStoresAcquireLoads) {
  expect_exactly(sb<kSc, kAcq>, {00, 01, 10, 11});
}

// One thread by operations, the other by a fence: either kind is in the one total order.
template <memory_order kLoad, bool kAdds>
int sb_against_fence() {
  atomic<int> x{0}, y{0};
  int a = 0, b = 0;
  parallel(
      [&] {
        x.store(1, kSc);
        a = kAdds ? y.fetch_add(2, kLoad) : y.load(kLoad);
      },
      [&] {
        y.store(1, kRlx);
        std::atomic_thread_fence(kSc);
        b = kAdds ? x.fetch_add(2, kRlx) : x.load(kRlx);
      });
  return a * 10 + b;
}
TEST(Litmus, SbSeqCstAgainstFence) {
  expect_exactly(sb_against_fence<kSc, false>, {01, 10, 11});
}
TEST(Litmus, SbSeqCstAddsAgainstFence) {
  expect_exactly(sb_against_fence<kSc, true>, {01, 10, 11});
}
TEST(Litmus, SbAcquireAgainstFence) {
  expect_exactly(sb_against_fence<kAcq, false>, {00, 01, 10, 11});
}
TEST(Litmus, SbAcquireAddsAgainstFence) {
  expect_exactly(sb_against_fence<kAcq, true>, {00, 01, 10, 11});
}
TEST(Litmus, SbUnderSequentialConsistency) {
  EXPECT_EQ((std::set<int>{01, 10, 11}), outcomes(sb<kRlx, kRlx>, false));
}

int sb_rmw() {
  atomic<int> x{0}, y{0};
  int a = 0, b = 0;
  parallel(
      [&] {
        exchange(x, 1, kAcqRel);
        a = y.fetch_add(2, kAcqRel);
      },
      [&] {
        exchange(y, 1, kAcqRel);
        b = x.fetch_add(2, kAcqRel);
      });
  return a * 10 + b;
}
// Of read-modify-writes alone none comes before another that it has not read.
TEST(Litmus, SbReadModifyWrites) {
  expect_exactly(sb_rmw, {01, 10, 11});
}

// --- Message passing: data behind a flag ----------------------------------------------------------------

template <memory_order kStore, memory_order kLoad>
int mp() {
  atomic<int> data{0}, flag{0};
  int a = 0, b = 0;
  parallel(
      [&] {
        data.store(1, kRlx);
        flag.store(1, kStore);
      },
      [&] {
        a = flag.load(kLoad);
        b = data.load(kRlx);
      });
  return a * 10 + b;
}
TEST(Litmus, MpRelaxed) {
  expect_exactly(mp<kRlx, kRlx>, {00, 01, 10, 11});
}
TEST(Litmus, MpReleaseOnly) {
  expect_exactly(mp<kRel, kRlx>, {00, 01, 10, 11});
}
TEST(Litmus, MpAcquireOnly) {
  expect_exactly(mp<kRlx, kAcq>, {00, 01, 10, 11});
}
TEST(Litmus, MpReleaseAcquire) {
  expect_exactly(mp<kRel, kAcq>, {00, 01, 11});
}
TEST(Litmus, MpSeqCst) {
  expect_exactly(mp<kSc, kSc>, {00, 01, 11});
}

template <memory_order kFirst, memory_order kSecond>
int mp_fences() {
  atomic<int> data{0}, flag{0};
  int a = 0, b = 0;
  parallel(
      [&] {
        data.store(1, kRlx);
        std::atomic_thread_fence(kFirst);
        flag.store(1, kRlx);
      },
      [&] {
        a = flag.load(kRlx);
        std::atomic_thread_fence(kSecond);
        b = data.load(kRlx);
      });
  return a * 10 + b;
}
TEST(Litmus, MpFences) {
  expect_exactly(mp_fences<kRel, kAcq>, {00, 01, 11});
}
TEST(Litmus, MpSeqCstFences) {
  expect_exactly(mp_fences<kSc, kSc>, {00, 01, 11});
}
TEST(Litmus, MpFencesOfTheWrongKind) {
  expect_exactly(mp_fences<kAcq, kRel>, {00, 01, 10, 11});
}

int mp_release_sequence() {
  atomic<int> data{0}, flag{0};
  int a = 0, b = 0;
  parallel(
      [&] {
        data.store(1, kRlx);
        flag.store(1, kRel);
      },
      [&] {
        int one = 1;
        flag.compare_exchange_strong(one, 2, kRlx, kRlx);
      },
      [&] {
        a = flag.load(kAcq);
        b = data.load(kRlx);
      });
  return a * 10 + b;
}
TEST(Litmus, MpThroughAReleaseSequence) {
  expect_exactly(mp_release_sequence, {00, 01, 11, 21});
}

int mp_broken_sequence() {
  atomic<int> data{0}, flag{0};
  int a = 0, b = 0;
  parallel(
      [&] {
        data.store(1, kRlx);
        flag.store(1, kRel);
        flag.store(2, kRlx);
      },
      [&] {
        a = flag.load(kAcq);
        b = data.load(kRlx);
      });
  return a * 10 + b;
}
// C++20: a later relaxed store of the same thread no longer continues the sequence.
TEST(Litmus, MpThroughALaterStore) {
  expect_exactly(mp_broken_sequence, {00, 01, 11, 20, 21});
}

// --- Load buffering: never -----------------------------------------------------------------------------

template <memory_order kLoad, memory_order kStore>
int lb() {
  atomic<int> x{0}, y{0};
  int a = 0, b = 0;
  parallel(
      [&] {
        a = x.load(kLoad);
        y.store(1, kStore);
      },
      [&] {
        b = y.load(kLoad);
        x.store(1, kStore);
      });
  return a * 10 + b;
}
// C++20 allows 11 for relaxed; RC11, and so the engine, does not.
TEST(Litmus, LbRelaxed) {
  expect_exactly(lb<kRlx, kRlx>, {00, 01, 10, 11}, {11});
}
TEST(Litmus, LbReleaseAcquire) {
  expect_exactly(lb<kAcq, kRel>, {00, 01, 10});
}

// --- Independent reads of independent writes --------------------------------------------------------------

template <memory_order kStore, memory_order kLoad>
int iriw() {
  atomic<int> x{0}, y{0};
  int a = 0, b = 0, c = 0, d = 0;
  parallel([&] { x.store(1, kStore); }, [&] { y.store(1, kStore); },
           [&] {
             a = x.load(kLoad);
             b = y.load(kLoad);
           },
           [&] {
             c = y.load(kLoad);
             d = x.load(kLoad);
           });
  return a * 1000 + b * 100 + c * 10 + d;
}
TEST(Litmus, IriwRelaxed) {
  expect_exactly(iriw<kRlx, kRlx>, all_binary(4));
}
TEST(Litmus, IriwReleaseAcquire) {
  expect_exactly(iriw<kRel, kAcq>, all_binary(4));
}
TEST(Litmus, IriwSeqCst) {
  expect_exactly(iriw<kSc, kSc>, all_but(4, {1010}));
}
// Loads agree on the order of stores that are not seq_cst themselves.
TEST(Litmus, IriwRelaxedStoresSeqCstLoads) {
  expect_exactly(iriw<kRlx, kSc>, all_but(4, {1010}));
}
TEST(Litmus, IriwSeqCstStoresAcquireLoads) {
  expect_exactly(iriw<kSc, kAcq>, all_binary(4));
}

}  // namespace
}  // namespace litmus
