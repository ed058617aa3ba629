// SPDX-License-Identifier: Apache-2.0
// Real threads: readers follow a pointer to plain data while writers replace and free it, by
// callback and after synchronize. What is freed is overwritten first, so that also a build without
// sanitizers notices.
#include <gtest/gtest.h>

#include <atomic>
#include <thread>
#include <vector>

#include "core/rcu.h"
#include "test_support.h"

namespace {

using percpu::Domain;
using percpu::Rcu;
using percpu::RcuHead;
using percpu::RcuReader;
using percpu_test::MisuseLog;
using percpu_test::Reports;

constexpr uint64_t kPoison = 0xdeaddeaddeaddead;

struct Pair : RcuHead {
  explicit Pair(uint64_t v) : value(v), twice(2 * v) { ++alive; }
  ~Pair() {
    value = twice = kPoison;
    std::atomic_signal_fence(std::memory_order_seq_cst);  // so that the poison is written
    --alive;
  }
  static void free(RcuHead& head) { delete static_cast<Pair*>(&head); }

  uint64_t value;
  uint64_t twice;
  static inline std::atomic<int> alive = 0;
};

TEST(RcuStressTest, NobodyReadsWhatIsFreed) {
  constexpr int kReaders = 3, kWriters = 2;
  constexpr uint64_t kReplacements = 6000;
  MisuseLog log;
  std::atomic<int> torn = 0;
  {
    Domain domain(log.options(3));
    Rcu rcu(domain);
    std::atomic<Pair*> shared = new Pair(1);
    std::atomic<bool> stop = false;
    std::vector<std::thread> threads;
    for (int i = 0; i < kReaders; ++i) {
      threads.emplace_back([&] {
        for (uint64_t round = 0; !stop; ++round) {
          RcuReader reader(rcu);
          // sync[pair] acquire: the pair is seen made.
          const Pair* pair = shared.load(std::memory_order_acquire);
          const uint64_t value = pair->value;
          if (round % 8 == 0) std::this_thread::yield();  // be inside for long, and migrate
          if (round % 16 == 0) {
            RcuReader nested(rcu);
            // sync[pair] acquire: as above.
            torn += shared.load(std::memory_order_acquire)->value == kPoison ? 1 : 0;
          }
          torn += pair->twice != 2 * value || pair->value != value ? 1 : 0;
        }
      });
    }
    for (int i = 0; i < kWriters; ++i) {
      threads.emplace_back([&, i] {
        for (uint64_t n = 1; n <= kReplacements; ++n) {
          // sync[pair] acq_rel: release: readers see it made; acquire: so does who frees the old one.
          Pair* old = shared.exchange(new Pair(n), std::memory_order_acq_rel);
          if (n % 64 == static_cast<uint64_t>(i)) {
            EXPECT_TRUE(rcu.synchronize());
            delete old;
          } else {
            EXPECT_TRUE(rcu.call(*old, &Pair::free));
          }
          if (n % 512 == 0) rcu.barrier();
        }
      });
    }
    for (size_t i = kReaders; i < threads.size(); ++i) threads[i].join();
    stop = true;
    for (size_t i = 0; i < kReaders; ++i) threads[i].join();
    EXPECT_TRUE(rcu.call(*shared.load(), &Pair::free));
  }
  EXPECT_EQ(torn, 0) << "a reader saw what was freed";
  EXPECT_EQ(Pair::alive, 0);
  EXPECT_EQ(log.take(), Reports{});
}

// What readers did is there after the grace period: plain data, for the thread sanitizer.
TEST(RcuStressTest, GracePeriodCarriesWhatReadersWrote) {
  constexpr int kRounds = 300;
  MisuseLog log;
  Domain domain(log.options(2));
  Rcu rcu(domain);
  for (int round = 0; round < kRounds; ++round) {
    std::atomic<bool> removed = false, inside = false;
    int written = 0;
    std::thread reader_thread([&] {
      RcuReader reader(rcu);
      // relaxed: the test of RCU begins here; this must not order what it is about.
      inside.store(true, std::memory_order_relaxed);
      // sync[removed] acquire: what stands for an element that cannot be found any more.
      if (!removed.load(std::memory_order_acquire)) written = round + 1;
    });
    // relaxed: as in the reader. sync[removed] release: the other side.
    while (!inside.load(std::memory_order_relaxed)) std::this_thread::yield();
    removed.store(true, std::memory_order_release);
    EXPECT_TRUE(rcu.synchronize());
    EXPECT_TRUE(written == 0 || written == round + 1);
    written = -1;  // nobody else can get at it any more
    reader_thread.join();
    EXPECT_EQ(written, -1) << "U1";
  }
  EXPECT_EQ(log.take(), Reports{});
}

}  // namespace
