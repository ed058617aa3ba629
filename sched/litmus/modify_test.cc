// SPDX-License-Identifier: Apache-2.0
// Litmus tests of read-modify-writes.
#include "sched/litmus/litmus.h"

namespace litmus {
namespace {

// --- Read-modify-writes: right after the store that they read, which need not be the latest ----------------

// Both additions read 0 where both stores come after them.
template <memory_order kStore, memory_order kAdd, memory_order kFence = kRlx>
int sb_adds() {
  atomic<int> x{0}, y{0};
  int a = 0, b = 0;
  auto fence = [] {
    if (kFence != kRlx) std::atomic_thread_fence(kFence);
  };
  parallel(
      [&] {
        x.store(1, kStore);
        fence();
        a = y.fetch_add(2, kAdd);
      },
      [&] {
        y.store(1, kStore);
        fence();
        b = x.fetch_add(2, kAdd);
      });
  return a * 10 + b;
}
TEST(Litmus, SbAdds) {
  expect_exactly(sb_adds<kRlx, kRlx>, {00, 01, 10, 11});
}
TEST(Litmus, SbAddsReleaseAcquire) {
  expect_exactly(sb_adds<kRel, kAcqRel>, {00, 01, 10, 11});
}
TEST(Litmus, SbAddsSeqCst) {
  expect_exactly(sb_adds<kSc, kSc>, {01, 10, 11});
}
TEST(Litmus, SbAddsSeqCstFences) {
  expect_exactly(sb_adds<kRlx, kRlx, kSc>, {01, 10, 11});
}
TEST(Litmus, SbAddsSeqCstStoresAcquireAdds) {
  expect_exactly(sb_adds<kSc, kAcqRel>, {00, 01, 10, 11});
}
TEST(Litmus, SbAddsUnderSequentialConsistency) {
  EXPECT_EQ((std::set<int>{01, 10, 11}), outcomes(sb_adds<kRlx, kRlx>, false));
}

// Both compare-exchanges find 0.
template <memory_order kStore, memory_order kExchange>
int sb_compare_exchanges() {
  atomic<int> x{0}, y{0};
  bool a = false, b = false;
  auto exchange = [](atomic<int>& z) {
    int zero = 0;
    return z.compare_exchange_strong(zero, 2, kExchange, kRlx);
  };
  parallel(
      [&] {
        x.store(1, kStore);
        a = exchange(y);
      },
      [&] {
        y.store(1, kStore);
        b = exchange(x);
      });
  return x.load(kRlx) * 1000 + y.load(kRlx) * 100 + a * 10 + b;
}
TEST(Litmus, SbCompareExchanges) {
  expect_exactly(sb_compare_exchanges<kRlx, kRlx>, {1100, 1101, 1110, 1111});
}
TEST(Litmus, SbCompareExchangesSeqCst) {
  expect_exactly(sb_compare_exchanges<kSc, kSc>, {1100, 1101, 1110});
}

// 2+2W with an exchange for the second store of each thread, or for the first.
template <memory_order kStore, memory_order kExchange, memory_order kFence = kRlx>
int two_plus_two_w_exchange_second() {
  atomic<int> x{0}, y{0};
  auto fence = [] {
    if (kFence != kRlx) std::atomic_thread_fence(kFence);
  };
  parallel(
      [&] {
        x.store(1, kStore);
        fence();
        exchange(y, 2, kExchange);
      },
      [&] {
        y.store(1, kStore);
        fence();
        exchange(x, 2, kExchange);
      });
  return x.load(kRlx) * 10 + y.load(kRlx);
}
TEST(Litmus, TwoPlusTwoWExchangeSecond) {
  expect_exactly(two_plus_two_w_exchange_second<kRlx, kRlx>, {11, 12, 21, 22});
}
TEST(Litmus, TwoPlusTwoWExchangeSecondAcqRel) {
  expect_exactly(two_plus_two_w_exchange_second<kRel, kAcqRel>, {11, 12, 21, 22});
}
TEST(Litmus, TwoPlusTwoWExchangeSecondSeqCst) {
  expect_exactly(two_plus_two_w_exchange_second<kSc, kSc>, {12, 21, 22});
}
TEST(Litmus, TwoPlusTwoWExchangeSecondSeqCstFences) {
  expect_exactly(two_plus_two_w_exchange_second<kRlx, kRlx, kSc>, {12, 21, 22});
}

int two_plus_two_w_exchanges() {
  atomic<int> x{0}, y{0};
  parallel(
      [&] {
        exchange(x, 1, kRlx);
        exchange(y, 2, kRlx);
      },
      [&] {
        exchange(y, 1, kRlx);
        exchange(x, 2, kRlx);
      });
  return x.load(kRlx) * 10 + y.load(kRlx);
}
// Each first exchange would have to read what the other thread's second has written: load buffering.
TEST(Litmus, TwoPlusTwoWExchanges) {
  expect_exactly(two_plus_two_w_exchanges, {11, 12, 21, 22}, {11});
}

// S with an exchange for the last store: the final x, the flag, what the exchange returned.
template <memory_order kStore, memory_order kLoad>
int s_exchange() {
  atomic<int> x{0}, y{0};
  int a = 0, b = 0;
  parallel(
      [&] {
        x.store(2, kRlx);
        y.store(1, kStore);
      },
      [&] {
        a = y.load(kLoad);
        b = x.exchange(1, kRlx);
      });
  return x.load(kRlx) * 100 + a * 10 + b;
}
TEST(Litmus, SExchange) {
  expect_exactly(s_exchange<kRel, kAcq>, {102, 112, 200});
}
TEST(Litmus, SExchangeRelaxed) {
  expect_exactly(s_exchange<kRlx, kRlx>, {102, 112, 200, 210});
}

// R with an exchange for the second store of y: the final y, what the exchange returned, x.
template <memory_order kStore, memory_order kExchange, memory_order kLoad,
          memory_order kFence = kRlx>
int r_exchange() {
  atomic<int> x{0}, y{0};
  int a = 0, b = 0;
  auto fence = [] {
    if (kFence != kRlx) std::atomic_thread_fence(kFence);
  };
  parallel(
      [&] {
        x.store(1, kStore);
        fence();
        y.store(1, kStore);
      },
      [&] {
        b = y.exchange(2, kExchange);
        fence();
        a = x.load(kLoad);
      });
  return y.load(kRlx) * 100 + b * 10 + a;
}
TEST(Litmus, RExchange) {
  expect_exactly(r_exchange<kRlx, kRlx, kRlx>, {100, 101, 210, 211});
}
TEST(Litmus, RExchangeAcqRel) {
  expect_exactly(r_exchange<kRel, kAcqRel, kAcq>, {100, 101, 211});
}
TEST(Litmus, RExchangeSeqCstFences) {
  expect_exactly(r_exchange<kRlx, kRlx, kRlx, kSc>, {100, 101, 211});
}

// An object is made 0 again, and published by an addition; who finds it published adds to it. The
// final data, the flag: 01 is an addition that came before the 0.
template <memory_order kPublish, memory_order kLoad>
int published_by_add() {
  atomic<int> data{7}, flag{0};
  int a = 0;
  parallel(
      [&] {
        data.store(0, kRlx);
        flag.fetch_add(1, kPublish);
      },
      [&] {
        a = flag.load(kLoad);
        if (a == 1) data.fetch_add(1, kRlx);
      });
  return data.load(kRlx) * 10 + a;
}
TEST(Litmus, MpPublishedByAdd) {
  expect_exactly(published_by_add<kRel, kAcq>, {00, 11});
}
TEST(Litmus, MpPublishedByRelaxedAdd) {
  expect_exactly(published_by_add<kRlx, kAcq>, {00, 01, 11});
}
TEST(Litmus, MpPublishedByAddRelaxedLoad) {
  expect_exactly(published_by_add<kRel, kRlx>, {00, 01, 11});
}

// The final sum, and what either addition returned: neither is lost but to the store, and they never
// return the same.
int adds_beside_store() {
  atomic<int> x{0};
  int a = 0, b = 0;
  parallel([&] { x.store(5, kRlx); }, [&] { a = x.fetch_add(1, kRlx); },
           [&] { b = x.fetch_add(1, kRlx); });
  return x.load(kRlx) * 100 + a * 10 + b;
}
TEST(Litmus, AddsBesideStore) {
  expect_exactly(adds_beside_store, {501, 510, 605, 650, 756, 765});
}
// The same where the store is the older one of the others' eyes: two stores, two threads that add.
int adds_beside_stores() {
  atomic<int> x{0};
  int a = 0, b = 0;
  parallel(
      [&] {
        x.store(3, kRlx);
        x.store(6, kRlx);
      },
      [&] { a = x.fetch_add(1, kRlx); }, [&] { b = x.fetch_add(1, kRlx); });
  return x.load(kRlx) * 100 + a * 10 + b;
}
TEST(Litmus, AddsBesideStores) {
  expect_exactly(adds_beside_stores, {
                                         601, 610, 634, 643,  // both before the 6, and before the 3
                                         603, 630,            // one before each
                                         706, 760, 736, 763,  // one after both
                                         867, 876,            // both
                                     });
}

// A release sequence goes on from the store that was read, whatever came after that. The flag is 1,
// released, or 2, not; or 4 more if the addition came between.
int mp_inserted_add() {
  atomic<int> data{0}, flag{0};
  int a = 0, b = 0;
  parallel(
      [&] {
        data.store(1, kRlx);
        flag.store(1, kRel);
      },
      [&] { flag.store(2, kRlx); }, [&] { flag.fetch_add(4, kRlx); },
      [&] {
        a = flag.load(kAcq);
        b = data.load(kRlx);
      });
  return a * 10 + b;
}
TEST(Litmus, MpThroughAnInsertedAdd) {
  expect_exactly(mp_inserted_add, {00, 01, 11, 20, 21, 40, 41, 51, 60, 61});
}
// The other way round: what an addition has read is not what is latest, so it does not learn of it.
template <memory_order kAdd>
int add_reads_older() {
  atomic<int> data{0}, flag{0};
  int a = 0, b = 0;
  parallel(
      [&] {
        data.store(1, kRlx);
        flag.store(1, kRel);
      },
      [&] {
        a = flag.fetch_add(4, kAdd);
        b = data.load(kRlx);
      });
  return flag.load(kRlx) * 100 + a * 10 + b;
}
TEST(Litmus, AddLearnsOfWhatItReads) {
  expect_exactly(add_reads_older<kAcq>, {100, 101, 511});
}
TEST(Litmus, RelaxedAddLearnsNothing) {
  expect_exactly(add_reads_older<kRlx>, {100, 101, 510, 511});
}

// A strong compare-exchange of 0 beside a store of 1 and another 0: the final value, whether it has
// exchanged, what it found. It fails on the 1, stale or not; it never fails on a 0.
int compare_exchange_beside_stores() {
  atomic<int> x{0};
  int found = 0;
  bool done = false;
  parallel(
      [&] {
        x.store(1, kRlx);
        x.store(0, kRlx);
      },
      [&] { done = x.compare_exchange_strong(found, 5, kRlx, kRlx); });
  return x.load(kRlx) * 100 + done * 10 + found;
}
TEST(Litmus, CompareExchangeBesideStores) {
  expect_exactly(compare_exchange_beside_stores, {1, 10, 510});
}
// A 1 that was made a 2 of cannot be exchanged: who finds it has found it before that.
int compare_exchange_beside_add() {
  atomic<int> x{0};
  int found = 1;
  bool done = false;
  parallel(
      [&] {
        x.store(1, kRlx);
        x.fetch_add(1, kRlx);
      },
      [&] { done = x.compare_exchange_strong(found, 5, kRlx, kRlx); });
  return x.load(kRlx) * 100 + done * 10 + found;
}
TEST(Litmus, CompareExchangeBesideAdd) {
  expect_exactly(compare_exchange_beside_add, {200, 202, 611});
}

// A store comes before another and what was added to that, not in between. The final x, the flag: 61
// would be load buffering.
template <memory_order kStore, memory_order kLoad>
int store_beside_sum() {
  atomic<int> x{0}, y{0};
  int a = 0;
  parallel(
      [&] {
        x.store(1, kRlx);
        x.fetch_add(1, kRlx);
        y.store(1, kStore);
      },
      [&] {
        a = y.load(kLoad);
        x.store(5, kRlx);
      });
  return x.load(kRlx) * 10 + a;
}
TEST(Litmus, StoreBesideSum) {
  expect_exactly(store_beside_sum<kRlx, kRlx>, {20, 21, 50, 51, 60, 61}, {61});
}
TEST(Litmus, StoreAfterSum) {
  expect_exactly(store_beside_sum<kRel, kAcq>, {20, 50, 51, 60});
}

}  // namespace
}  // namespace litmus
