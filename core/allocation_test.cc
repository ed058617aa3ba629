// SPDX-License-Identifier: Apache-2.0
// Every allocation that the library makes fails once; each failure is an error, and loses nothing.
#include <gtest/gtest.h>

#include <cstdlib>
#include <new>
#include <system_error>

#include "core/domain.h"
#include "core/rcu.h"
#include "core/ref.h"
#include "test_support.h"

namespace {

// The allocation of this thread that fails, counted down to 0; below 0: none.
thread_local int fail_at = -1;

void* allocate(std::size_t size, std::size_t alignment) noexcept {
  if (fail_at >= 0 && fail_at-- == 0) return nullptr;
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
using percpu::Rcu;
using percpu::RcuHead;
using percpu::RcuReader;
using percpu::Status;
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

TEST(AllocationTest, DomainFailsCleanly) {
  for (int n = 0;; ++n) {
    ASSERT_LT(n, kMoreThanEnough);
    fail_at = n;
    bool thrown = false;
    try {
      Domain domain;
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

TEST(AllocationTest, RcuFailsCleanly) {
  Domain domain;
  for (int n = 0;; ++n) {
    ASSERT_LT(n, kMoreThanEnough);
    fail_at = n;
    bool thrown = false;
    try {
      Rcu rcu(domain);
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
