// SPDX-License-Identifier: Apache-2.0
// The table and the guarantees of rcu.h.
#include "core/rcu.h"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "core/ref.h"
#include "test_support.h"

namespace {

using percpu::Domain;
using percpu::DomainOptions;
using percpu::Flags;
using percpu::Rcu;
using percpu::RcuHead;
using percpu::RcuReader;
using percpu::Ref;
using percpu::Status;
using percpu_test::CountedRef;
using percpu_test::MisuseLog;
using percpu_test::Reports;

// How long something is watched that must not happen, and at most waited for what must.
constexpr auto kWatch = std::chrono::milliseconds(30);
constexpr auto kPatience = std::chrono::seconds(20);

bool comes_true(const std::atomic<bool>& flag) {
  const auto end = std::chrono::steady_clock::now() + kPatience;
  while (!flag && std::chrono::steady_clock::now() < end) std::this_thread::yield();
  return flag;
}

// Waits for a grace period on a thread of its own.
class Synchronizer {
 public:
  explicit Synchronizer(Rcu rcu) : thread_([this, rcu]() mutable { run(rcu); }) {}
  ~Synchronizer() { thread_.join(); }
  bool still_waits() const {
    std::this_thread::sleep_for(kWatch);
    return !done_;
  }
  bool returns() const { return comes_true(done_); }

 private:
  void run(Rcu rcu) {
    EXPECT_TRUE(rcu.synchronize());
    done_ = true;
  }
  std::atomic<bool> done_ = false;
  std::thread thread_;
};

struct Counted : RcuHead {
  std::atomic<int> calls = 0;
  static void callback(RcuHead& head) { ++static_cast<Counted&>(head).calls; }
};

class RcuTest : public ::testing::Test {
 protected:
  ~RcuTest() override { EXPECT_EQ(log.take(), Reports{}); }
  MisuseLog log;
  Domain domain{log.options(3)};
  Rcu rcu{domain};
};

TEST_F(RcuTest, NothingToWaitFor) {
  EXPECT_TRUE(rcu.synchronize());
  EXPECT_TRUE(rcu.barrier());
  domain.drain();
}

TEST_F(RcuTest, GracePeriodWaitsForAReaderThatIsInside) {
  const Rcu::Token token = rcu.read_lock();
  Synchronizer synchronizer(rcu);
  EXPECT_TRUE(synchronizer.still_waits()) << "U1";
  rcu.read_unlock(token);
  EXPECT_TRUE(synchronizer.returns()) << "U3";
}

TEST_F(RcuTest, NestedReaderLeavesWithTheLastUnlock) {
  const Rcu::Token outer = rcu.read_lock();
  const Rcu::Token inner = rcu.read_lock();
  { RcuReader innermost(rcu); }
  Synchronizer synchronizer(rcu);
  rcu.read_unlock(inner);
  EXPECT_TRUE(synchronizer.still_waits()) << "U1";
  const Rcu::Token again = rcu.read_lock();
  rcu.read_unlock(again);
  EXPECT_TRUE(synchronizer.still_waits()) << "U1";
  rcu.read_unlock(outer);
  EXPECT_TRUE(synchronizer.returns()) << "U3";
}

// Whether the grace period has begun before the later reader cannot be seen, and a machine may be
// too busy to let it; so there are some attempts.
TEST_F(RcuTest, GracePeriodDoesNotWaitForALaterReader) {
  bool returned = false;
  for (int attempt = 1; attempt <= 10 && !returned; ++attempt) {
    const Rcu::Token before = rcu.read_lock();
    Synchronizer synchronizer(rcu);
    for (int i = 0; i < attempt; ++i) EXPECT_TRUE(synchronizer.still_waits()) << "U1";
    std::atomic<bool> inside = false, stop = false;
    std::thread later([&] {
      RcuReader reader(rcu);
      inside = true;
      while (!stop) std::this_thread::yield();
    });
    EXPECT_TRUE(comes_true(inside));
    rcu.read_unlock(before);
    for (int i = 0; i < 10 && !returned; ++i) returned = !synchronizer.still_waits();
    stop = true;
    later.join();
    EXPECT_TRUE(synchronizer.returns());
  }
  EXPECT_TRUE(returned) << "U3";
}

// There is hardly a moment without a reader.
TEST_F(RcuTest, GracePeriodEndsUnderAStreamOfReaders) {
  std::atomic<bool> stop = false;
  std::atomic<int> rounds = 0;
  std::vector<std::thread> readers;
  for (int i = 0; i < 3; ++i) {
    readers.emplace_back([&] {
      while (!stop) {
        RcuReader reader(rcu);
        ++rounds;
        std::this_thread::yield();
      }
    });
  }
  while (rounds < 100) std::this_thread::yield();
  for (int i = 0; i < 50; ++i) EXPECT_TRUE(rcu.synchronize());
  stop = true;
  for (auto& reader : readers) reader.join();
}

TEST_F(RcuTest, ConcurrentWaitersAllReturn) {
  constexpr int kThreads = 4, kRounds = 200;
  std::atomic<int> returned = 0;
  std::vector<std::thread> threads;
  for (int i = 0; i < kThreads; ++i) {
    threads.emplace_back([&] {
      for (int round = 0; round < kRounds; ++round) {
        { RcuReader reader(rcu); }
        returned += rcu.synchronize() ? 1 : 0;
      }
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(returned, kThreads * kRounds);
}

// One that is in flight may have looked before the reader came, so it is not joined.
TEST_F(RcuTest, GracePeriodInFlightIsNotJoined) {
  const Rcu::Token first = rcu.read_lock();
  Synchronizer in_flight(rcu);
  EXPECT_TRUE(in_flight.still_waits());
  std::atomic<bool> inside = false, stop = false;
  std::thread second([&] {
    RcuReader reader(rcu);
    inside = true;
    while (!stop) std::this_thread::yield();
  });
  EXPECT_TRUE(comes_true(inside));
  Synchronizer late(rcu);
  EXPECT_TRUE(late.still_waits());
  rcu.read_unlock(first);
  EXPECT_TRUE(late.still_waits()) << "U1: the second reader is inside";
  stop = true;
  EXPECT_TRUE(in_flight.returns());
  EXPECT_TRUE(late.returns());
  second.join();
}

TEST_F(RcuTest, CallbackRunsOnceAfterTheReader) {
  Counted head;
  const Rcu::Token token = rcu.read_lock();
  EXPECT_TRUE(rcu.call(head, &Counted::callback));
  std::this_thread::sleep_for(kWatch);
  EXPECT_EQ(head.calls, 0) << "U1";
  rcu.read_unlock(token);
  EXPECT_TRUE(rcu.barrier());
  EXPECT_EQ(head.calls, 1) << "U4";
  EXPECT_TRUE(rcu.call(head, &Counted::callback));
  domain.drain();
  EXPECT_EQ(head.calls, 2) << "drain waits for callbacks, too";
}

TEST_F(RcuTest, CallbacksOfAThreadRunInOrder) {
  constexpr int kThreads = 3, kCalls = 2000;
  struct Head : RcuHead {
    int thread = 0, number = 0;
  };
  static int next[kThreads];  // the worker's
  static int misplaced;
  for (int& number : next) number = 0;
  misplaced = 0;
  std::vector<Head> heads(kThreads * kCalls);
  std::vector<std::thread> threads;
  for (int i = 0; i < kThreads; ++i) {
    threads.emplace_back([&, i] {
      for (int n = 0; n < kCalls; ++n) {
        Head& head = heads[static_cast<size_t>(i * kCalls + n)];
        head.thread = i;
        head.number = n;
        EXPECT_TRUE(rcu.call(head, [](RcuHead& called) {
          auto& self = static_cast<Head&>(called);
          misplaced += next[self.thread]++ != self.number ? 1 : 0;
        }));
      }
      EXPECT_TRUE(rcu.barrier());
      EXPECT_EQ(next[i], kCalls) << "U5";
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(misplaced, 0) << "U4";
}

struct Chain : RcuHead {
  int left = 5;
  static inline std::atomic<int> ends = 0;
  static inline Rcu* rcu = nullptr;
  static void callback(RcuHead& head) {
    auto& self = static_cast<Chain&>(head);
    if (self.left-- > 0) {
      EXPECT_TRUE(rcu->call(head, &callback));
    } else {
      delete &self;
      ++ends;
    }
  }
};

TEST_F(RcuTest, CallbackMayQueueAgainAndFree) {
  Chain::rcu = &rcu;
  Chain::ends = 0;
  EXPECT_TRUE(rcu.call(*new Chain, &Chain::callback));
  for (int i = 0; i < 6; ++i) EXPECT_TRUE(rcu.barrier());
  EXPECT_EQ(Chain::ends, 1);
}

// A long reader holds up callbacks, but nothing of a Ref (U3).
TEST_F(RcuTest, LongReaderDoesNotDelaySwitches) {
  CountedRef ref;
  ASSERT_EQ(ref.init(domain, &CountedRef::release, Flags::kAllowReinit), Status::kOk);
  Counted head;
  const Rcu::Token token = rcu.read_lock();
  EXPECT_TRUE(rcu.call(head, &Counted::callback));
  EXPECT_TRUE(ref.switch_to_atomic_sync());
  EXPECT_TRUE(ref.switch_to_percpu());
  EXPECT_TRUE(ref.kill());
  const auto end = std::chrono::steady_clock::now() + kPatience;
  while (ref.releases == 0 && std::chrono::steady_clock::now() < end) std::this_thread::yield();
  EXPECT_EQ(ref.releases, 1);
  EXPECT_EQ(head.calls, 0);
  rcu.read_unlock(token);
  EXPECT_TRUE(rcu.barrier());
  EXPECT_EQ(head.calls, 1);
}

TEST(RcuDomainTest, ReaderMayMigrate) {
  if (!percpu::platform::kCpusAreChosen) GTEST_SKIP() << "this platform asks the kernel";
  unsigned cpu = 0;
  MisuseLog log;
  DomainOptions options = log.options(3);
  options.cpu_index = [](void* context) { return *static_cast<unsigned*>(context); };
  options.cpu_index_context = &cpu;
  Domain domain(options);
  Rcu rcu(domain);
  for (unsigned from = 0; from < 3; ++from) {
    for (unsigned to = 0; to < 3; ++to) {
      cpu = from;
      const Rcu::Token first = rcu.read_lock();
      const Rcu::Token second = rcu.read_lock();
      cpu = to;
      const Rcu::Token third = rcu.read_lock();
      rcu.read_unlock(first);
      rcu.read_unlock(third);
      {
        Synchronizer synchronizer(rcu);
        EXPECT_TRUE(synchronizer.still_waits()) << "U1: from " << from << " to " << to;
        rcu.read_unlock(second);
        EXPECT_TRUE(synchronizer.returns()) << "U3: from " << from << " to " << to;
      }
      EXPECT_TRUE(rcu.synchronize());
    }
  }
  EXPECT_EQ(log.take(), Reports{});
}

TEST_F(RcuTest, WaitingInAReaderIsMisuse) {
  {
    RcuReader reader(rcu);
    EXPECT_FALSE(rcu.synchronize());
    EXPECT_FALSE(rcu.barrier());
    domain.drain();
  }
  EXPECT_EQ(log.take(), (Reports{"synchronize: wait_in_reader", "barrier: wait_in_reader",
                                 "drain: wait_in_reader"}));
  EXPECT_TRUE(rcu.synchronize());
  MisuseLog other_log;
  Domain other(other_log.options());
  Rcu other_rcu(other);
  {
    RcuReader reader(rcu);
    EXPECT_FALSE(other_rcu.synchronize()) << "one RCU a process on linux";
  }
  EXPECT_EQ(other_log.take(), Reports{"synchronize: wait_in_reader"});
}

TEST_F(RcuTest, WaitingInACallbackIsMisuse) {
  static Rcu* in_callback;
  static Domain* its_domain;
  in_callback = &rcu;
  its_domain = &domain;
  RcuHead head;
  EXPECT_TRUE(rcu.call(head, [](RcuHead&) {
    { RcuReader harmless(*in_callback); }
    EXPECT_FALSE(in_callback->synchronize());
    EXPECT_FALSE(in_callback->barrier());
    its_domain->drain();
  }));
  EXPECT_TRUE(rcu.barrier());
  EXPECT_EQ(log.take(), (Reports{"synchronize: wait_in_callback", "barrier: wait_in_callback",
                                 "drain: wait_in_callback"}));
  CountedRef ref;
  ASSERT_EQ(ref.init(domain, &CountedRef::release, Flags::kInitAtomic), Status::kOk);
  ref.in_release = [](CountedRef&) { EXPECT_FALSE(in_callback->synchronize()); };
  ref.put();
  EXPECT_EQ(log.take(), Reports{"synchronize: wait_in_callback"});
}

TEST_F(RcuTest, UnlockWithoutLockIsMisuse) {
  rcu.read_unlock(Rcu::Token());
  EXPECT_EQ(log.take(), Reports{"read_unlock: not_in_reader"});
  EXPECT_TRUE(rcu.synchronize());
}

TEST_F(RcuTest, QueuedHeadIsRefused) {
  Counted head;
  {
    RcuReader reader(rcu);
    EXPECT_TRUE(rcu.call(head, &Counted::callback));
    EXPECT_FALSE(rcu.call(head, &Counted::callback));
    EXPECT_EQ(log.take(), Reports{"call: head_queued_twice"});
  }
  EXPECT_TRUE(rcu.barrier());
  EXPECT_EQ(head.calls, 1) << "U4";
}

TEST(RcuDomainTest, EndRunsWhatIsQueuedAndWhatThatQueues) {
  struct Object : CountedRef, RcuHead {
    std::unique_ptr<Rcu> rcu;
    std::atomic<int> freed = 0;
  };
  MisuseLog log;
  Object object;
  {
    Domain domain(log.options());
    object.rcu = std::make_unique<Rcu>(domain);
    ASSERT_EQ(object.init(domain, &CountedRef::release, Flags::kAllowReinit), Status::kOk);
    // A callback kills; the release queues a callback, which ends the ref. Both take their time, so
    // that an end that does not wait goes on meanwhile.
    object.in_release = [](CountedRef& ref) {
      std::this_thread::sleep_for(kWatch);
      auto& self = static_cast<Object&>(ref);
      EXPECT_TRUE(self.rcu->call(self, [](RcuHead& head) {
        static_cast<Object&>(head).exit();
        ++static_cast<Object&>(head).freed;
      }));
    };
    EXPECT_TRUE(object.rcu->call(object, [](RcuHead& head) {
      std::this_thread::sleep_for(kWatch);
      EXPECT_TRUE(static_cast<Object&>(head).kill());
    }));
  }
  EXPECT_EQ(object.releases, 1);
  EXPECT_EQ(object.freed, 1);
  EXPECT_EQ(log.take(), Reports{});
}

TEST(RcuDomainTest, EndWaitsForReadersOfWhatIsQueued) {
  MisuseLog log;
  Counted head;
  auto domain = std::make_unique<Domain>(log.options());
  Rcu rcu(*domain);
  std::atomic<bool> inside = false, stop = false;
  std::thread reader_thread([&] {
    RcuReader reader(rcu);
    inside = true;
    while (!stop) std::this_thread::yield();
  });
  EXPECT_TRUE(comes_true(inside));
  EXPECT_TRUE(rcu.call(head, &Counted::callback));
  std::atomic<bool> ended = false;
  std::thread end([&] {
    domain.reset();
    ended = true;
  });
  std::this_thread::sleep_for(kWatch);
  EXPECT_FALSE(ended);
  EXPECT_EQ(head.calls, 0);
  stop = true;
  reader_thread.join();
  end.join();
  EXPECT_EQ(head.calls, 1);
  EXPECT_EQ(log.take(), Reports{});
}

TEST(RcuDomainTest, CallAfterTheEndIsRefused) {
  MisuseLog log;
  auto domain = std::make_unique<Domain>(log.options());
  Rcu rcu(*domain);
  CountedRef left;
  ASSERT_EQ(left.init(*domain, &CountedRef::release), Status::kOk);
  domain.reset();
  EXPECT_EQ(log.take(), Reports{"~Domain: ref_not_exited"});
  Counted head;
  EXPECT_FALSE(rcu.call(head, &Counted::callback));
  EXPECT_EQ(log.take(), Reports{"call: domain_ended"});
  { RcuReader reader(rcu); }
  EXPECT_TRUE(rcu.synchronize());
  EXPECT_TRUE(rcu.barrier());
  EXPECT_EQ(head.calls, 0);
}

TEST(RcuDomainTest, EndInAReaderOrOnTheWorkerLeaks) {
  static MisuseLog log;  // the workers go on for ever
  static Domain* own;
  static std::atomic<bool> done = false;
  auto domain = std::make_unique<Domain>(log.options());
  Rcu rcu(*domain);
  static Counted head;
  head.calls = 0;
  done = false;
  {
    RcuReader reader(rcu);
    EXPECT_TRUE(rcu.call(head, &Counted::callback));
    domain.reset();
    EXPECT_EQ(log.take(), Reports{"~Domain: wait_in_reader"});
  }
  EXPECT_TRUE(rcu.barrier());
  EXPECT_EQ(head.calls, 1);

  own = new Domain(log.options());
  static RcuHead last;
  EXPECT_TRUE(Rcu(*own).call(last, [](RcuHead&) {
    delete own;
    done = true;
  }));
  EXPECT_TRUE(comes_true(done));
  EXPECT_EQ(log.take(), Reports{"~Domain: domain_end_in_callback"});
}

TEST(RcuDomainTest, HandlesOfADomainAreOne) {
  Domain domain;
  Rcu rcu(domain);
  const Rcu::Token token = rcu.read_lock();
  Synchronizer synchronizer{Rcu(domain)};
  EXPECT_TRUE(synchronizer.still_waits());
  rcu.read_unlock(token);
  EXPECT_TRUE(synchronizer.returns());
}

}  // namespace
