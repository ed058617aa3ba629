// SPDX-License-Identifier: Apache-2.0
// Pools on real threads: everything at once, and alloc in signal handlers.
#include <gtest/gtest.h>
#include <pthread.h>
#include <signal.h>

#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <memory>
#include <optional>
#include <random>
#include <thread>
#include <vector>

#include "core/domain.h"
#include "core/pool.h"
#include "test_support.h"

namespace {

using percpu::Domain;
using percpu::per_cpu_ptr;
using percpu::Pool;
using percpu::Status;
using percpu::Watermarks;
using percpu_test::MisuseLog;
using percpu_test::Reports;

constexpr size_t kSize = 16;

// Writes to the whole area, with plain accesses: whoever else has it is a data race, or seen here.
bool claim(Domain& domain, void* area) {
  bool clean = true;
  for (unsigned cpu = 0; cpu < domain.cpus(); ++cpu) {
    auto* words = static_cast<uint64_t*>(per_cpu_ptr(area, cpu));
    clean = clean && words[0] == 0 && words[1] == 0;
    words[0] = words[1] = ~uint64_t{0};
  }
  return clean;
}

// P1, P4, P6, P7: nothing is handed out twice, lost, or left over, whoever does what meanwhile.
TEST(PoolStressTest, EverythingAtOnce) {
  MisuseLog log;
  {
    Domain domain(log.options());
    Pool pool(domain, kSize, 8, Watermarks{20, 60});
    std::atomic<bool> stop = false;
    std::atomic<uint64_t> dirty = 0, taken = 0, overshoots = 0;
    std::vector<std::thread> threads;
    for (unsigned seed = 1; seed <= 3; ++seed) {
      threads.emplace_back([&, seed] {
        std::minstd_rand random(seed);
        std::vector<void*> mine;
        while (!stop) {
          if (void* area = pool.alloc(); area != nullptr) {
            if (!claim(domain, area)) ++dirty;
            ++taken;
            mine.push_back(area);
          }
          if (mine.size() > 40 || (random() % 3 == 0 && !mine.empty())) {
            domain.free_percpu(mine.back());
            mine.pop_back();
          }
          if (pool.cached() > 100) ++overshoots;
        }
        for (void* area : mine) domain.free_percpu(area);
      });
    }
    threads.emplace_back([&] {
      std::minstd_rand random(7);
      while (!stop) EXPECT_EQ(pool.fill(random() % 101), Status::kOk);
    });
    threads.emplace_back([&] {
      while (!stop) {
        EXPECT_TRUE(pool.empty());
        std::this_thread::yield();
      }
    });
    std::this_thread::sleep_for(std::chrono::milliseconds(1500));
    stop = true;
    for (auto& thread : threads) thread.join();
    EXPECT_EQ(dirty, 0u);
    EXPECT_EQ(overshoots, 0u);
    EXPECT_GT(taken, 1000u);
    EXPECT_TRUE(pool.empty());
    domain.drain();
    EXPECT_EQ(pool.cached(), 0u);
  }
  EXPECT_EQ(log.take(), Reports{});
}

TEST(PoolStressTest, P4ConcurrentFillsStopAtTheLargestTarget) {
  Domain domain;
  for (int round = 0; round < 50; ++round) {
    Pool pool(domain, kSize, 8, Watermarks{0, 30});
    EXPECT_EQ(pool.alloc(), nullptr);  // a refill to 30, too
    std::vector<std::thread> threads;
    for (const size_t target : {10u, 80u, 80u, 50u}) {
      threads.emplace_back([&, target] { EXPECT_EQ(pool.fill(target), Status::kOk); });
    }
    for (auto& thread : threads) thread.join();
    domain.drain();
    ASSERT_EQ(pool.cached(), 80u);
  }
}

// P6: whoever empties may destroy, while the worker is at it.
TEST(PoolStressTest, P6PoolsComeAndGoUnderTheWorker) {
  MisuseLog log;
  {
    Domain domain(log.options());
    std::vector<std::thread> threads;
    for (int i = 0; i < 3; ++i) {
      threads.emplace_back([&] {
        for (int round = 0; round < 1000; ++round) {
          auto pool = std::make_unique<Pool>(domain, kSize, 8, Watermarks{3, 20});
          EXPECT_EQ(pool->alloc(), nullptr);
          void* area = pool->alloc();
          if (round % 2 == 0) {
            EXPECT_TRUE(pool->empty());
          }
          pool.reset();
          domain.free_percpu(area);
        }
      });
    }
    for (auto& thread : threads) thread.join();
  }
  EXPECT_EQ(log.take(), Reports{});
}

// P2. The handler's variables are the only memory that it shares with anybody.
Domain* storm_domain;
Pool* storm_pool;
std::atomic<uint64_t> storm_taken, storm_dirty;
constexpr size_t kStormKept = 4096;
std::atomic<void*> storm_areas[kStormKept];  // what handlers have taken, for threads to free

void on_storm(int) {
  const int kept = errno;
  void* area = storm_pool->alloc();
  if (errno != kept) ++storm_dirty;
  if (area == nullptr) return;
  if (!claim(*storm_domain, area)) ++storm_dirty;
  storm_areas[storm_taken++ % kStormKept].store(area);
}

size_t free_what_handlers_took() {
  size_t freed = 0;
  for (auto& slot : storm_areas) {
    if (slot.load() == nullptr) continue;
    storm_domain->free_percpu(slot.exchange(nullptr));
    ++freed;
  }
  return freed;
}

// Handlers interrupt fill, empty, alloc and free wherever these are, on threads that hold the
// pool's and the domain's lock.
TEST(PoolStressTest, P2AllocInSignalHandlers) {
  MisuseLog log;
  {
    Domain domain(log.options());
    Pool pool(domain, kSize, 8, Watermarks{20, 60});
    storm_domain = &domain;
    storm_pool = &pool;
    storm_taken = storm_dirty = 0;
    struct sigaction action = {};
    action.sa_handler = on_storm;
    action.sa_flags = SA_RESTART;
    sigaction(SIGUSR2, &action, nullptr);
    std::atomic<bool> stop = false, quiet = false;
    std::atomic<int> done = 0;
    std::vector<std::thread> threads;
    const auto keep = [&](auto work) {
      threads.emplace_back([&stop, &quiet, &done, work] {
        while (!stop) {
          errno = 4711;
          work();
        }
        ++done;
        while (!quiet) std::this_thread::yield();  // joinable, so that it can be signalled
      });
    };
    keep([&] { EXPECT_EQ(pool.fill(40), Status::kOk); });
    keep([&] {
      EXPECT_TRUE(pool.empty());
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    });
    keep([&] {
      void* area = pool.alloc();
      if (area != nullptr && !claim(domain, area)) ++storm_dirty;
      domain.free_percpu(area);
    });
    const auto begin = std::chrono::steady_clock::now();
    const auto within = [begin](int ms) {
      return std::chrono::steady_clock::now() < begin + std::chrono::milliseconds(ms);
    };
    uint64_t sent = 0, freed = 0;
    // On a busy machine the pool is found empty more often.
    while (within(1500) || (storm_taken <= 1000 && within(30000))) {
      for (auto& thread : threads) {
        // At most as many handlers at a time as there is room for what they take.
        if (storm_taken - freed >= kStormKept - 64) continue;
        pthread_kill(thread.native_handle(), SIGUSR2);
        ++sent;
      }
      if (sent % 64 == 0) freed += free_what_handlers_took();
    }
    stop = true;
    while (done != 3) std::this_thread::yield();
    quiet = true;
    for (auto& thread : threads) thread.join();
    free_what_handlers_took();
    EXPECT_EQ(storm_dirty, 0u);
    EXPECT_GT(storm_taken, 1000u) << "of " << sent << " signals";
  }
  EXPECT_EQ(log.take(), Reports{});
}

}  // namespace
