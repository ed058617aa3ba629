// SPDX-License-Identifier: Apache-2.0
// Every allocation that the library makes fails once; each failure is an error, and loses nothing.
#include <gtest/gtest.h>
#include <pthread.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdlib>
#include <memory>
#include <new>
#include <system_error>
#include <thread>
#include <vector>

#include "core/domain.h"
#include "core/manager.h"
#include "core/pool.h"
#include "core/rcu.h"
#include "core/ref.h"
#include "test_support.h"

namespace {

// The allocation of this thread that fails, counted down to 0; below 0: none.
thread_local int fail_at = -1;
// Other threads: every one fails, or waits until it may go on.
thread_local bool is_test = false;
std::atomic<bool> others_fail = false, others_wait = false;
std::atomic<int> others_failed = 0, others_waited = 0;

void* allocate(std::size_t size, std::size_t alignment) noexcept {
  if (fail_at >= 0 && fail_at-- == 0) return nullptr;
  if (!is_test && others_fail) {
    ++others_failed;
    return nullptr;
  }
  if (!is_test && others_wait) ++others_waited;
  while (!is_test && others_wait) std::this_thread::yield();
  const std::size_t rounded = (size + alignment - 1) / alignment * alignment;
  return alignment <= alignof(std::max_align_t) ? std::malloc(size)
                                                : std::aligned_alloc(alignment, rounded);
}

void* allocate_or_throw(std::size_t size, std::size_t alignment) {
  void* memory = allocate(size, alignment);
  if (memory == nullptr) throw std::bad_alloc();
  return memory;
}

}  // namespace

void* operator new(std::size_t size) {
  return allocate_or_throw(size, 1);
}
void* operator new[](std::size_t size) {
  return allocate_or_throw(size, 1);
}
void* operator new(std::size_t size, const std::nothrow_t&) noexcept {
  return allocate(size, 1);
}
void* operator new[](std::size_t size, const std::nothrow_t&) noexcept {
  return allocate(size, 1);
}
void* operator new(std::size_t size, std::align_val_t alignment) {
  return allocate_or_throw(size, static_cast<std::size_t>(alignment));
}
void* operator new[](std::size_t size, std::align_val_t alignment) {
  return allocate_or_throw(size, static_cast<std::size_t>(alignment));
}
void* operator new(std::size_t size, std::align_val_t alignment, const std::nothrow_t&) noexcept {
  return allocate(size, static_cast<std::size_t>(alignment));
}
void operator delete(void* memory) noexcept {
  std::free(memory);
}
void operator delete[](void* memory) noexcept {
  std::free(memory);
}
void operator delete(void* memory, std::size_t) noexcept {
  std::free(memory);
}
void operator delete[](void* memory, std::size_t) noexcept {
  std::free(memory);
}
void operator delete(void* memory, std::align_val_t) noexcept {
  std::free(memory);
}
void operator delete[](void* memory, std::align_val_t) noexcept {
  std::free(memory);
}
void operator delete(void* memory, std::size_t, std::align_val_t) noexcept {
  std::free(memory);
}
void operator delete[](void* memory, std::size_t, std::align_val_t) noexcept {
  std::free(memory);
}

namespace {

using percpu::Domain;
using percpu::Flags;
using percpu::Manager;
using percpu::Pool;
using percpu::Rcu;
using percpu::RcuHead;
using percpu::RcuReader;
using percpu::Status;
using percpu::Watermarks;
using percpu_test::CountedRef;
using percpu_test::MisuseLog;
using percpu_test::Reports;

constexpr int kMoreThanEnough = 100;

TEST(AllocationTest, InitFailsCleanly) {
  MisuseLog log;
  Domain domain(log.options());
  int failures = 0;
  for (int n = 0;; ++n) {
    ASSERT_LT(n, kMoreThanEnough);
    CountedRef ref;
    fail_at = n;
    const Status status = ref.init(domain, &CountedRef::release, Flags::kAllowReinit);
    const bool failed = fail_at < 0;
    fail_at = -1;
    if (!failed) {
      EXPECT_EQ(status, Status::kOk);
      break;
    }
    ++failures;
    EXPECT_EQ(status, Status::kOutOfMemory);
    ref.exit();
    ref.cancel_init();
    ASSERT_EQ(ref.init(domain, &CountedRef::release, Flags::kInitAtomic), Status::kOk);
    ref.put();
    EXPECT_EQ(ref.releases, 1);
  }
  EXPECT_GE(failures, 1);
  EXPECT_EQ(log.take(), Reports{});
}

// Also where what is missing is percpu memory: each third allocation fails, of refs that fill chunks.
TEST(AllocationTest, InitWithoutPercpuMemoryFailsCleanly) {
  MisuseLog log;
  Domain domain(log.options());
  const size_t refs = 3 * percpu::platform::kStride / sizeof(uint64_t);
  std::vector<std::unique_ptr<CountedRef>> living;
  int most = 0;
  while (living.size() < refs) {
    living.push_back(std::make_unique<CountedRef>());
    for (int n = 0;; ++n) {
      ASSERT_LT(n, kMoreThanEnough);
      fail_at = n;
      const Status status = living.back()->init(domain, &CountedRef::release);
      const bool failed = fail_at < 0;
      fail_at = -1;
      EXPECT_EQ(status, failed ? Status::kOutOfMemory : Status::kOk);
      most = std::max(most, n);
      if (!failed) break;
    }
  }
  EXPECT_GT(most, 1) << "no chunk was asked for";
  EXPECT_EQ(log.take(), Reports{});
}

TEST(AllocationTest, ManagerStartFailsCleanly) {
  Domain domain;
  Manager manager(domain);
  int failures = 0;
  for (int n = 0;; ++n) {
    ASSERT_LT(n, kMoreThanEnough);
    fail_at = n;
    const Status status = manager.start();
    const bool failed = fail_at < 0;
    fail_at = -1;
    EXPECT_EQ(status, failed ? Status::kOutOfMemory : Status::kOk);
    if (!failed) break;
    ++failures;
  }
  EXPECT_GE(failures, 1);
  EXPECT_TRUE(manager.stop());
}

// No thread has room for such a stack, so none starts.
TEST(AllocationTest, ManagerStartWithoutAThreadFailsCleanly) {
  pthread_attr_t usual, huge;
  ASSERT_EQ(pthread_getattr_default_np(&usual), 0);
  ASSERT_EQ(pthread_attr_init(&huge), 0);
  ASSERT_EQ(pthread_attr_setstacksize(&huge, size_t{1} << 47), 0);
  Domain domain;
  Manager manager(domain);
  ASSERT_EQ(pthread_setattr_default_np(&huge), 0);
  const Status status = manager.start();
  ASSERT_EQ(pthread_setattr_default_np(&usual), 0);
  EXPECT_EQ(status, Status::kOutOfMemory);
  EXPECT_EQ(manager.start(), Status::kOk);
  EXPECT_TRUE(manager.stop());
  pthread_attr_destroy(&huge);
  pthread_attr_destroy(&usual);
}

// Fails each allocation of the construction in turn: it throws exactly when one has failed. It gets a
// new domain each time.
template <typename Construct>
void expect_clean_failures(Construct construct) {
  for (int n = 0;; ++n) {
    ASSERT_LT(n, kMoreThanEnough);
    Domain domain;
    fail_at = n;
    bool thrown = false;
    try {
      construct(domain);
    } catch (const std::bad_alloc&) {
      thrown = true;
    } catch (const std::system_error&) {
      thrown = true;
    }
    const bool failed = fail_at < 0;
    fail_at = -1;
    EXPECT_EQ(thrown, failed) << n;
    if (!failed) break;
  }
}

TEST(AllocationTest, DomainFailsCleanly) {
  expect_clean_failures([](Domain&) { Domain another; });
}

TEST(AllocationTest, RcuFailsCleanly) {
  Domain domain;
  expect_clean_failures([&domain](Domain&) { Rcu rcu(domain); });
  Rcu rcu(domain);
  RcuHead head;
  { RcuReader reader(rcu); }
  fail_at = 0;
  {
    RcuReader reader(rcu);
    EXPECT_TRUE(rcu.call(head, [](RcuHead&) {}));
  }
  EXPECT_TRUE(rcu.synchronize());
  EXPECT_TRUE(rcu.barrier());
  EXPECT_EQ(fail_at, 0);
  fail_at = -1;
}

TEST(AllocationTest, PoolFailsCleanly) {
  expect_clean_failures([](Domain& domain) { Pool pool(domain, 8, 8, Watermarks{1, 2}); });
}

// P7: wherever a fill fails, what it has got is there, and nothing else is gone.
TEST(AllocationTest, FillKeepsWhatItGot) {
  constexpr size_t kAreas = 3000;
  int failures = 0;
  for (int n = 0;; ++n) {
    ASSERT_LT(n, 20 * kMoreThanEnough);
    MisuseLog log;
    bool failed;
    {
      Domain domain(log.options());
      Pool pool(domain, 8, 64, Watermarks{});
      fail_at = n;
      const Status status = pool.fill(kAreas);
      failed = fail_at < 0;
      fail_at = -1;
      EXPECT_EQ(status, failed ? Status::kOutOfMemory : Status::kOk);
      const size_t got = pool.cached();
      EXPECT_EQ(got == kAreas, !failed);
      fail_at = 0;  // P2: nor does alloc ask for any
      for (size_t i = 0; i < got; ++i) {
        void* area = pool.alloc();
        ASSERT_NE(area, nullptr);
        domain.free_percpu(area);
      }
      EXPECT_EQ(pool.alloc(), nullptr);
      EXPECT_EQ(fail_at, 0);
      fail_at = -1;
      EXPECT_EQ(pool.fill(kAreas), Status::kOk);
      EXPECT_EQ(pool.cached(), kAreas);
    }
    EXPECT_EQ(log.take(), Reports{}) << "lost by the failure " << n;
    if (!failed) break;
    ++failures;
  }
  EXPECT_GE(failures, 5);
}

// P3: tried again by the next alloc, and not before.
TEST(AllocationTest, ARefillThatFailsWaitsForTheNextAlloc) {
  Domain domain;
  Pool pool(domain, 8, 8, Watermarks{1, 4});
  is_test = true;
  others_fail = true;
  others_failed = 0;
  EXPECT_EQ(pool.alloc(), nullptr);
  for (int i = 0; i < 5; ++i) domain.drain();
  EXPECT_EQ(others_failed, 1);
  EXPECT_EQ(pool.alloc(), nullptr);
  domain.drain();
  EXPECT_EQ(others_failed, 2);
  others_fail = false;
  domain.drain();
  EXPECT_EQ(pool.cached(), 0u);
  EXPECT_EQ(pool.alloc(), nullptr);
  domain.drain();
  EXPECT_EQ(pool.cached(), 4u);
  is_test = false;
}

// P9: a refill sits in the allocator; switches, releases and allocs of areas go on.
TEST(AllocationTest, ARefillThatWaitsHoldsUpNoCallback) {
  Domain domain;
  Pool pool(domain, 8, 8, Watermarks{1, 4});
  CountedRef ref;
  ASSERT_EQ(ref.init(domain, &CountedRef::release), Status::kOk);
  is_test = true;
  others_waited = 0;
  EXPECT_EQ(pool.fill(1), Status::kOk);
  // All that the ref and the pool have left of two chunks, so that a refill needs a third.
  std::vector<uint64_t*> areas;
  const size_t per_chunk = percpu::platform::kStride / sizeof(uint64_t);
  for (size_t i = 2; i < 2 * per_chunk; ++i) areas.push_back(domain.alloc_percpu<uint64_t>());
  others_wait = true;
  areas.push_back(static_cast<uint64_t*>(pool.alloc()));
  const auto wait_for = [](const std::atomic<int>& count) {
    for (int ms = 0; ms < 10000 && count == 0; ++ms) {
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
  };
  wait_for(others_waited);
  EXPECT_EQ(others_waited, 1) << "the refill needed no memory";
  EXPECT_TRUE(ref.kill());
  wait_for(ref.releases);
  EXPECT_EQ(ref.releases, 1) << "the refill holds up the release";
  EXPECT_EQ(pool.alloc(), nullptr);
  others_wait = false;
  domain.drain();
  EXPECT_EQ(pool.cached(), 4u);
  for (uint64_t* area : areas) domain.free_percpu(area);
  is_test = false;
}

// What ends a life needs no memory, so it cannot fail.
TEST(AllocationTest, NothingButInitAllocates) {
  Domain domain;
  CountedRef ref;
  ASSERT_EQ(ref.init(domain, &CountedRef::release, Flags::kAllowReinit), Status::kOk);
  fail_at = 0;
  ref.get();
  EXPECT_TRUE(ref.switch_to_atomic_sync());
  EXPECT_TRUE(ref.switch_to_percpu());
  EXPECT_TRUE(ref.kill_and_confirm(&CountedRef::confirm));
  EXPECT_TRUE(ref.resurrect());
  EXPECT_TRUE(ref.kill());
  domain.drain();
  ref.put();
  EXPECT_TRUE(ref.reinit());
  ref.exit();
  EXPECT_EQ(fail_at, 0);
  fail_at = -1;
  EXPECT_EQ(ref.releases, 1);
}

}  // namespace
