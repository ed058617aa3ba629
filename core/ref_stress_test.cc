// SPDX-License-Identifier: Apache-2.0
// Real threads: the guarantees of ref.h while modes change under the readers. Payloads are plain
// data, so that a thread sanitizer judges what release may see.
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <thread>
#include <vector>

#include "core/domain.h"
#include "core/ref.h"
#include "test_support.h"

namespace {

using percpu::Domain;
using percpu::Flags;
using percpu::Ref;
using percpu::Status;
using percpu_test::MisuseLog;
using percpu_test::Reports;

constexpr int kReaders = 3;
constexpr int kLives = 800;

struct Payload : Ref {
  int written[kReaders] = {};   // by reader i, before its last put
  uint64_t sum_at_release = 0;  // plain, read by main after it has seen `released`
  std::atomic<int> releases = 0;
  std::atomic<int> confirms = 0;
  std::atomic<bool> confirmed = false;

  static void release(Ref& ref) {
    auto& self = static_cast<Payload&>(ref);
    for (const int value : self.written) self.sum_at_release += static_cast<uint64_t>(value);
    // sync[released] release: the sum is there for who waits.
    self.releases.fetch_add(1, std::memory_order_release);
  }
  static void confirm(Ref& ref) {
    auto& self = static_cast<Payload&>(ref);
    ++self.confirms;
    // sync[confirmed] release: who sees this comes after the start of confirm (G4).
    self.confirmed.store(true, std::memory_order_release);
  }
};

// Ends the process where it would wait for ever: threads still use what the test would destroy (G3,
// G9).
void wait_for(const std::atomic<int>& counter, int value) {
  constexpr auto kPatience = std::chrono::seconds(30);
  const auto deadline = std::chrono::steady_clock::now() + kPatience;
  // sync[released] acquire: what release has written is seen.
  while (counter.load(std::memory_order_acquire) < value) {
    if (std::chrono::steady_clock::now() > deadline) {
      std::fprintf(stderr, "nothing was released within 30 s\n");
      std::abort();
    }
    std::this_thread::yield();
  }
}

class RefStressTest : public ::testing::Test {
 protected:
  ~RefStressTest() override { EXPECT_EQ(log.take(), Reports{}); }
  MisuseLog log;
  Domain domain{log.options(3)};
};

// Each reader holds a reference, takes and drops more, writes, and drops its own, while main kills.
TEST_F(RefStressTest, KillUnderReaders) {
  for (int life = 0; life < kLives; ++life) {
    auto ref = std::make_unique<Payload>();
    const Flags flags = life % 3 == 0 ? Flags::kInitAtomic : Flags::kNone;
    ASSERT_EQ(ref->init(domain, &Payload::release, flags), Status::kOk);
    ref->get_many(kReaders);
    std::vector<std::thread> readers;
    for (int i = 0; i < kReaders; ++i) {
      readers.emplace_back([&ref = *ref, i, life] {
        uint64_t held = 1;
        for (int round = 0; round < 20 + life % 7; ++round) {
          ref.get_many(2);
          held += 2;
          held += ref.tryget() ? 1 : 0;  // always, since one is held
          // sync[confirmed] acquire: the tryget_live below comes after it.
          const bool confirmed = ref.confirmed.load(std::memory_order_acquire);
          if (ref.tryget_live()) {
            EXPECT_FALSE(confirmed) << "tryget_live succeeded after confirm";
            ++held;
          }
          ref.put_many(held - 1);
          held = 1;
        }
        ref.written[i] = i + 1;
        ref.put();
      });
    }
    EXPECT_TRUE(ref->kill_and_confirm(&Payload::confirm));
    for (auto& reader : readers) reader.join();
    wait_for(ref->releases, 1);
    EXPECT_EQ(ref->sum_at_release, uint64_t{kReaders * (kReaders + 1) / 2});
    EXPECT_EQ(ref->confirms, 1);
    EXPECT_EQ(ref->releases, 1);
    domain.drain();
    ref->exit();
  }
}

TEST_F(RefStressTest, ExactlyOneKillWins) {
  for (int life = 0; life < kLives / 4; ++life) {
    Payload ref;
    ASSERT_EQ(
        ref.init(domain, &Payload::release, life % 2 == 0 ? Flags::kNone : Flags::kInitAtomic),
        Status::kOk);
    std::atomic<int> wins = 0;
    std::vector<std::thread> killers;
    for (int i = 0; i < kReaders; ++i) {
      killers.emplace_back([&] { wins += ref.kill_and_confirm(&Payload::confirm) ? 1 : 0; });
    }
    for (auto& killer : killers) killer.join();
    wait_for(ref.releases, 1);
    EXPECT_EQ(wins, 1);
    EXPECT_EQ(ref.confirms, 1);
    domain.drain();
    EXPECT_EQ(ref.releases, 1);
  }
}

// Readers never stop while others go back and forth between all modes; at the end the count is
// exact.
void conserve_counts(Domain& domain) {
  Payload ref;
  ASSERT_EQ(ref.init(domain, &Payload::release, Flags::kAllowReinit), Status::kOk);
  std::atomic<bool> stop = false;
  std::atomic<uint64_t> kept = 0;  // references taken and never dropped
  std::atomic<int> dones = 0, switches = 0, kills = 0;
  static std::atomic<int>* done_counter;
  done_counter = &dones;
  std::vector<std::thread> threads;
  for (int i = 0; i < kReaders; ++i) {
    ref.get();
    threads.emplace_back([&] {
      uint64_t mine = 0;
      for (uint64_t round = 0; !stop; ++round) {
        ref.get();
        mine += ref.tryget_many(3) ? 3 : 0;
        if (ref.tryget_live()) ref.put();
        ref.put();
        if (round % 2 == 0 && mine >= 3) {
          ref.put_many(3);
          mine -= 3;
        }
        if (round % 64 == 0) std::this_thread::yield();
      }
      kept += mine;
      ref.put();
    });
  }
  for (int i = 0; i < 2; ++i) {
    ref.get();
    threads.emplace_back([&, i] {
      for (int round = 0; round < kLives / 2; ++round) {
        if (round % 3 == i) {
          ++switches;
          EXPECT_TRUE(ref.switch_to_atomic([](Ref&) { ++*done_counter; }));
        } else {
          EXPECT_TRUE(ref.switch_to_atomic());
        }
        EXPECT_TRUE(ref.switch_to_percpu());
      }
      ref.put();
    });
  }
  ref.get();
  threads.emplace_back([&] {
    for (int round = 0; round < kLives / 2; ++round) {
      EXPECT_TRUE(ref.kill_and_confirm(&Payload::confirm));
      ++kills;
      EXPECT_FALSE(ref.kill_and_confirm(&Payload::confirm));
      EXPECT_TRUE(ref.resurrect());
    }
    ref.put();
  });
  for (size_t i = kReaders; i < threads.size(); ++i) threads[i].join();
  std::this_thread::sleep_for(std::chrono::milliseconds(20));  // readers alone, all in percpu mode
  stop = true;
  for (size_t i = 0; i < kReaders; ++i) threads[i].join();
  EXPECT_TRUE(ref.switch_to_atomic_sync());
  EXPECT_EQ(dones, switches);
  EXPECT_EQ(ref.confirms, kills);
  EXPECT_EQ(ref.releases, 0);
  if (kept != 0) ref.put_many(kept);
  EXPECT_FALSE(ref.is_zero());
  ref.put();
  EXPECT_TRUE(ref.is_zero());
  EXPECT_EQ(ref.releases, 1);
}

TEST_F(RefStressTest, CountsAreConservedOverEverySwitch) {
  conserve_counts(domain);
}

// Threads that share their percpu counter: none of them may lose another's add.
TEST_F(RefStressTest, CountsAreConservedOnOneCpu) {
  Domain narrow(log.options(1));
  conserve_counts(narrow);
}

// Objects come back from the dead, started anew by release itself or by whoever waits for it.
TEST_F(RefStressTest, ManyLivesOfOneRef) {
  Payload ref;
  ASSERT_EQ(ref.init(domain, &Payload::release, Flags::kAllowReinit), Status::kOk);
  std::atomic<bool> stop = false;
  std::vector<std::thread> threads;
  for (int i = 0; i < kReaders; ++i) {
    threads.emplace_back([&] {
      while (!stop) {
        if (ref.tryget_live()) ref.put();
        if (ref.tryget()) ref.put();
        if (ref.is_dying()) std::this_thread::yield();
      }
    });
  }
  for (int life = 1; life <= kLives / 2; ++life) {
    EXPECT_TRUE(ref.kill());
    wait_for(ref.releases, life);
    if (life % 5 == 0) {
      EXPECT_TRUE(ref.switch_to_atomic());
    } else if (life % 5 == 2) {
      EXPECT_TRUE(ref.switch_to_percpu());
    }
    EXPECT_TRUE(ref.reinit());
    EXPECT_FALSE(ref.is_dying());
  }
  stop = true;
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(ref.releases, kLives / 2);
}

// switch_to_atomic_sync: its own reference is gone when it returns.
TEST_F(RefStressTest, SyncSwitchHasDroppedItsReference) {
  for (int life = 0; life < kLives / 4; ++life) {
    Payload ref;
    ASSERT_EQ(ref.init(domain, &Payload::release, Flags::kAllowReinit), Status::kOk);
    ref.get();
    std::thread other([&] {
      ref.written[0] = 1;
      ref.put();
    });
    EXPECT_TRUE(ref.switch_to_atomic_sync());
    other.join();
    ref.put();
    EXPECT_EQ(ref.releases, 1) << "the switch still held a reference";
    EXPECT_EQ(ref.sum_at_release, 1u);
    ref.exit();
  }
}

// is_zero tells a poller that everybody's writes are there.
TEST_F(RefStressTest, IsZeroSynchronises) {
  for (int life = 0; life < kLives / 4; ++life) {
    Payload ref;
    ASSERT_EQ(ref.init(domain, [](Ref&) {}), Status::kOk);
    ref.get();
    std::thread other([&] {
      ref.written[1] = 7;
      ref.put();
    });
    EXPECT_TRUE(ref.kill());
    while (!ref.is_zero()) std::this_thread::yield();
    EXPECT_EQ(ref.written[1], 7);
    other.join();
    domain.drain();
  }
}

}  // namespace
