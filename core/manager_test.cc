// SPDX-License-Identifier: Apache-2.0
// The guarantees of manager.h, M1 to M7, on one thread and on several.
#include "core/manager.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <deque>
#include <memory>
#include <thread>
#include <vector>

#include "core/ref.h"
#include "test_support.h"

namespace percpu {
inline namespace PERCPU_PLATFORM {
void PrintTo(const Scan& scan, std::ostream* out) {
  *out << scan.visited << " visited, " << scan.released << " released";
}
}  // namespace PERCPU_PLATFORM
}  // namespace percpu

namespace {

using namespace std::chrono_literals;
using percpu::Domain;
using percpu::Flags;
using percpu::Manager;
using percpu::ManagerOptions;
using percpu::Ref;
using percpu::Scan;
using percpu::Status;
using percpu_test::CountedRef;
using percpu_test::MisuseLog;
using percpu_test::Reports;

class ManagerTest : public ::testing::Test {
 protected:
  ~ManagerTest() override { EXPECT_EQ(log.take(), Reports{}) << "a misuse that no test asked for"; }

  void make(CountedRef& ref, Flags flags = Flags::kManaged) {
    ASSERT_EQ(ref.init(domain, &CountedRef::release, flags), Status::kOk);
  }
  // Until it holds, or a minute has gone by.
  template <typename Condition>
  static bool soon(Condition condition) {
    for (int i = 0; i < 60'000; ++i) {
      if (condition()) return true;
      std::this_thread::sleep_for(1ms);
    }
    return false;
  }

  MisuseLog log;
  Domain domain{log.options()};
  Manager manager{domain};
  CountedRef ref;
};

TEST_F(ManagerTest, ReleasesOnceNobodyElseHoldsAReference) {
  make(ref);
  EXPECT_STREQ(ref.state(), "managed");
  ref.get();
  EXPECT_EQ(manager.scan_once(), (Scan{1, 0}));
  EXPECT_STREQ(ref.state(), "managed") << "a visit goes back";
  ref.put();
  EXPECT_EQ(manager.scan_once(), (Scan{1, 0})) << "the initial reference is the user's";
  ref.put();
  EXPECT_FALSE(ref.is_zero());
  EXPECT_EQ(ref.releases, 0) << "no put releases";
  EXPECT_EQ(manager.scan_once(), (Scan{1, 1}));
  EXPECT_EQ(ref.releases, 1);
  EXPECT_TRUE(ref.is_zero());
  EXPECT_TRUE(ref.is_dying());
  EXPECT_FALSE(ref.tryget());
  EXPECT_EQ(manager.scan_once(), Scan{}) << "a dead ref is not on the list";
  EXPECT_EQ(ref.releases, 1);
}

TEST_F(ManagerTest, VisitsKeepTheCount) {
  make(ref);
  ref.get_many(5);
  for (int i = 0; i < 3; ++i) EXPECT_EQ(manager.scan_once(), (Scan{1, 0}));
  ref.put_many(5);
  for (int i = 0; i < 3; ++i) EXPECT_EQ(manager.scan_once(), (Scan{1, 0}));
  ref.put();
  EXPECT_EQ(manager.scan_once(), (Scan{1, 1}));
}

TEST_F(ManagerTest, FlagsInAnyMix) {
  constexpr Flags kOthers[] = {Flags::kNone, Flags::kInitAtomic, Flags::kAllowReinit,
                               Flags::kInitAtomic | Flags::kAllowReinit};
  for (const Flags other : kOthers) {
    for (const bool dead : {false, true}) {
      CountedRef one;
      make(one, Flags::kManaged | other | (dead ? Flags::kInitDead : Flags::kNone));
      if (dead) {
        EXPECT_STREQ(one.state(), "managed, dead");
        EXPECT_TRUE(one.is_zero());
        EXPECT_EQ(manager.scan_once(), Scan{});
        EXPECT_TRUE(one.reinit());
      }
      EXPECT_STREQ(one.state(), "managed") << "managed wins over atomic";
      EXPECT_EQ(manager.scan_once(), (Scan{1, 0}));
      one.put();
      EXPECT_EQ(manager.scan_once(), (Scan{1, 1}));
      EXPECT_EQ(one.releases, 1);
    }
  }
}

// Until it is known whether the object may wait for RCU, its initial reference is put in atomic
// mode.
TEST_F(ManagerTest, BecomesManagedLater) {
  make(ref, Flags::kInitAtomic);
  ref.get();
  EXPECT_TRUE(ref.switch_to_managed());
  EXPECT_TRUE(ref.switch_to_managed()) << "nothing to do";
  ref.put_many(2);
  EXPECT_EQ(ref.releases, 0);
  EXPECT_EQ(manager.scan_once(), (Scan{1, 1})) << "on the list once";
  EXPECT_EQ(ref.releases, 1);
  EXPECT_TRUE(ref.reinit());
  EXPECT_STREQ(ref.state(), "managed") << "not sticky any more";
  ref.put();
  EXPECT_EQ(manager.scan_once(), (Scan{1, 1}));
  EXPECT_EQ(ref.releases, 2);
}

TEST_F(ManagerTest, ARunIsBoundedAndGoesOnWhereTheLastStopped) {
  std::deque<CountedRef> refs(7);
  for (CountedRef& one : refs) {
    make(one);
    one.put();
  }
  EXPECT_EQ(manager.scan_once(3), (Scan{3, 3}));
  EXPECT_EQ(manager.scan_once(3), (Scan{3, 3}));
  for (size_t i = 0; i < 7; ++i) EXPECT_EQ(refs[i].releases, i < 6 ? 1 : 0) << i;
  CountedRef& last = refs.back();
  make(ref);
  EXPECT_EQ(manager.scan_once(1), (Scan{1, 1})) << "a newcomer waits its turn";
  EXPECT_EQ(last.releases, 1);
  EXPECT_EQ(manager.scan_once(3), (Scan{1, 0}));
  EXPECT_EQ(manager.scan_once(0), Scan{});
  EXPECT_EQ(manager.scan_once(-1), Scan{});
}

// M2: held refs do not keep the manager from those behind them.
TEST_F(ManagerTest, EveryRefIsVisitedInOnePass) {
  std::deque<CountedRef> refs(10);
  for (CountedRef& one : refs) make(one);
  for (int pass = 0; pass < 10; ++pass) {
    refs[static_cast<size_t>(pass)].put();
    unsigned released = 0;
    for (int run = 0; run < 4; ++run) released += manager.scan_once(3).released;
    EXPECT_EQ(released, 1u) << pass;
    EXPECT_EQ(refs[static_cast<size_t>(pass)].releases, 1);
  }
}

TEST_F(ManagerTest, ReleaseMayReinitExitAndFree) {
  make(ref);
  ref.put();
  ref.in_release = [](CountedRef& self) {
    if (self.releases == 1) {
      EXPECT_TRUE(self.reinit());
    }
  };
  EXPECT_EQ(manager.scan_once(), (Scan{1, 1}));
  EXPECT_STREQ(ref.state(), "managed");
  EXPECT_EQ(manager.scan_once(), (Scan{1, 0}));
  ref.in_release = [](CountedRef& self) { self.exit(); };
  ref.put();
  EXPECT_EQ(manager.scan_once(), (Scan{1, 1}));
  EXPECT_STREQ(ref.state(), "not initialised");

  auto* freed = new CountedRef;
  make(*freed);
  freed->in_release = [](CountedRef& self) { delete &self; };
  freed->put();
  EXPECT_EQ(manager.scan_once(), (Scan{1, 1}));
  EXPECT_EQ(manager.scan_once(), Scan{});
}

struct Pair {
  CountedRef first, second;
};
Pair* pair = nullptr;

// Whichever release comes first exits the other: before its turn in the same run, and after.
TEST_F(ManagerTest, ReleaseMayExitAnother) {
  Pair both;
  pair = &both;
  for (CountedRef* one : {&both.first, &both.second}) {
    make(*one);
    one->put();
    one->in_release = [](CountedRef& self) {
      (&self == &pair->first ? pair->second : pair->first).exit();
    };
  }
  EXPECT_EQ(manager.scan_once(), (Scan{2, 1})) << "the other's release does not come after exit";
  EXPECT_EQ(both.first.releases + both.second.releases, 1);
}

TEST_F(ManagerTest, ReleaseMayNotWait) {
  make(ref);
  ref.put();
  static Manager* the_manager;
  the_manager = &manager;
  ref.in_release = [](CountedRef&) {
    EXPECT_EQ(the_manager->scan_once(), Scan{});
    EXPECT_FALSE(the_manager->stop());
    EXPECT_EQ(the_manager->start(), Status::kRefused);
  };
  EXPECT_EQ(manager.scan_once(), (Scan{1, 1}));
  EXPECT_EQ(log.take(),
            (Reports{"Manager::scan_once: wait_in_callback", "Manager::stop: wait_in_callback",
                     "Manager::start: wait_in_callback"}));
}

TEST_F(ManagerTest, ExitOfARefThatWasNeverUsed) {
  make(ref);
  ref.exit();
  EXPECT_EQ(manager.scan_once(), Scan{});
  make(ref);
  EXPECT_EQ(manager.scan_once(), (Scan{1, 0}));
  ref.cancel_init();
  EXPECT_EQ(manager.scan_once(), Scan{});
  EXPECT_EQ(ref.releases, 0);
  make(ref);
  ref.get();
  ref.cancel_init();
  EXPECT_EQ(log.take(), Reports{"cancel_init: cancel_after_use"});
}

TEST_F(ManagerTest, AfterExitTheManagersReferenceIsGone) {
  make(ref);
  ref.put();
  ref.exit();
  EXPECT_TRUE(ref.is_zero());
  EXPECT_FALSE(ref.is_dying());
  make(ref);
  ref.exit();
  EXPECT_FALSE(ref.is_zero()) << "the initial reference";
}

TEST_F(ManagerTest, MorePutsThanReferencesAreFoundByTheVisitAndLeak) {
  make(ref);
  ref.put_many(2);
  EXPECT_EQ(manager.scan_once(), (Scan{1, 0}));
  EXPECT_EQ(log.take(), Reports{"visit of the manager: sum_below_one"});
  for (int i = 0; i < 3; ++i) EXPECT_EQ(manager.scan_once(), (Scan{1, 0}));
  EXPECT_EQ(ref.releases, 0);
}

TEST_F(ManagerTest, OptionsThatAreWrong) {
  for (const ManagerOptions& options : {ManagerOptions{0ns, 1}, ManagerOptions{-1ns, 1},
                                        ManagerOptions{1s, 0}, ManagerOptions{1s, -1}}) {
    EXPECT_EQ(manager.start(options), Status::kInvalidArgument);
    EXPECT_FALSE(manager.running());
  }
  EXPECT_EQ(ManagerOptions().scan_interval, 5000ms);
  EXPECT_EQ(ManagerOptions().max_scan_count, 100);
}

TEST_F(ManagerTest, StartsStopsAndGoesOn) {
  EXPECT_TRUE(manager.stop()) << "nothing to do";
  ASSERT_EQ(manager.start({1ms, 1}), Status::kOk);
  EXPECT_TRUE(manager.running());
  EXPECT_EQ(manager.start({1ms, 1}), Status::kRefused);
  EXPECT_EQ(log.take(), Reports{"Manager::start: manager_runs"});
  make(ref);
  ref.put();
  EXPECT_TRUE(soon([&] { return ref.releases == 1; }));
  EXPECT_TRUE(ref.reinit());
  EXPECT_TRUE(manager.stop());
  EXPECT_FALSE(manager.running());
  ref.put();
  std::this_thread::sleep_for(10ms);
  EXPECT_EQ(ref.releases, 1) << "nothing is released while stopped";
  ASSERT_EQ(Manager(domain).start({1ms, 100}), Status::kOk) << "as good as any other handle";
  EXPECT_TRUE(soon([&] { return ref.releases == 2; }));
}

TEST_F(ManagerTest, LongestIntervalIsNoOverflow) {
  make(ref);
  ref.put();
  ASSERT_EQ(manager.start({std::chrono::nanoseconds::max(), 1}), Status::kOk);
  std::this_thread::sleep_for(10ms);
  EXPECT_EQ(ref.releases, 0);
  EXPECT_TRUE(manager.stop()) << "does not sleep through it";
  ASSERT_EQ(manager.start(), Status::kOk);
  EXPECT_TRUE(manager.stop());
  EXPECT_EQ(ref.releases, 0);
}

// G9: while the next run of the thread is always due.
TEST_F(ManagerTest, RunsByHandHaveTheirTurn) {
  CountedRef some;
  make(some);
  ASSERT_EQ(manager.start({std::chrono::nanoseconds(1), 1}), Status::kOk);
  for (int run = 0; run < 100; ++run) EXPECT_EQ(manager.scan_once(1).visited, 1u);
  EXPECT_TRUE(manager.stop());
  some.exit();
}

TEST_F(ManagerTest, ExitsBesideVisitsThatAreAlwaysDue) {
  ASSERT_EQ(manager.start({std::chrono::nanoseconds(1), 1}), Status::kOk);
  for (int i = 0; i < 100; ++i) {
    CountedRef some;
    make(some);
    some.exit();
  }
  EXPECT_TRUE(manager.stop());
}

TEST_F(ManagerTest, DomainsEndStopsIt) {
  auto other = std::make_unique<Domain>(log.options());
  ASSERT_EQ(Manager(*other).start({1ms, 1}), Status::kOk);
  other.reset();
}

TEST_F(ManagerTest, EndOfTheDomainInAReleaseOfTheManager) {
  for (const bool by_hand : {true, false}) {
    static Domain* doomed;
    doomed = new Domain(log.options());
    Manager of_doomed(*doomed);
    auto* one = new CountedRef;
    ASSERT_EQ(one->init(*doomed, &CountedRef::release, Flags::kManaged), Status::kOk);
    one->put();
    one->in_release = [](CountedRef& self) {
      self.exit();
      delete doomed;
      doomed = nullptr;
    };
    if (by_hand) {
      EXPECT_EQ(of_doomed.scan_once(), (Scan{1, 1}));
    } else {
      ASSERT_EQ(of_doomed.start({1ms, 1}), Status::kOk);
      EXPECT_TRUE(soon([&] { return !log.states().empty(); }));
    }
    EXPECT_EQ(log.take(), Reports{"~Domain: domain_end_in_callback"});
    // What is left belongs to nobody: the insides, and the ref, which the manager may still be at.
    [[maybe_unused]] static CountedRef* left[2];
    left[by_hand] = one;
  }
}

TEST_F(ManagerTest, ManagedRefLeftAtTheDomainsEnd) {
  auto* other = new Domain(log.options());
  Manager of_other(*other);
  static CountedRef left;
  ASSERT_EQ(left.init(*other, &CountedRef::release, Flags::kManaged), Status::kOk);
  delete other;
  EXPECT_EQ(log.take(), Reports{"~Domain: ref_not_exited"});
  left.put();
  left.get();
  EXPECT_EQ(of_other.scan_once(), Scan{});
  EXPECT_EQ(of_other.start(), Status::kRefused);
  EXPECT_TRUE(of_other.stop());
  EXPECT_EQ(log.take(),
            (Reports{"Manager::scan_once: domain_ended", "Manager::start: domain_ended"}));
  left.exit();
}

// M1, M4, M5, M7: objects that come and go on several threads while the manager is at them.
struct Object : Ref {
  std::array<int, 4> written = {};  // a thread each, before its put
  std::atomic<int>* alive = nullptr;

  static void release(Ref& ref) {
    auto& self = static_cast<Object&>(ref);
    int sum = 0;
    for (const int value : self.written) sum += value;
    EXPECT_EQ(sum, 4);
    self.alive->fetch_sub(1);
    delete &self;
  }
};

TEST_F(ManagerTest, StressOfObjectsThatNobodyKills) {
  constexpr int kRounds = 300;
  std::atomic<int> alive = 0;
  ASSERT_EQ(manager.start({100us, 3}), Status::kOk);
  std::array<std::atomic<Object*>, 4> handed = {};
  std::vector<std::thread> threads;
  std::atomic<bool> done = false;
  for (size_t i = 0; i < 4; ++i) {
    threads.emplace_back([&, i] {
      while (true) {
        Object* object = handed[i].exchange(nullptr);
        if (object == nullptr) {
          if (done) return;
          std::this_thread::yield();
          continue;
        }
        for (int n = 0; n < 10; ++n) {
          object->get();
          EXPECT_TRUE(object->tryget_live());
          object->put_many(2);
        }
        object->written[i] = 1;
        object->put();
      }
    });
  }
  threads.emplace_back([&] {
    while (!done) (void)manager.scan_once(2);
  });
  for (int round = 0; round < kRounds; ++round) {
    auto* object = new Object;
    object->alive = &alive;
    alive.fetch_add(1);
    ASSERT_EQ(object->init(domain, &Object::release, Flags::kManaged), Status::kOk);
    object->get_many(4);
    object->put();  // the initial one; each thread has its own
    for (auto& place : handed) {
      Object* expected = nullptr;
      while (!place.compare_exchange_weak(expected, object)) {
        expected = nullptr;
        std::this_thread::yield();
      }
    }
    if (round % 50 == 49) {
      EXPECT_TRUE(manager.stop());
      EXPECT_FALSE(manager.running());
      ASSERT_EQ(manager.start({100us, 3}), Status::kOk);
    }
  }
  while (std::any_of(handed.begin(), handed.end(), [](auto& place) { return place != nullptr; })) {
    std::this_thread::yield();
  }
  done = true;
  for (std::thread& thread : threads) thread.join();
  EXPECT_TRUE(manager.stop());
  while (manager.scan_once(1000).visited != 0) {
  }
  EXPECT_EQ(alive, 0);
}

// M4: exit while the manager is at the ref, on the thread and by hand.
TEST_F(ManagerTest, StressOfExitDuringVisits) {
  ASSERT_EQ(manager.start({50us, 2}), Status::kOk);
  std::atomic<bool> done = false;
  std::thread scanner([&] {
    while (!done) (void)manager.scan_once(3);
  });
  for (int round = 0; round < 500; ++round) {
    CountedRef some[3];
    for (CountedRef& one : some) make(one);
    some[0].get();
    some[0].put();
    std::this_thread::yield();
    some[0].exit();
    some[1].cancel_init();
    EXPECT_EQ(some[0].releases + some[1].releases, 0);
  }
  done = true;
  scanner.join();
}

}  // namespace
