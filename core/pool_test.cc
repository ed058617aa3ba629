// SPDX-License-Identifier: Apache-2.0
// What one thread can see of a pool: each guarantee by its number, and each cell of the table.
#include "core/pool.h"

#include <gtest/gtest.h>

#include <cerrno>
#include <cstring>
#include <memory>
#include <optional>
#include <set>
#include <stdexcept>
#include <vector>

#include "core/domain.h"
#include "core/ref.h"
#include "test_support.h"

namespace {

using percpu::Domain;
using percpu::DomainOptions;
using percpu::Flags;
using percpu::per_cpu_ptr;
using percpu::Pool;
using percpu::Status;
using percpu::TypedPool;
using percpu::Watermarks;
using percpu_test::CountedRef;
using percpu_test::MisuseLog;
using percpu_test::Reports;

constexpr size_t kSize = 24;
constexpr size_t kAlignment = 8;

class PoolTest : public testing::Test {
 protected:
  // Every test takes what it wants and ends with nothing left: an area that is lost is reported.
  ~PoolTest() override {
    domain_.reset();
    EXPECT_EQ(log_.take(), Reports{}) << "lost, or alive at the end";
  }
  void free_all(const std::vector<void*>& areas) {
    for (void* area : areas) domain_->free_percpu(area);
  }
  std::vector<void*> alloc(Pool& pool, size_t count) {
    std::vector<void*> areas;
    for (size_t i = 0; i < count; ++i) {
      areas.push_back(pool.alloc());
      EXPECT_NE(areas.back(), nullptr);
    }
    return areas;
  }

  MisuseLog log_;
  std::optional<Domain> domain_{std::in_place, log_.options()};
};

TEST_F(PoolTest, RefusesWhatCannotBe) {
  const auto make = [&](size_t size, size_t alignment, Watermarks watermarks) {
    Pool pool(*domain_, size, alignment, watermarks);
  };
  EXPECT_THROW(make(0, 8, {}), std::invalid_argument);
  EXPECT_THROW(make(Domain::kMaxAreaSize + 1, 8, {}), std::invalid_argument);
  EXPECT_THROW(make(8, 0, {}), std::invalid_argument);
  EXPECT_THROW(make(8, 24, {}), std::invalid_argument);
  EXPECT_THROW(make(8, 2 * Domain::kMaxAreaAlignment, {}), std::invalid_argument);
  EXPECT_THROW(make(8, 8, {2, 1}), std::invalid_argument);
  EXPECT_THROW(make(8, 8, {0, Pool::kMaxAreas + 1}), std::invalid_argument);
  EXPECT_THROW(make(8, 8, {static_cast<size_t>(-2), static_cast<size_t>(-1)}),
               std::invalid_argument);
  make(Domain::kMaxAreaSize, Domain::kMaxAreaAlignment, {1, 1});
  Pool pool(*domain_, kSize, kAlignment, {0, 3});
  EXPECT_EQ(pool.fill(Pool::kMaxAreas + 1), Status::kInvalidArgument);
  EXPECT_EQ(pool.fill(static_cast<size_t>(-1)), Status::kInvalidArgument);
  EXPECT_EQ(pool.cached(), 0u);
}

TEST_F(PoolTest, P1AreasAreZeroAlignedAndNobodyElses) {
  Pool pool(*domain_, 40, 64, {0, 0});
  for (int round = 0; round < 3; ++round) {
    ASSERT_EQ(pool.fill(200), Status::kOk);
    const std::vector<void*> areas = alloc(pool, 200);
    for (void* area : areas) {
      EXPECT_EQ(reinterpret_cast<uintptr_t>(area) % 64, 0u);
      for (unsigned cpu = 0; cpu < domain_->cpus(); ++cpu) {
        auto* bytes = static_cast<unsigned char*>(per_cpu_ptr(area, cpu));
        for (size_t i = 0; i < 40; ++i) ASSERT_EQ(bytes[i], 0) << "not zero, or shared";
        std::memset(bytes, 0xee, 40);
      }
    }
    free_all(areas);
  }
}

TEST_F(PoolTest, P2KeepsErrno) {
  Pool pool(*domain_, kSize, kAlignment, {1, 2});
  for (int i = 0; i < 10; ++i) {
    errno = 4711;
    void* area = pool.alloc();
    EXPECT_EQ(errno, 4711);
    domain_->free_percpu(area);
    domain_->drain();
  }
}

TEST_F(PoolTest, P3StartsEmptyAndTheFirstAllocStartsARefill) {
  Pool pool(*domain_, kSize, kAlignment, {0, 5});
  domain_->drain();
  EXPECT_EQ(pool.cached(), 0u);
  EXPECT_EQ(pool.alloc(), nullptr);
  domain_->drain();
  EXPECT_EQ(pool.cached(), 5u);
}

TEST_F(PoolTest, P3RefillsOnceThereAreFewerThanLow) {
  Pool pool(*domain_, kSize, kAlignment, {3, 5});
  ASSERT_EQ(pool.fill(), Status::kOk);
  free_all(alloc(pool, 2));
  domain_->drain();
  EXPECT_EQ(pool.cached(), 3u) << "refilled above the low watermark";
  free_all(alloc(pool, 1));
  domain_->drain();
  EXPECT_EQ(pool.cached(), 5u);
}

TEST_F(PoolTest, P3RefillsAgainAndAgain) {
  Pool pool(*domain_, kSize, kAlignment, {1, 1});
  for (int i = 0; i < 100; ++i) {
    free_all({pool.alloc()});
    domain_->drain();
    ASSERT_EQ(pool.cached(), 1u) << i;
  }
}

TEST_F(PoolTest, P3SeveralPoolsAreRefilledEach) {
  std::vector<std::unique_ptr<Pool>> pools;
  for (size_t i = 0; i < 10; ++i) {
    pools.push_back(std::make_unique<Pool>(*domain_, 8 * (i + 1), 8, Watermarks{0, i}));
  }
  for (auto& pool : pools) EXPECT_EQ(pool->alloc(), nullptr);
  domain_->drain();
  for (size_t i = 0; i < 10; ++i) EXPECT_EQ(pools[i]->cached(), i);
  for (const size_t gone : {0u, 9u, 4u}) pools[gone].reset();
  for (auto& pool : pools) {
    if (pool == nullptr) continue;
    EXPECT_TRUE(pool->empty());
    EXPECT_EQ(pool->alloc(), nullptr);
  }
  domain_->drain();
  for (size_t i = 0; i < 10; ++i) EXPECT_EQ(pools[i] == nullptr ? i : pools[i]->cached(), i);
}

TEST_F(PoolTest, P3WithoutAHighWatermarkNothingIsRefilled) {
  Pool pool(*domain_, kSize, kAlignment, {});
  EXPECT_EQ(pool.alloc(), nullptr);
  EXPECT_EQ(pool.fill(), Status::kOk);
  domain_->drain();
  EXPECT_EQ(pool.cached(), 0u);
  ASSERT_EQ(pool.fill(3), Status::kOk);
  free_all(alloc(pool, 3));
  EXPECT_EQ(pool.alloc(), nullptr);
  domain_->drain();
  EXPECT_EQ(pool.cached(), 0u);
}

TEST_F(PoolTest, P4FillStopsAtItsTarget) {
  Pool pool(*domain_, kSize, kAlignment, {1, 4});
  EXPECT_EQ(pool.fill(3), Status::kOk);
  EXPECT_EQ(pool.cached(), 3u);
  EXPECT_EQ(pool.fill(2), Status::kOk);
  EXPECT_EQ(pool.cached(), 3u);
  EXPECT_EQ(pool.fill(), Status::kOk);
  EXPECT_EQ(pool.cached(), 4u);
  EXPECT_EQ(pool.fill(1000), Status::kOk);
  EXPECT_EQ(pool.cached(), 1000u);
  free_all(alloc(pool, 990));
  EXPECT_EQ(pool.fill(500), Status::kOk);
  EXPECT_EQ(pool.cached(), 500u);
}

TEST_F(PoolTest, P5ASmallFillSwitchesRefillsOffUntilThePoolIsEmpty) {
  Pool pool(*domain_, kSize, kAlignment, {3, 5});
  ASSERT_EQ(pool.fill(2), Status::kOk);
  free_all(alloc(pool, 1));
  domain_->drain();
  EXPECT_EQ(pool.cached(), 1u);
  free_all(alloc(pool, 1));
  domain_->drain();
  EXPECT_EQ(pool.cached(), 5u) << "the alloc that leaves none starts a refill";
  free_all(alloc(pool, 3));
  domain_->drain();
  EXPECT_EQ(pool.cached(), 5u) << "refills are on again";
}

TEST_F(PoolTest, P5AnyOtherFillSwitchesRefillsOn) {
  for (const size_t target : {size_t{0}, size_t{3}, size_t{5}, size_t{9}}) {
    Pool pool(*domain_, kSize, kAlignment, {3, 5});
    ASSERT_EQ(pool.fill(2), Status::kOk);
    ASSERT_EQ(pool.fill(target), Status::kOk);
    free_all(alloc(pool, pool.cached() - 2));
    domain_->drain();
    EXPECT_EQ(pool.cached(), 5u) << target;
  }
}

TEST_F(PoolTest, P5ASmallFillOfAFullPoolCountsToo) {
  Pool pool(*domain_, kSize, kAlignment, {3, 5});
  ASSERT_EQ(pool.fill(), Status::kOk);
  ASSERT_EQ(pool.fill(1), Status::kOk);
  EXPECT_EQ(pool.cached(), 5u);
  free_all(alloc(pool, 4));
  domain_->drain();
  EXPECT_EQ(pool.cached(), 1u);
  EXPECT_TRUE(pool.empty());
  EXPECT_EQ(pool.alloc(), nullptr);
  domain_->drain();
  EXPECT_EQ(pool.cached(), 5u) << "an alloc that finds the pool empty starts a refill";
}

TEST_F(PoolTest, P6EmptyFreesTheStockAndForgetsRequests) {
  Pool pool(*domain_, kSize, kAlignment, {50, 100});
  for (int i = 0; i < 50; ++i) {
    free_all({pool.alloc()});
    EXPECT_TRUE(pool.empty());
    EXPECT_EQ(pool.cached(), 0u);
    domain_->drain();
    ASSERT_EQ(pool.cached(), 0u) << "refilled after empty";
  }
  EXPECT_EQ(pool.alloc(), nullptr);
  domain_->drain();
  EXPECT_EQ(pool.cached(), 100u);
}

TEST_F(PoolTest, P8AreasOutliveTheirPool) {
  std::vector<void*> areas;
  {
    Pool pool(*domain_, kSize, kAlignment, {0, 4});
    ASSERT_EQ(pool.fill(), Status::kOk);
    areas = alloc(pool, 3);
  }
  for (void* area : areas) std::memset(per_cpu_ptr(area, 1), 1, kSize);
  free_all(areas);
}

TEST_F(PoolTest, TableCallbacksMayAllocButNotFillOrEmpty) {
  static Pool* pool;
  static void* area;
  auto owned = std::make_unique<Pool>(*domain_, kSize, kAlignment, Watermarks{0, 4});
  ASSERT_EQ(owned->fill(), Status::kOk);
  pool = owned.get();
  CountedRef ref;
  ASSERT_EQ(ref.init(*domain_, &CountedRef::release, Flags::kInitAtomic), Status::kOk);
  ref.in_release = [](CountedRef&) {
    area = pool->alloc();
    EXPECT_EQ(pool->fill(9), Status::kInvalidArgument);
    EXPECT_FALSE(pool->empty());
  };
  ref.put();
  EXPECT_NE(area, nullptr);
  EXPECT_EQ(pool->cached(), 3u);
  EXPECT_EQ(log_.take(), (Reports{"fill: wait_in_callback", "empty: wait_in_callback"}));
  domain_->free_percpu(area);

  ASSERT_TRUE(ref.reinit());
  static std::unique_ptr<Pool> dying;
  dying = std::move(owned);
  ref.in_release = [](CountedRef&) { dying.reset(); };
  ref.put();
  EXPECT_EQ(log_.take(), Reports{"~Pool: wait_in_callback"});
}

TEST_F(PoolTest, P10ADomainThatEndsFirstReportsThePool) {
  auto pool = std::make_unique<Pool>(*domain_, kSize, kAlignment, Watermarks{2, 4});
  ASSERT_EQ(pool->fill(), Status::kOk);
  domain_.reset();
  EXPECT_EQ(log_.take(), Reports{"~Domain: pool_alive"}) << "its stock is its own affair";
  // Nothing was freed under it.
  for (int i = 0; i < 4; ++i) {
    void* area = pool->alloc();
    ASSERT_NE(area, nullptr);
    std::memset(per_cpu_ptr(area, 1), 1, kSize);
  }
  EXPECT_EQ(pool->alloc(), nullptr);
  EXPECT_EQ(pool->fill(3), Status::kOk);
  EXPECT_TRUE(pool->empty());
}

TEST_F(PoolTest, P10TheDomainTellsPoolsAndAreasApart) {
  Pool pool(*domain_, kSize, kAlignment, {0, 4});
  ASSERT_EQ(pool.fill(), Status::kOk);
  ASSERT_NE(pool.alloc(), nullptr);
  domain_.reset();
  EXPECT_EQ(log_.take(), (Reports{"~Domain: pool_alive", "~Domain: area_not_freed"}));
}

TEST_F(PoolTest, P9TheEndOfTheDomainWaitsForRefills) {
  auto pool = std::make_unique<Pool>(*domain_, kSize, kAlignment, Watermarks{1, 300});
  EXPECT_EQ(pool->alloc(), nullptr);
  domain_.reset();
  EXPECT_EQ(pool->cached(), 300u);
  EXPECT_EQ(log_.take(), Reports{"~Domain: pool_alive"});
}

struct Counters {
  uint64_t hits;
  alignas(32) uint32_t misses;
};

TEST_F(PoolTest, TypedPoolsHandOutTheirType) {
  TypedPool<Counters> pool(*domain_, {0, 2});
  ASSERT_EQ(pool.fill(), Status::kOk);
  Counters* counters = pool.alloc();
  ASSERT_NE(counters, nullptr);
  EXPECT_EQ(reinterpret_cast<uintptr_t>(counters) % alignof(Counters), 0u);
  per_cpu_ptr(counters, 0)->hits = 3;
  per_cpu_ptr(counters, 1)->hits = 4;
  EXPECT_EQ(counters->hits, 3u);
  EXPECT_EQ(counters->misses, 0u);
  domain_->free_percpu(counters);
}

DomainOptions fatal() {
  DomainOptions options;
  options.misuse_is_fatal = true;
  return options;
}

// Static storage: at the process's end the pool goes first, or this test program aborts.
TEST(StaticPoolTest, LivesUntilTheProcessEnds) {
  static Domain domain(fatal());
  static TypedPool<Counters> pool(domain, {1, 3});
  domain.free_percpu(pool.alloc());
  domain.drain();
  EXPECT_EQ(pool.cached(), 3u);
}

}  // namespace
