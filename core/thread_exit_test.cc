// SPDX-License-Identifier: Apache-2.0
// Threads that end at every point: with references held, with a switch of theirs pending, and with
// calls in the destructors that run last.
#include <gtest/gtest.h>
#include <pthread.h>

#include <atomic>
#include <thread>
#include <vector>

#include "core/domain.h"
#include "core/rcu.h"
#include "core/ref.h"
#include "test_support.h"

namespace {

using percpu::Domain;
using percpu::Flags;
using percpu::Rcu;
using percpu::RcuReader;
using percpu::Ref;
using percpu::Status;
using percpu_test::CountedRef;
using percpu_test::MisuseLog;
using percpu_test::Reports;

class ThreadExitTest : public testing::Test {
 protected:
  void SetUp() override { ASSERT_EQ(ref_.init(domain_, &CountedRef::release), Status::kOk); }

  // After threads that have left `held` references behind: exactly these, and the initial one.
  void expect_held(uint64_t held) {
    EXPECT_TRUE(ref_.kill());
    domain_.drain();
    if (held > 1) ref_.put_many(held - 1);
    EXPECT_EQ(ref_.releases, 0);
    ref_.put();
    EXPECT_EQ(ref_.releases, 1);
    ref_.exit();
    EXPECT_EQ(log_.take(), Reports{});
  }

  MisuseLog log_;
  Domain domain_{log_.options()};
  CountedRef ref_;
};

// More threads than there are CPUs, numbers and slots.
TEST_F(ThreadExitTest, ReferencesOutliveThousandsOfThreads) {
  constexpr int kRounds = 250, kThreads = 8;
  for (int round = 0; round < kRounds; ++round) {
    std::vector<std::thread> threads;
    for (int i = 0; i < kThreads; ++i) {
      threads.emplace_back([&] {
        ref_.get_many(2);
        ref_.put();
      });
    }
    for (auto& thread : threads) thread.join();
  }
  expect_held(kRounds * kThreads);
}

TEST_F(ThreadExitTest, KillOutlivesItsThread) {
  static std::atomic<bool> open;
  open = false;
  CountedRef blocker;
  ASSERT_EQ(blocker.init(domain_, &CountedRef::release), Status::kOk);
  EXPECT_TRUE(blocker.kill_and_confirm([](Ref&) {
    while (!open) std::this_thread::yield();
  }));
  ref_.get();
  std::thread([&] { EXPECT_TRUE(ref_.kill_and_confirm(&CountedRef::confirm)); }).join();
  EXPECT_EQ(ref_.confirms, 0);
  open = true;
  domain_.drain();
  EXPECT_EQ(ref_.confirms, 1);
  EXPECT_EQ(ref_.releases, 0);
  ref_.put();
  EXPECT_EQ(ref_.releases, 1);
  blocker.exit();
  ref_.exit();
  EXPECT_EQ(log_.take(), Reports{});
}

// All that a thread may do, and that needs something of the thread's own. Leaves one reference of
// `held`.
void use_everything(Domain& domain, CountedRef& held) {
  held.get_many(3);
  EXPECT_TRUE(held.tryget() && held.tryget_live());
  held.put_many(4);
  Rcu rcu(domain);
  { RcuReader reader(rcu); }
  EXPECT_TRUE(rcu.synchronize());
  CountedRef atomic, percpu;
  EXPECT_EQ(atomic.init(domain, &CountedRef::release, Flags::kInitAtomic), Status::kOk);
  EXPECT_EQ(percpu.init(domain, &CountedRef::release, Flags::kAllowReinit), Status::kOk);
  EXPECT_TRUE(percpu.switch_to_atomic_sync());
  EXPECT_TRUE(atomic.kill() && percpu.kill());
  EXPECT_EQ(atomic.releases + percpu.releases, 2);
}

// Destroyed after every thread_local that is made later, the library's included.
struct Last {
  Domain* domain = nullptr;
  CountedRef* ref = nullptr;
  ~Last() {
    if (domain != nullptr) use_everything(*domain, *ref);
  }
};
thread_local Last last;

TEST_F(ThreadExitTest, ThreadLocalDestructorMayCallEverything) {
  constexpr int kThreads = 20;
  for (int i = 0; i < kThreads; ++i) {
    std::thread([&, uses = i % 2 == 0] {
      last.ref = &ref_;
      last.domain = &domain_;
      // Every other thread calls the library in its destructor for the first time.
      if (uses) use_everything(domain_, ref_);
    }).join();
  }
  expect_held(kThreads + kThreads / 2);
}

// They run after all thread_locals, and again while values are set.
struct KeyUser {
  pthread_key_t key;
  Domain* domain;
  CountedRef* ref;
  int rounds;
};

void on_key_end(void* value) {
  auto* user = static_cast<KeyUser*>(value);
  use_everything(*user->domain, *user->ref);
  if (--user->rounds > 0) pthread_setspecific(user->key, user);
}

TEST_F(ThreadExitTest, KeyDestructorMayCallEverything) {
  constexpr int kThreads = 20, kRoundsEach = 2;
  Rcu rcu(domain_);
  pthread_key_t key;
  ASSERT_EQ(pthread_key_create(&key, on_key_end), 0);
  for (int i = 0; i < kThreads; ++i) {
    KeyUser user{key, &domain_, &ref_, kRoundsEach};
    std::thread([&, uses = i % 2 == 0] {
      pthread_setspecific(key, &user);
      if (uses) use_everything(domain_, ref_);
    }).join();
    EXPECT_EQ(user.rounds, 0);
  }
  pthread_key_delete(key);
  EXPECT_TRUE(rcu.synchronize()) << "a thread is still counted as a reader";
  expect_held(kThreads * kRoundsEach + kThreads / 2);
}

// Deferred cancellation comes between two calls.
struct Holder {
  explicit Holder(Ref& held) : ref(held) { ref.get(); }
  ~Holder() { ref.put(); }
  Ref& ref;
};

TEST_F(ThreadExitTest, CancelledThreadUnwindsItsReferences) {
  constexpr int kThreads = 20;
  for (int i = 0; i < kThreads; ++i) {
    std::atomic<bool> running = false;
    std::thread thread([&] {
      ref_.get();  // stays
      while (true) {
        Holder holder(ref_);
        pthread_testcancel();
        running = true;
      }
    });
    while (!running) std::this_thread::yield();
    EXPECT_EQ(pthread_cancel(thread.native_handle()), 0);
    thread.join();
  }
  expect_held(kThreads);
}

}  // namespace
