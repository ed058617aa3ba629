// SPDX-License-Identifier: Apache-2.0
// Every call of ref.h's table in every state, on one thread (and the worker).
#include "core/ref.h"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <new>
#include <thread>
#include <vector>

#include "test_support.h"

namespace {

using percpu::Domain;
using percpu::Flags;
using percpu::Ref;
using percpu::Status;
using percpu_test::CountedRef;
using percpu_test::MisuseLog;
using percpu_test::Reports;

constexpr Flags kBack = Flags::kAllowReinit;

class RefTest : public ::testing::Test {
 protected:
  ~RefTest() override { EXPECT_EQ(log.take(), Reports{}) << "a misuse that no test asked for"; }

  // True count: the ref goes to atomic mode for it, so it ends the percpu life of a kAllowReinit
  // ref.
  void expect_count(CountedRef& ref, uint64_t count) {
    for (uint64_t i = 0; i < count; ++i) {
      ASSERT_FALSE(ref.is_zero()) << "after " << i;
      ref.put();
    }
    EXPECT_TRUE(ref.is_zero());
    EXPECT_EQ(log.take(), Reports{});
  }
  void make(CountedRef& ref, Flags flags = Flags::kNone) {
    ASSERT_EQ(ref.init(domain, &CountedRef::release, flags), Status::kOk);
  }
  void kill_and_drain(CountedRef& ref) {
    EXPECT_TRUE(ref.kill_and_confirm(&CountedRef::confirm));
    domain.drain();
  }

  MisuseLog log;
  Domain domain{log.options()};
  CountedRef ref;
};

TEST_F(RefTest, NeverInitialisedIsHarmlessToExit) {
  ref.exit();
  ref.cancel_init();
  EXPECT_FALSE(ref.is_dying());
}

// It has no domain whose handler could be asked.
TEST_F(RefTest, NeverInitialisedMisuseIsPrinted) {
  testing::internal::CaptureStderr();
  ref.get();
  EXPECT_FALSE(ref.tryget());
  const std::string output = testing::internal::GetCapturedStderr();
  EXPECT_NE(output.find("not_initialised: get"), std::string::npos) << output;
  EXPECT_NE(output.find("not_initialised: tryget"), std::string::npos) << output;
}

TEST_F(RefTest, InitRefusesWhatIsWrong) {
  EXPECT_EQ(ref.init(domain, nullptr), Status::kInvalidArgument);
  EXPECT_EQ(ref.init(domain, &CountedRef::release, static_cast<Flags>(64)),
            Status::kInvalidArgument);
  EXPECT_EQ(ref.init(domain, &CountedRef::release, static_cast<Flags>(16) | kBack),
            Status::kInvalidArgument);
  ref.exit();
  make(ref);
  EXPECT_EQ(ref.init(domain, &CountedRef::release), Status::kInvalidArgument);
  EXPECT_EQ(log.take(), Reports{"init: init_twice"});
}

TEST_F(RefTest, PercpuLife) {
  make(ref);
  EXPECT_FALSE(ref.is_zero());
  EXPECT_FALSE(ref.is_dying());
  ref.get();
  ref.get_many(5);
  EXPECT_TRUE(ref.tryget());
  EXPECT_TRUE(ref.tryget_many(2));
  EXPECT_TRUE(ref.tryget_live());
  EXPECT_TRUE(ref.tryget_live_many(3));
  ref.put_many(12);
  EXPECT_FALSE(ref.is_zero());
  kill_and_drain(ref);
  EXPECT_TRUE(ref.is_dying());
  EXPECT_EQ(ref.confirms, 1);
  EXPECT_EQ(ref.releases, 0);
  EXPECT_FALSE(ref.tryget_live());
  EXPECT_FALSE(ref.tryget_live_many(2));
  EXPECT_TRUE(ref.tryget());
  ref.put();
  EXPECT_FALSE(ref.is_zero());
  EXPECT_EQ(ref.releases, 0);
  ref.put();
  EXPECT_EQ(ref.releases, 1);
  EXPECT_TRUE(ref.is_zero());
  EXPECT_FALSE(ref.tryget());
  EXPECT_FALSE(ref.tryget_many(7));
  ref.exit();
  EXPECT_TRUE(ref.is_zero());
  EXPECT_TRUE(ref.is_dying());
  ref.exit();
}

TEST_F(RefTest, PercpuPutNeverReleases) {
  make(ref, kBack);
  ref.put();  // the initial one: allowed only where the ref is not killed
  EXPECT_EQ(ref.releases, 0);
  EXPECT_FALSE(ref.is_zero());
  ref.get();
  kill_and_drain(ref);
  EXPECT_EQ(ref.releases, 1);
}

TEST_F(RefTest, AtomicLifeEndsWithThePutOfTheInitialReference) {
  make(ref, Flags::kInitAtomic);
  ref.get();
  ref.put();
  EXPECT_FALSE(ref.is_zero());
  EXPECT_FALSE(ref.is_dying());
  ref.put();
  EXPECT_EQ(ref.releases, 1);
  EXPECT_TRUE(ref.is_dying());
  EXPECT_TRUE(ref.is_zero());
  EXPECT_FALSE(ref.tryget());
  EXPECT_FALSE(ref.tryget_live());
  EXPECT_FALSE(ref.kill());
}

TEST_F(RefTest, KillOfAtomicRefConfirmsAndReleasesInTheCaller) {
  make(ref, Flags::kInitAtomic);
  ref.in_confirm = [](CountedRef& self) {
    EXPECT_TRUE(self.is_dying());
    EXPECT_EQ(self.releases, 0);
    EXPECT_FALSE(self.tryget_live());
  };
  EXPECT_TRUE(ref.kill_and_confirm(&CountedRef::confirm));
  EXPECT_EQ(ref.confirms, 1);
  EXPECT_EQ(ref.releases, 1);
}

TEST_F(RefTest, OnlyOneKillWinsALife) {
  make(ref, kBack);
  ref.get();
  EXPECT_TRUE(ref.kill_and_confirm(&CountedRef::confirm));
  EXPECT_FALSE(ref.kill_and_confirm(&CountedRef::confirm));
  EXPECT_FALSE(ref.kill());
  domain.drain();
  EXPECT_FALSE(ref.kill_and_confirm(&CountedRef::confirm));
  EXPECT_EQ(ref.confirms, 1);
  EXPECT_EQ(ref.releases, 0);
  EXPECT_TRUE(ref.resurrect());
  EXPECT_TRUE(ref.kill());
  domain.drain();
  ref.put();
  EXPECT_EQ(ref.releases, 1);
}

TEST_F(RefTest, InitDeadLivesByReinitOnly) {
  make(ref, Flags::kInitDead);
  EXPECT_TRUE(ref.is_zero());
  EXPECT_TRUE(ref.is_dying());
  EXPECT_FALSE(ref.tryget());
  EXPECT_FALSE(ref.tryget_live());
  EXPECT_FALSE(ref.kill());
  EXPECT_FALSE(ref.resurrect());
  EXPECT_EQ(log.take(), Reports{"resurrect: count_zero"});
  EXPECT_TRUE(ref.reinit());
  EXPECT_FALSE(ref.is_dying());
  EXPECT_FALSE(ref.is_zero());  // percpu: not sticky by itself
  EXPECT_FALSE(ref.reinit());
  EXPECT_EQ(log.take(), Reports{"reinit: not_dead"});
  kill_and_drain(ref);
  EXPECT_EQ(ref.releases, 1);
}

TEST_F(RefTest, InitDeadAndAtomicStaysAtomicAfterReinit) {
  make(ref, Flags::kInitDead | Flags::kInitAtomic);
  EXPECT_TRUE(ref.reinit());
  ref.put();
  EXPECT_EQ(ref.releases, 1);
}

TEST_F(RefTest, CountsFromOneMode) {
  for (const Flags flags : {Flags::kNone, kBack, Flags::kInitAtomic, Flags::kInitDead}) {
    for (const uint64_t n : {uint64_t{0}, Ref::kMaxCount + 1, ~uint64_t{0}}) {
      CountedRef one;
      make(one, flags);
      one.get_many(n);
      one.put_many(n);
      EXPECT_FALSE(one.tryget_many(n));
      EXPECT_FALSE(one.tryget_live_many(n));
      EXPECT_EQ(log.take(), (Reports{"get_many: bad_count", "put_many: bad_count",
                                     "tryget_many: bad_count", "tryget_live_many: bad_count"}));
      one.cancel_init();
    }
  }
}

TEST_F(RefTest, LargeCountsSurviveASwitch) {
  make(ref, kBack);
  ref.get_many(Ref::kMaxCount - 2);  // and one is the switch's own
  EXPECT_TRUE(ref.switch_to_atomic_sync());
  ref.put_many(Ref::kMaxCount - 2);
  EXPECT_FALSE(ref.is_zero());
  EXPECT_TRUE(ref.tryget_many(uint64_t{1} << 40));
  ref.put_many(uint64_t{1} << 40);
  EXPECT_TRUE(ref.switch_to_percpu());
  EXPECT_TRUE(ref.tryget_live_many(uint64_t{1} << 62));
  ref.put_many(uint64_t{1} << 62);
  kill_and_drain(ref);
  EXPECT_EQ(ref.releases, 1);
}

TEST_F(RefTest, SwitchesKeepTheCount) {
  make(ref, kBack);
  for (int round = 0; round < 3; ++round) {
    ref.get_many(2);
    EXPECT_TRUE(ref.switch_to_atomic_sync());
    ref.get();
    EXPECT_TRUE(ref.switch_to_percpu());
    EXPECT_FALSE(ref.is_zero());
    ref.put();
    EXPECT_TRUE(ref.switch_to_percpu());
  }
  EXPECT_TRUE(ref.switch_to_atomic_sync());
  expect_count(ref, 7);
  EXPECT_EQ(ref.releases, 1);
}

TEST_F(RefTest, SwitchCallbackRunsOnceInEachMode) {
  make(ref, kBack);
  EXPECT_TRUE(ref.switch_to_atomic(&CountedRef::confirm));
  domain.drain();
  EXPECT_EQ(ref.confirms, 1);
  EXPECT_TRUE(ref.switch_to_atomic(&CountedRef::confirm));  // here
  EXPECT_EQ(ref.confirms, 2);
  EXPECT_TRUE(ref.switch_to_atomic());
  EXPECT_TRUE(ref.switch_to_percpu());
  EXPECT_TRUE(ref.switch_to_atomic());
  domain.drain();
  EXPECT_EQ(ref.confirms, 2) << "a callback of an earlier switch was called again";
  expect_count(ref, 1);
}

TEST_F(RefTest, ImmediateSwitchCallbackMayDropItsCallersReference) {
  make(ref, Flags::kInitAtomic);
  ref.in_confirm = [](CountedRef& self) {
    self.put();
    EXPECT_EQ(self.releases, 0) << "released while the switch runs on the ref";
  };
  EXPECT_TRUE(ref.switch_to_atomic(&CountedRef::confirm));
  EXPECT_EQ(ref.confirms, 1);
  EXPECT_EQ(ref.releases, 1);
  EXPECT_TRUE(ref.is_dying());
}

TEST_F(RefTest, QueuedSwitchCallbackMayDropItsCallersReference) {
  make(ref, kBack);
  ref.in_confirm = [](CountedRef& self) {
    self.put();
    EXPECT_EQ(self.releases, 0);
  };
  EXPECT_TRUE(ref.switch_to_atomic(&CountedRef::confirm));
  domain.drain();
  EXPECT_EQ(ref.releases, 1);
}

TEST_F(RefTest, SwitchesOfADeadRefTakeEffectLater) {
  make(ref, kBack);
  ref.get();
  kill_and_drain(ref);
  EXPECT_TRUE(ref.switch_to_atomic(&CountedRef::confirm));
  EXPECT_EQ(ref.confirms, 2);
  EXPECT_TRUE(ref.resurrect());
  ref.put();
  ref.put();  // sticky: atomic, so the last one releases
  EXPECT_EQ(ref.releases, 1);
  EXPECT_TRUE(
      ref.switch_to_atomic(&CountedRef::confirm));  // dead, count 0: at once, and no release
  EXPECT_EQ(ref.confirms, 3);
  EXPECT_EQ(ref.releases, 1);
  EXPECT_TRUE(ref.switch_to_percpu());
  EXPECT_TRUE(ref.is_zero());
  EXPECT_TRUE(ref.reinit());
  EXPECT_FALSE(ref.is_dying());
  ref.put();  // percpu again: never releases
  EXPECT_EQ(ref.releases, 1);
  ref.get();
  kill_and_drain(ref);
  EXPECT_EQ(ref.releases, 2);
}

TEST_F(RefTest, ResurrectTakesTheInitialReferenceAgain) {
  make(ref, kBack);
  ref.get();
  kill_and_drain(ref);
  EXPECT_TRUE(ref.resurrect());
  EXPECT_FALSE(ref.is_dying());
  EXPECT_TRUE(ref.tryget_live());
  EXPECT_TRUE(ref.switch_to_atomic_sync());
  expect_count(ref, 3);
  EXPECT_EQ(ref.releases, 1);
}

TEST_F(RefTest, ResurrectWaitsForTheKillOnItsWay) {
  make(ref, kBack);
  ref.get();
  EXPECT_TRUE(ref.kill_and_confirm(&CountedRef::confirm));
  EXPECT_TRUE(ref.resurrect());
  EXPECT_EQ(ref.confirms, 1);
  EXPECT_TRUE(ref.switch_to_atomic_sync());
  expect_count(ref, 2);
}

TEST_F(RefTest, ReinitNeedsZero) {
  make(ref, kBack);
  EXPECT_FALSE(ref.reinit());
  EXPECT_FALSE(ref.resurrect());
  EXPECT_EQ(log.take(), (Reports{"reinit: not_dead", "resurrect: not_dead"}));
  ref.get();
  kill_and_drain(ref);
  EXPECT_FALSE(ref.reinit());
  EXPECT_EQ(log.take(), Reports{"reinit: count_not_zero"});
  ref.put();
  EXPECT_FALSE(ref.resurrect());
  EXPECT_EQ(log.take(), Reports{"resurrect: count_zero"});
  EXPECT_TRUE(ref.reinit());
  kill_and_drain(ref);
  EXPECT_EQ(ref.releases, 2);
}

TEST_F(RefTest, ReinitInRelease) {
  make(ref, kBack);
  ref.in_release = [](CountedRef& self) {
    if (self.releases == 1) {
      EXPECT_TRUE(self.reinit());
    }
  };
  kill_and_drain(ref);
  EXPECT_EQ(ref.releases, 1);
  EXPECT_FALSE(ref.is_dying());
  kill_and_drain(ref);
  EXPECT_EQ(ref.releases, 2);
  EXPECT_TRUE(ref.is_dying());
}

TEST_F(RefTest, ReinitInReleaseOfAPutIsNotKilledAgain) {
  make(ref, Flags::kInitAtomic);
  ref.in_release = [](CountedRef& self) {
    if (self.releases == 1) {
      EXPECT_TRUE(self.reinit());
    }
  };
  ref.put();
  EXPECT_FALSE(ref.is_dying());
  ref.put();
  EXPECT_EQ(ref.releases, 2);
}

TEST_F(RefTest, ReleaseMayFreeTheRef) {
  auto* own = new CountedRef;
  make(*own);
  own->in_release = [](CountedRef& self) { delete &self; };
  EXPECT_TRUE(own->kill());
  domain.drain();
  own = new CountedRef;
  make(*own, Flags::kInitAtomic);
  own->in_release = [](CountedRef& self) {
    self.exit();
    delete &self;
  };
  own->put();
  own = new CountedRef;
  make(*own, Flags::kInitAtomic);
  own->in_release = [](CountedRef& self) { delete &self; };
  EXPECT_TRUE(own->kill_and_confirm(&CountedRef::confirm));
}

TEST_F(RefTest, WithoutAllowReinitThereIsNoWayBack) {
  make(ref);
  const auto attempt_all = [&] {
    EXPECT_FALSE(ref.switch_to_atomic(&CountedRef::confirm));
    EXPECT_FALSE(ref.switch_to_atomic_sync());
    EXPECT_FALSE(ref.switch_to_percpu());
    EXPECT_FALSE(ref.reinit());
    EXPECT_FALSE(ref.resurrect());
    EXPECT_EQ(
        log.take(),
        (Reports{"switch_to_atomic: no_reinit", "switch_to_atomic_sync: no_reinit",
                 "switch_to_percpu: no_reinit", "reinit: no_reinit", "resurrect: no_reinit"}));
  };
  attempt_all();
  ref.get();
  kill_and_drain(ref);
  attempt_all();
  ref.put();
  attempt_all();
  EXPECT_EQ(ref.confirms, 1);
  EXPECT_EQ(ref.releases, 1);
}

TEST_F(RefTest, EverythingAfterExitIsReported) {
  make(ref, kBack);
  ref.get_many(4);
  ref.exit();
  EXPECT_FALSE(ref.is_zero());
  EXPECT_FALSE(ref.is_dying());
  const struct {
    const char* report;
    std::function<bool()> call;
  } kCalls[] = {
      {"get", [&] { return ref.get(), false; }},
      {"get_many", [&] { return ref.get_many(2), false; }},
      {"put", [&] { return ref.put(), false; }},
      {"put_many", [&] { return ref.put_many(2), false; }},
      {"tryget", [&] { return ref.tryget(); }},
      {"tryget_live", [&] { return ref.tryget_live(); }},
      {"kill", [&] { return ref.kill(); }},
      {"kill_and_confirm", [&] { return ref.kill_and_confirm(&CountedRef::confirm); }},
      {"switch_to_atomic", [&] { return ref.switch_to_atomic(&CountedRef::confirm); }},
      {"switch_to_atomic_sync", [&] { return ref.switch_to_atomic_sync(); }},
      {"switch_to_percpu", [&] { return ref.switch_to_percpu(); }},
      {"resurrect", [&] { return ref.resurrect(); }},
      {"reinit", [&] { return ref.reinit(); }},
  };
  for (const auto& [report, call] : kCalls) {
    EXPECT_FALSE(call());
    EXPECT_EQ(log.refs(), std::vector<const Ref*>{&ref});
    EXPECT_EQ(log.states(), Reports{"not initialised"});
    EXPECT_EQ(log.take(), Reports{std::string(report) + ": not_initialised"});
  }
  EXPECT_EQ(ref.confirms, 0);
  EXPECT_FALSE(ref.is_zero()) << "the count changed after exit";
  make(ref);  // another life
  kill_and_drain(ref);
  EXPECT_EQ(ref.releases, 1);
}

TEST_F(RefTest, ExitKeepsTheTrueCount) {
  make(ref, kBack);
  ref.put();
  EXPECT_FALSE(ref.is_zero()) << "percpu mode does not know";
  ref.exit();
  EXPECT_TRUE(ref.is_zero());
}

TEST_F(RefTest, CancelInit) {
  for (const Flags flags : {Flags::kNone, kBack, Flags::kInitAtomic, Flags::kInitDead}) {
    make(ref, flags);
    ref.cancel_init();
    ref.cancel_init();
    EXPECT_EQ(log.take(), Reports{});
  }
  EXPECT_EQ(ref.releases, 0);
}

TEST_F(RefTest, CancelAfterUseIsReported) {
  const auto used = [&](Flags flags, const std::function<void(CountedRef&)>& use) {
    CountedRef one;
    make(one, flags);
    use(one);
    one.cancel_init();
    EXPECT_EQ(log.take(), Reports{"cancel_init: cancel_after_use"});
    EXPECT_FALSE(one.tryget());  // destroyed all the same
    EXPECT_EQ(log.take(), Reports{"tryget: not_initialised"});
  };
  used(Flags::kNone, [](CountedRef& one) { one.get(); });
  used(Flags::kNone, [](CountedRef& one) { one.put(); });
  used(Flags::kInitAtomic, [](CountedRef& one) { one.get(); });
  used(Flags::kInitDead, [](CountedRef& one) {
    EXPECT_TRUE(one.reinit());
    one.get();
  });
  used(Flags::kNone, [this](CountedRef& one) {
    one.get();
    kill_and_drain(one);
  });
}

// The put of one too many releases; the kill finds that the initial reference is gone.
TEST_F(RefTest, KillOfWhatConfirmHasPutLeaks) {
  make(ref, Flags::kInitAtomic);
  ref.in_confirm = [](CountedRef& self) { self.put(); };
  kill_and_drain(ref);
  EXPECT_EQ(ref.confirms, 1);
  EXPECT_EQ(ref.releases, 1);
  EXPECT_FALSE(ref.is_zero());
  EXPECT_EQ(log.take(), Reports{"kill_and_confirm: put_below_zero"});
  ref.exit();
}

TEST_F(RefTest, PutBelowZeroLeaks) {
  make(ref, Flags::kInitAtomic);
  ref.put_many(3);
  EXPECT_EQ(log.refs(), std::vector<const Ref*>{&ref});
  EXPECT_EQ(log.take(), Reports{"put_many: put_below_zero"});
  ref.put();
  EXPECT_EQ(ref.releases, 0);
  EXPECT_FALSE(ref.is_zero());
  ref.exit();
  make(ref, Flags::kInitAtomic);
  ref.put();
  ref.put();
  EXPECT_EQ(log.take(), Reports{"put: put_below_zero"});
  EXPECT_EQ(ref.releases, 1);
  EXPECT_FALSE(ref.reinit());
  EXPECT_EQ(log.take(), Reports{"reinit: count_not_zero"});
}

TEST_F(RefTest, GetFromZeroLeaks) {
  make(ref, Flags::kInitDead);
  ref.get();
  EXPECT_EQ(log.take(), Reports{"get: get_from_zero"});
  ref.put();
  EXPECT_EQ(ref.releases, 0) << "released once more";
}

TEST_F(RefTest, PercpuSumBelowOneLeaks) {
  make(ref, kBack);
  ref.put_many(2);  // one more than there are
  kill_and_drain(ref);
  EXPECT_EQ(ref.confirms, 1);
  EXPECT_EQ(ref.releases, 0);
  EXPECT_EQ(log.take(), Reports{"switch to atomic mode: sum_below_one"});
  CountedRef other;
  make(other, kBack);
  other.put_many(2);
  EXPECT_TRUE(other.switch_to_atomic_sync());
  EXPECT_EQ(log.take(), Reports{"switch to atomic mode: sum_below_one"});
  EXPECT_EQ(other.releases, 0);
}

TEST_F(RefTest, OwnCallbackMayNotChangeItsRef) {
  const auto attempt_all = [](CountedRef& self) {
    EXPECT_FALSE(self.kill());
    EXPECT_FALSE(self.switch_to_atomic());
    EXPECT_FALSE(self.switch_to_atomic_sync());
    EXPECT_FALSE(self.switch_to_percpu());
    EXPECT_FALSE(self.resurrect());
    EXPECT_FALSE(self.reinit());
    self.exit();
    self.cancel_init();
    EXPECT_TRUE(self.tryget());
    self.put();
  };
  const Reports reports{"kill: in_confirm",
                        "switch_to_atomic: in_confirm",
                        "switch_to_atomic_sync: in_confirm",
                        "switch_to_percpu: in_confirm",
                        "resurrect: in_confirm",
                        "reinit: in_confirm",
                        "exit: in_confirm",
                        "cancel_init: in_confirm"};
  ref.in_confirm = attempt_all;
  make(ref, kBack);
  EXPECT_TRUE(ref.switch_to_atomic(&CountedRef::confirm));  // on the worker
  domain.drain();
  EXPECT_EQ(log.take(), reports);
  EXPECT_TRUE(ref.switch_to_atomic(&CountedRef::confirm));  // here
  EXPECT_EQ(log.take(), reports);
  EXPECT_TRUE(ref.kill_and_confirm(&CountedRef::confirm));
  EXPECT_EQ(log.take(), reports);
  EXPECT_EQ(ref.releases, 1);
}

// A callback of one ref meets the pending switch of another.
TEST_F(RefTest, CallbacksMayNotWait) {
  static CountedRef* other;
  static Domain* shared;
  CountedRef second;
  other = &second;
  shared = &domain;
  make(ref, kBack);
  make(second, kBack);
  second.get();
  ref.in_confirm = [](CountedRef&) {
    EXPECT_FALSE(other->switch_to_atomic_sync());  // idle, but sync waits
    EXPECT_TRUE(other->switch_to_atomic());        // does not wait
    EXPECT_FALSE(other->switch_to_percpu());
    EXPECT_FALSE(other->switch_to_atomic());
    EXPECT_FALSE(other->kill());
    EXPECT_FALSE(other->is_dying());
    EXPECT_FALSE(other->resurrect());
    shared->drain();
  };
  EXPECT_TRUE(ref.switch_to_atomic(&CountedRef::confirm));
  domain.drain();
  domain.drain();
  EXPECT_EQ(log.take(), (Reports{"switch_to_atomic_sync: wait_in_callback",
                                 "switch_to_percpu: wait_in_callback",
                                 "switch_to_atomic: wait_in_callback", "kill: wait_in_callback",
                                 "resurrect: wait_in_callback", "drain: wait_in_callback"}));
  expect_count(second, 2);
  expect_count(ref, 1);
}

// A switch that is held up: the worker is busy with another ref's callback. Until it has summed,
// gets are in percpu counters and puts in the shared one.
TEST_F(RefTest, PutsDuringASwitchAreNotTakenForTheLast) {
  static std::atomic<int> stage;
  CountedRef blocker;
  blocker.in_confirm = [](CountedRef&) {
    stage = 1;
    while (stage == 1) std::this_thread::yield();
  };
  for (const uint64_t n : {uint64_t{1}, uint64_t{1} << 31, uint64_t{1} << 32, uint64_t{1} << 62}) {
    stage = 0;
    make(blocker, kBack);
    make(ref, kBack);
    EXPECT_TRUE(blocker.switch_to_atomic(&CountedRef::confirm));
    while (stage == 0) std::this_thread::yield();
    ref.get_many(n);
    EXPECT_TRUE(ref.kill_and_confirm(&CountedRef::confirm));
    ref.put_many(n);  // as many as the shared counter knows of, or more
    EXPECT_FALSE(ref.is_zero());
    EXPECT_TRUE(ref.tryget_many(n)) << n;
    EXPECT_FALSE(ref.tryget_live());
    ref.put_many(n);
    EXPECT_EQ(ref.releases, 0);
    EXPECT_EQ(ref.confirms, 0);
    ref.exit();
    ref.cancel_init();
    EXPECT_EQ(log.take(), (Reports{"exit: exit_during_switch", "cancel_init: exit_during_switch"}));
    stage = 2;
    domain.drain();
    EXPECT_EQ(ref.confirms, 1);
    EXPECT_EQ(ref.releases, 1);
    ref.exit();
    blocker.exit();
    ref.releases = ref.confirms = 0;
  }
}

TEST_F(RefTest, DestroyedDuringASwitchIsReportedAndWaits) {
  {
    CountedRef one;
    make(one, kBack);
    static std::atomic<bool> go;
    go = false;
    one.in_confirm = [](CountedRef&) {
      while (!go) std::this_thread::yield();
    };
    EXPECT_TRUE(one.switch_to_atomic(&CountedRef::confirm));
    std::thread later([] {
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
      go = true;
    });
    later.detach();
  }
  EXPECT_EQ(log.take(), Reports{"~Ref: exit_during_switch"});
}

TEST_F(RefTest, ReleaseMayKillAnother) {
  static CountedRef* other;
  CountedRef second;
  other = &second;
  make(ref);
  make(second);
  ref.in_release = [](CountedRef&) { EXPECT_TRUE(other->kill()); };
  kill_and_drain(ref);
  domain.drain();
  EXPECT_EQ(second.releases, 1);
}

TEST_F(RefTest, ManyRefsKeepTheirCountsApart) {
  // More than one chunk of percpu memory holds.
  std::vector<std::unique_ptr<CountedRef>> refs;
  for (int i = 0; i < 300; ++i) {
    refs.push_back(std::make_unique<CountedRef>());
    make(*refs.back());
    refs.back()->get_many(static_cast<uint64_t>(i) + 1);
  }
  for (auto& one : refs) EXPECT_TRUE(one->kill());
  domain.drain();
  for (uint64_t i = 0; i < refs.size(); ++i) {
    EXPECT_EQ(refs[i]->releases, 0);
    refs[i]->put_many(i + 1);
    EXPECT_EQ(refs[i]->releases, 1) << i;
  }
}

}  // namespace
