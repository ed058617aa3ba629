// SPDX-License-Identifier: Apache-2.0
#include "core/domain.h"

#include <gtest/gtest.h>

#include <memory>
#include <stdexcept>
#include <thread>

#include "core/check.h"
#include "core/ref.h"
#include "core/status.h"
#include "test_support.h"

namespace {

using percpu::Domain;
using percpu::DomainOptions;
using percpu::Flags;
using percpu::Status;
using percpu_test::CountedRef;
using percpu_test::MisuseLog;
using percpu_test::Reports;

TEST(DomainTest, HasItsCpus) {
  EXPECT_GE(Domain().cpus(), 1u);
  DomainOptions options;
  options.cpus = 3;
  if (percpu::platform::kCpusAreChosen) {
    EXPECT_EQ(Domain(options).cpus(), 3u);
    options.cpus = percpu::platform::kMaxCpus + 1;
    EXPECT_THROW(Domain{options}, std::invalid_argument);
  } else {
    EXPECT_EQ(Domain(options).cpus(), percpu::platform::default_cpus());
  }
}

TEST(DomainTest, AsksTheInjectedCpuIndex) {
  if (!percpu::platform::kCpusAreChosen) GTEST_SKIP() << "this platform asks the kernel";
  unsigned next = 0;
  MisuseLog log;
  DomainOptions options = log.options(3);
  options.cpu_index = [](void* context) { return (*static_cast<unsigned*>(context))++; };
  options.cpu_index_context = &next;
  Domain domain(options);
  CountedRef ref;
  ASSERT_EQ(ref.init(domain, &CountedRef::release), Status::kOk);
  for (int i = 0; i < 10; ++i) ref.get();
  for (int i = 0; i < 10; ++i) ref.put();
  EXPECT_EQ(next, 20u);
  EXPECT_TRUE(ref.kill());
  domain.drain();
  EXPECT_EQ(ref.releases, 1);
}

TEST(DomainTest, EndCompletesWhatIsQueued) {
  CountedRef ref;
  {
    Domain domain;
    ASSERT_EQ(ref.init(domain, &CountedRef::release), Status::kOk);
    ref.in_release = [](CountedRef& self) { self.exit(); };
    EXPECT_TRUE(ref.kill_and_confirm(&CountedRef::confirm));
  }
  EXPECT_EQ(ref.confirms, 1);
  EXPECT_EQ(ref.releases, 1);
}

TEST(DomainTest, EndFindsNothingLeftOfWholeLives) {
  MisuseLog log;
  {
    Domain domain(log.options());
    for (const Flags flags : {Flags::kNone, Flags::kAllowReinit, Flags::kInitAtomic}) {
      CountedRef ref;
      ASSERT_EQ(ref.init(domain, &CountedRef::release, flags), Status::kOk);
      EXPECT_TRUE(ref.kill());
      domain.drain();
      EXPECT_EQ(ref.releases, 1);
    }
    CountedRef cancelled;
    ASSERT_EQ(cancelled.init(domain, &CountedRef::release), Status::kOk);
    cancelled.cancel_init();
  }
  EXPECT_EQ(log.take(), Reports{}) << "the library lost an area or a ref of its own";
}

TEST(DomainTest, EndReportsRefsThatAreLeft) {
  MisuseLog log;
  auto domain = std::make_unique<Domain>(log.options());
  CountedRef first, second, third;
  ASSERT_EQ(first.init(*domain, &CountedRef::release), Status::kOk);
  ASSERT_EQ(second.init(*domain, &CountedRef::release, Flags::kAllowReinit), Status::kOk);
  ASSERT_EQ(third.init(*domain, &CountedRef::release), Status::kOk);
  second.exit();
  domain.reset();
  EXPECT_EQ(log.refs(), (std::vector<const percpu::Ref*>{&third, &first}));
  EXPECT_EQ(log.take(), (Reports{"~Domain: ref_not_exited", "~Domain: ref_not_exited"}));
  // Nothing was freed under them.
  first.get();
  first.put();
  EXPECT_FALSE(first.kill());
  EXPECT_EQ(log.take(), Reports{"kill: domain_ended"});
  EXPECT_FALSE(first.is_dying());
  first.exit();
  EXPECT_EQ(log.take(), Reports{});
}

TEST(DomainTest, AreasAreZeroOnEveryCpuAndApart) {
  MisuseLog log;
  {
    Domain domain(log.options());
    EXPECT_EQ(domain.alloc_percpu(0, 8), nullptr);
    EXPECT_EQ(domain.alloc_percpu(Domain::kMaxAreaSize + 1, 8), nullptr);
    EXPECT_EQ(domain.alloc_percpu(8, 12), nullptr);
    EXPECT_EQ(domain.alloc_percpu(8, 2 * Domain::kMaxAreaAlignment), nullptr);
    for (int round = 0; round < 2; ++round) {
      auto* first = domain.alloc_percpu<uint64_t>();
      auto* second = domain.alloc_percpu<uint64_t>();
      ASSERT_TRUE(first != nullptr && second != nullptr);
      for (unsigned cpu = 0; cpu < domain.cpus(); ++cpu) {
        EXPECT_EQ(*percpu::per_cpu_ptr(first, cpu), 0u);
        *percpu::per_cpu_ptr(first, cpu) = 1;
        EXPECT_EQ(*percpu::per_cpu_ptr(second, cpu), 0u);
      }
      EXPECT_LT(domain.current_cpu(), domain.cpus());
      ++*percpu::per_cpu_ptr(first, domain.current_cpu());
      domain.free_percpu(first);
      domain.free_percpu(second);
    }
    domain.free_percpu(nullptr);
  }
  EXPECT_EQ(log.take(), Reports{});
}

TEST(DomainTest, FreesNothingButAreas) {
  MisuseLog log;
  Domain domain(log.options()), other(log.options());
  auto* area = static_cast<std::byte*>(domain.alloc_percpu(64, 64));
  auto* elsewhere = other.alloc_percpu<uint64_t>();
  ASSERT_TRUE(area != nullptr && elsewhere != nullptr);
  uint64_t local = 0;
  for (void* wrong :
       {static_cast<void*>(area + 8), static_cast<void*>(area + 1), static_cast<void*>(area - 64),
        static_cast<void*>(area + 64), static_cast<void*>(percpu::per_cpu_ptr(area, 1)),
        static_cast<void*>(elsewhere), static_cast<void*>(&local),
        reinterpret_cast<void*>(uintptr_t{8}), reinterpret_cast<void*>(~uintptr_t{7})}) {
    domain.free_percpu(wrong);
    EXPECT_EQ(log.take(), Reports{"free_percpu: not_an_area"}) << wrong;
  }
  other.free_percpu(elsewhere);
  domain.free_percpu(area);
  EXPECT_EQ(log.take(), Reports{});
  domain.free_percpu(area);
  EXPECT_EQ(log.take(), Reports{"free_percpu: not_an_area"});
}

TEST(DomainTest, EndReportsAreasThatAreLeft) {
  MisuseLog log;
  uint64_t* area;
  {
    Domain domain(log.options());
    area = domain.alloc_percpu<uint64_t>();
    domain.free_percpu(domain.alloc_percpu<uint64_t>());
  }
  EXPECT_EQ(log.take(), Reports{"~Domain: area_not_freed"});
  EXPECT_EQ(*area, 0u) << "freed under its owner";
}

// In whatever mode, and with whatever the worker was still to do for them.
TEST(DomainTest, EndKeepsWhatIsHeld) {
  MisuseLog log;
  auto domain = std::make_unique<Domain>(log.options());
  CountedRef atomic, dying, dead;
  ASSERT_EQ(dead.init(*domain, &CountedRef::release, Flags::kInitDead), Status::kOk);
  ASSERT_EQ(dying.init(*domain, &CountedRef::release), Status::kOk);
  ASSERT_EQ(atomic.init(*domain, &CountedRef::release, Flags::kInitAtomic), Status::kOk);
  dying.get_many(2);
  EXPECT_TRUE(dying.kill_and_confirm(&CountedRef::confirm));
  domain.reset();
  EXPECT_EQ(log.refs(), (std::vector<const percpu::Ref*>{&atomic, &dying, &dead}));
  EXPECT_EQ(log.take(), (Reports{"~Domain: ref_not_exited", "~Domain: ref_not_exited",
                                 "~Domain: ref_not_exited"}));
  EXPECT_EQ(dying.confirms, 1);
  EXPECT_TRUE(dying.tryget());
  dying.put_many(2);
  EXPECT_EQ(dying.releases, 0);
  dying.put();
  EXPECT_EQ(dying.releases, 1);
  // What needs no worker still works.
  atomic.get();
  EXPECT_TRUE(atomic.kill());
  EXPECT_TRUE(atomic.resurrect());
  atomic.put_many(2);
  EXPECT_EQ(atomic.releases, 1);
  EXPECT_TRUE(dead.is_zero());
  for (CountedRef* ref : {&atomic, &dying, &dead}) ref->exit();
  EXPECT_EQ(log.take(), Reports{});
}

TEST(DomainTest, EndInTheReleaseOfItsOwnLastRefIsReported) {
  static std::unique_ptr<Domain> own;
  MisuseLog log;
  own = std::make_unique<Domain>(log.options());
  CountedRef ref;
  ASSERT_EQ(ref.init(*own, &CountedRef::release, Flags::kInitAtomic), Status::kOk);
  ref.in_release = [](CountedRef& self) {
    self.exit();
    own.reset();
  };
  EXPECT_TRUE(ref.kill());
  EXPECT_EQ(log.take(), Reports{"~Domain: domain_end_in_callback"});
}

// A confirm cannot exit its ref, so that the call which it is in finds the domain's insides.
TEST(DomainTest, EndInAConfirmLeaks) {
  static std::unique_ptr<Domain> own;
  static MisuseLog log;
  own = std::make_unique<Domain>(log.options());
  CountedRef ref;
  ASSERT_EQ(ref.init(*own, &CountedRef::release, Flags::kInitAtomic), Status::kOk);
  ref.in_confirm = [](CountedRef&) { own.reset(); };
  EXPECT_TRUE(ref.kill_and_confirm(&CountedRef::confirm));
  EXPECT_EQ(ref.releases, 1);
  EXPECT_EQ(log.take(), (Reports{"~Domain: domain_end_in_callback", "~Domain: ref_not_exited"}));
  ref.exit();
  EXPECT_EQ(log.take(), Reports{});
}

TEST(DomainTest, TwoDomainsShareNothing) {
  MisuseLog log_a, log_b;
  Domain a(log_a.options()), b(log_b.options());
  CountedRef ref_a, ref_b;
  ASSERT_EQ(ref_a.init(a, &CountedRef::release, Flags::kInitAtomic), Status::kOk);
  ASSERT_EQ(ref_b.init(b, &CountedRef::release, Flags::kInitAtomic), Status::kOk);
  ref_a.put_many(2);
  EXPECT_EQ(log_a.take(), Reports{"put_many: put_below_zero"});
  EXPECT_EQ(log_b.take(), Reports{});
  EXPECT_TRUE(ref_b.kill());
  EXPECT_EQ(ref_b.releases, 1);
}

TEST(DomainTest, EndInACallbackOfAnotherDomainIsReported) {
  static std::unique_ptr<Domain> inner;
  MisuseLog log;
  inner = std::make_unique<Domain>(log.options());
  {
    Domain outer;
    CountedRef ref;
    ASSERT_EQ(ref.init(outer, &CountedRef::release, Flags::kInitAtomic), Status::kOk);
    ref.in_release = [](CountedRef&) { inner.reset(); };
    ref.put();
  }
  EXPECT_EQ(log.take(), Reports{"~Domain: domain_end_in_callback"});
}

TEST(DomainTest, EndOnItsOwnWorkerLeaksInsteadOfDeadlocking) {
  static Domain* own;
  static MisuseLog log;  // the worker goes on for ever
  own = new Domain(log.options());
  static CountedRef ref;
  static std::atomic<bool> done = false;
  ASSERT_EQ(ref.init(*own, &CountedRef::release), Status::kOk);
  ref.in_release = [](CountedRef& self) {
    self.exit();
    delete own;
    done = true;
  };
  EXPECT_TRUE(ref.kill());
  while (!done) std::this_thread::yield();
  EXPECT_EQ(log.take(), Reports{"~Domain: domain_end_in_callback"});
}

TEST(DomainDeathTest, DefaultHandlerPrintsOnceADomainAndCheck) {
  testing::internal::CaptureStderr();
  {
    Domain domain;
    CountedRef ref;
    ASSERT_EQ(ref.init(domain, &CountedRef::release, Flags::kInitAtomic), Status::kOk);
    ref.put_many(0);
    ref.get_many(0);
    ref.put_many(2);
  }
  const std::string output = testing::internal::GetCapturedStderr();
  EXPECT_EQ(std::count(output.begin(), output.end(), '\n'), 2) << output;
  EXPECT_NE(output.find("bad_count: put_many"), std::string::npos) << output;
  EXPECT_NE(output.find("put_below_zero: put_many"), std::string::npos) << output;
  EXPECT_NE(output.find("state: atomic"), std::string::npos) << output;
}

TEST(StatusTest, EachHasItsName) {
  EXPECT_STREQ(percpu::status_name(Status::kOk), "ok");
  EXPECT_STREQ(percpu::status_name(Status::kOutOfMemory), "out of memory");
  EXPECT_STREQ(percpu::status_name(Status::kInvalidArgument), "invalid argument");
  EXPECT_STREQ(percpu::status_name(Status::kRefused), "refused");
  EXPECT_STREQ(percpu::status_name(static_cast<Status>(99)), "unknown status");
}

TEST(CheckDeathTest, ABrokenInvariantStopsTheProcess) {
  testing::FLAGS_gtest_death_test_style = "threadsafe";
  EXPECT_DEATH(PERCPU_CHECK(testing::internal::AlwaysFalse()),
               "percpu: check failed: testing::internal::AlwaysFalse\\(\\)");
}

TEST(DomainDeathTest, MisuseCanBeFatal) {
  testing::FLAGS_gtest_death_test_style = "threadsafe";
  EXPECT_DEATH(
      {
        DomainOptions options;
        options.misuse_is_fatal = true;
        Domain domain(options);
        CountedRef ref;
        if (ref.init(domain, &CountedRef::release, Flags::kInitAtomic) == Status::kOk)
          ref.put_many(2);
      },
      "put_below_zero");
}

}  // namespace
