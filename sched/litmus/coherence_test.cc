// SPDX-License-Identifier: Apache-2.0
// Litmus tests of the order of stores to one object, of orders between objects, and of causes.
#include "sched/litmus/litmus.h"

namespace litmus {
namespace {

// --- Coherence: one object has one order of stores ---------------------------------------------------------

int co_rr() {
  atomic<int> x{0};
  int a = 0, b = 0;
  parallel(
      [&] {
        x.store(1, kRlx);
        x.store(2, kRlx);
      },
      [&] {
        a = x.load(kRlx);
        b = x.load(kRlx);
      });
  return a * 10 + b;
}
TEST(Litmus, CoRR) {
  expect_exactly(co_rr, {00, 01, 02, 11, 12, 22});
}

int co_wr() {
  atomic<int> x{0};
  int a = 0;
  parallel(
      [&] {
        x.store(1, kRlx);
        a = x.load(kRlx);
      },
      [&] { x.store(2, kRlx); });
  return a;
}
TEST(Litmus, CoWR) {
  expect_exactly(co_wr, {1, 2});
}

int co_rw() {
  atomic<int> x{0};
  int a = 0;
  parallel(
      [&] {
        a = x.load(kRlx);
        x.store(1, kRlx);
      },
      [&] { x.store(2, kRlx); });
  return a * 10 + x.load(kRlx);
}
// a = 2 and a final 2 would put the load after the store that follows it.
TEST(Litmus, CoRW) {
  expect_exactly(co_rw, {01, 02, 21});
}

int co_rr_two_readers() {
  atomic<int> x{0};
  int a = 0, b = 0, c = 0, d = 0;
  parallel([&] { x.store(1, kRlx); }, [&] { x.store(2, kRlx); },
           [&] {
             a = x.load(kRlx);
             b = x.load(kRlx);
           },
           [&] {
             c = x.load(kRlx);
             d = x.load(kRlx);
           });
  return a * 1000 + b * 100 + c * 10 + d;
}
TEST(Litmus, CoRRTwoReadersAgree) {
  for (int o : outcomes(co_rr_two_readers)) EXPECT_FALSE(o == 1221 || o == 2112) << o;
}

int atomicity() {
  atomic<int> x{0};
  parallel([&] { x.fetch_add(1, kRlx); }, [&] { x.fetch_add(1, kRlx); },
           [&] { x.fetch_add(1, kRlx); });
  return x.load(kRlx);
}
TEST(Litmus, RmwsAreAtomic) {
  expect_exactly(atomicity, {3});
}

// --- Orders between stores: what needs a modification order other than execution order --------------------

template <memory_order kStore, memory_order kFence = kRlx>
int two_plus_two_w() {
  atomic<int> x{0}, y{0};
  auto fence = [] {
    if (kFence != kRlx) std::atomic_thread_fence(kFence);
  };
  parallel(
      [&] {
        x.store(1, kStore);
        fence();
        y.store(2, kStore);
      },
      [&] {
        y.store(1, kStore);
        fence();
        x.store(2, kStore);
      });
  return x.load(kRlx) * 10 + y.load(kRlx);
}
TEST(Litmus, TwoPlusTwoW) {
  expect_exactly(two_plus_two_w<kRlx>, {11, 12, 21, 22});
}
TEST(Litmus, TwoPlusTwoWRelease) {
  expect_exactly(two_plus_two_w<kRel>, {11, 12, 21, 22});
}
TEST(Litmus, TwoPlusTwoWSeqCstFences) {
  expect_exactly(two_plus_two_w<kRlx, kSc>, {12, 21, 22});
}
TEST(Litmus, TwoPlusTwoWAcqRelFences) {
  expect_exactly(two_plus_two_w<kRlx, kAcqRel>, {11, 12, 21, 22});
}

// Two writers, and a reader: whichever store is last in the end, the reader sees them in that order.
int co_ww() {
  atomic<int> x{0};
  int a = 0, b = 0;
  parallel([&] { x.store(1, kRlx); }, [&] { x.store(2, kRlx); },
           [&] {
             a = x.load(kRlx);
             b = x.load(kRlx);
           });
  return x.load(kRlx) * 100 + a * 10 + b;
}
TEST(Litmus, CoWW) {
  expect_exactly(co_ww, {100, 101, 102, 111, 121, 122, 200, 201, 202, 211, 212, 222});
}

// A read-modify-write comes right after what it reads: no store comes in between.
int store_beside_rmw() {
  atomic<int> x{0};
  int a = 0;
  parallel([&] { a = x.fetch_add(1, kRlx); }, [&] { x.store(5, kRlx); });
  return x.load(kRlx) * 10 + a;
}
TEST(Litmus, StoreBesideRmw) {
  expect_exactly(store_beside_rmw, {50, 65});
}

// A store that is late is known by what it released; it does not stand for the newer one.
int late_store_releases() {
  atomic<int> x{0}, data{0};
  int a = 0, b = 0;
  parallel([&] { x.store(1, kRlx); },
           [&] {
             data.store(7, kRlx);
             x.store(2, kRel);
           },
           [&] {
             a = x.load(kAcq);
             b = data.load(kRlx);
           });
  return x.load(kRlx) * 100 + a * 10 + b;
}
TEST(Litmus, LateStoreReleases) {
  expect_exactly(late_store_releases, {100, 107, 110, 117, 127, 200, 207, 210, 217, 227});
}
TEST(Litmus, TwoPlusTwoWSeqCst) {
  expect_exactly(two_plus_two_w<kSc>, {12, 21, 22});
}

int r_test() {
  atomic<int> x{0}, y{0};
  int a = 0;
  parallel(
      [&] {
        x.store(1, kRlx);
        y.store(1, kRlx);
      },
      [&] {
        y.store(2, kRlx);
        a = x.load(kRlx);
      });
  return y.load(kRlx) * 10 + a;
}
TEST(Litmus, R) {
  expect_exactly(r_test, {10, 11, 20, 21});
}

int s_test() {
  atomic<int> x{0}, y{0};
  int a = 0;
  parallel(
      [&] {
        x.store(2, kRlx);
        y.store(1, kRel);
      },
      [&] {
        a = y.load(kAcq);
        x.store(1, kRlx);
      });
  return x.load(kRlx) * 10 + a;
}
TEST(Litmus, S) {
  expect_exactly(s_test, {10, 11, 20});
}

// --- Causality ---------------------------------------------------------------------------------------------

template <memory_order kStore, memory_order kLoad>
int wrc() {
  atomic<int> x{0}, y{0};
  int a = 0, b = 0, c = 0;
  parallel([&] { x.store(1, kStore); },
           [&] {
             a = x.load(kLoad);
             y.store(1, kStore);
           },
           [&] {
             b = y.load(kLoad);
             c = x.load(kRlx);
           });
  return a * 100 + b * 10 + c;
}
TEST(Litmus, WrcRelaxed) {
  expect_exactly(wrc<kRlx, kRlx>, all_binary(3));
}
TEST(Litmus, WrcReleaseAcquire) {
  expect_exactly(wrc<kRel, kAcq>, all_but(3, {110}));
}

int isa2() {
  atomic<int> x{0}, y{0}, z{0};
  int a = 0, b = 0, c = 0;
  parallel(
      [&] {
        x.store(1, kRlx);
        y.store(1, kRel);
      },
      [&] {
        a = y.load(kAcq);
        z.store(1, kRel);
      },
      [&] {
        b = z.load(kAcq);
        c = x.load(kRlx);
      });
  return a * 100 + b * 10 + c;
}
TEST(Litmus, Isa2) {
  expect_exactly(isa2, all_but(3, {110}));
}

}  // namespace
}  // namespace litmus
