// SPDX-License-Identifier: Apache-2.0
// What may not be done to the heap, and what may.
#include <atomic>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <mutex>
#include <new>
#include <thread>

#include "sched/engine_test.h"

namespace engine_test {
namespace {

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
TEST(Memory, AllocationsFailFromHereOn) {
  static unsigned failed;
  failed = 0;
  const Result r = sched::run(
      [](void*) {
        for (unsigned i = 1; i <= 5; ++i) {
          if (i == 2) sched::fail_allocation(3);  // the fourth
          if (i == 3) sched::fail_allocation(1);  // the third
          std::unique_ptr<char[]> p(new (std::nothrow) char[8]);
          if (opaque(p.get()) == nullptr) failed |= 1u << i;
        }
        sched::fail_allocation(sched::kMaxFailAllocation);  // is forgotten with the execution
        sched::fail_allocation(0);
      },
      nullptr, seeded(1));
  EXPECT_EQ(Verdict::kClean, r.verdict) << r.failure.message;
  EXPECT_EQ(1u << 3 | 1u << 4, failed);
}
// Nor does the sanitizer that looks on, or the C++ library: it has memory put by.
TEST(Memory, ThrowingNeedsNoAllocation) {
  expect_clean([] {
    for (uint32_t n = 1; n <= 4; ++n) sched::fail_allocation(n);
    try {
      opaque(new char[8]);
      sched::fail("T", "an allocation that was to fail did not");
    } catch (const std::bad_alloc&) {
    }
  });
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

}  // namespace
}  // namespace engine_test
