// SPDX-License-Identifier: Apache-2.0
// The tables of rcuref_*.h, form by form; the lists in examples/ have them under stress.
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <thread>

#include "core/rcu.h"
#include "core/rcuref_blocking.h"
#include "core/rcuref_deferred.h"
#include "core/rcuref_locked.h"
#include "core/rcuref_tryget.h"
#include "test_support.h"

namespace {

using percpu::BlockingRefs;
using percpu::DeferredRefs;
using percpu::Domain;
using percpu::LockedRefs;
using percpu::Rcu;
using percpu::RcuHead;
using percpu::RcuReader;
using percpu::TrygetRefs;
using percpu_test::MisuseLog;
using percpu_test::Reports;

constexpr auto kWatch = std::chrono::milliseconds(30);

std::atomic<int> frees;

template <typename Freed>
void count_free(Freed&) {
  ++frees;
}

class RcurefTest : public ::testing::Test {
 protected:
  RcurefTest() { frees = 0; }
  ~RcurefTest() override { EXPECT_EQ(log.take(), Reports{}); }
  MisuseLog log;
  Domain domain{log.options()};
  Rcu rcu{domain};
};

TEST_F(RcurefTest, LockedIsFreedAtOnce) {
  LockedRefs refs(domain, &count_free);
  LockedRefs::Element element;
  refs.init(element);
  refs.get(element);
  refs.drop_initial(element);
  EXPECT_EQ(frees, 0) << "R2";
  refs.put(element);
  EXPECT_EQ(frees, 1) << "R3";
  refs.init(element);
  refs.drop_initial(element);
  EXPECT_EQ(frees, 2) << "R1: once for each init";
}

TEST_F(RcurefTest, TrygetFailsAtZeroAndFreeWaitsForReaders) {
  TrygetRefs refs(domain, &count_free);
  TrygetRefs::Element element;
  refs.init(element);
  {
    RcuReader reader(rcu);
    EXPECT_TRUE(refs.tryget(element));
    refs.get(element);
    refs.drop_initial(element);
    refs.put(element);
    EXPECT_TRUE(refs.tryget(element)) << "R6";
    refs.put(element);
    refs.put(element);
    EXPECT_FALSE(refs.tryget(element)) << "R6";
    std::this_thread::sleep_for(kWatch);
    EXPECT_EQ(frees, 0) << "R7: a reader is inside";
  }
  EXPECT_TRUE(rcu.barrier());
  EXPECT_EQ(frees, 1) << "R1";
}

TEST_F(RcurefTest, DeferredKeepsTheInitialReferenceForReaders) {
  DeferredRefs refs(domain, &count_free);
  DeferredRefs::Element element;
  refs.init(element);
  {
    RcuReader reader(rcu);
    EXPECT_TRUE(refs.drop_initial(element));
    refs.get(element);  // R8
    refs.put(element);
    std::this_thread::sleep_for(kWatch);
    EXPECT_EQ(frees, 0) << "R3: a reader is inside";
    refs.get(element);
  }
  EXPECT_TRUE(rcu.barrier());
  EXPECT_EQ(frees, 0) << "R2";
  refs.put(element);
  EXPECT_EQ(frees, 1) << "R3: at once";

  refs.init(element);
  EXPECT_TRUE(refs.drop_initial(element));
  EXPECT_TRUE(rcu.barrier());
  EXPECT_EQ(frees, 2) << "R3: nobody else held one";
}

TEST_F(RcurefTest, BlockingWaitsForReaders) {
  BlockingRefs refs(domain, &count_free);
  BlockingRefs::Element element;
  refs.init(element);
  std::atomic<bool> dropped = false;
  const Rcu::Token token = rcu.read_lock();
  std::thread remover([&] {
    EXPECT_TRUE(refs.drop_initial(element));
    dropped = true;
  });
  std::this_thread::sleep_for(kWatch);
  EXPECT_FALSE(dropped) << "R9";
  refs.get(element);  // R8
  rcu.read_unlock(token);
  remover.join();
  EXPECT_EQ(frees, 0) << "R2";
  refs.put(element);
  EXPECT_EQ(frees, 1) << "R3";

  refs.init(element);
  EXPECT_TRUE(refs.drop_initial(element));
  EXPECT_EQ(frees, 2) << "R3: inside drop_initial";
}

TEST_F(RcurefTest, BlockingIsRefusedWhereNobodyMayWait) {
  BlockingRefs refs(domain, &count_free);
  BlockingRefs::Element element;
  refs.init(element);
  {
    RcuReader reader(rcu);
    EXPECT_FALSE(refs.drop_initial(element));
  }
  EXPECT_EQ(log.take(), Reports{"synchronize: wait_in_reader"});
  EXPECT_EQ(frees, 0);
  EXPECT_TRUE(refs.drop_initial(element));
  EXPECT_EQ(frees, 1);
}

TEST_F(RcurefTest, DroppingWhatNobodyHoldsIsReportedAndFreesNothing) {
  LockedRefs refs(domain, &count_free);
  LockedRefs::Element element;
  refs.init(element);
  refs.drop_initial(element);
  refs.put(element);
  refs.put(element);
  EXPECT_EQ(log.take(),
            (Reports{"LockedRefs::put: put_below_zero", "LockedRefs::put: put_below_zero"}));
  EXPECT_EQ(frees, 1) << "R5";
}

TEST_F(RcurefTest, TrygetStillFailsAfterAPutTooMany) {
  TrygetRefs refs(domain, &count_free);
  TrygetRefs::Element element;
  refs.init(element);
  {
    RcuReader reader(rcu);
    refs.drop_initial(element);
    refs.put(element);
    EXPECT_FALSE(refs.tryget(element)) << "R6";
  }
  EXPECT_TRUE(rcu.barrier());
  EXPECT_EQ(log.take(), Reports{"TrygetRefs::put: put_below_zero"});
  EXPECT_EQ(frees, 1) << "R5";
}

TEST_F(RcurefTest, GetFromZeroLeaks) {
  DeferredRefs refs(domain, &count_free);
  DeferredRefs::Element element;
  refs.get(element);
  EXPECT_EQ(log.take(), Reports{"DeferredRefs::get: get_from_zero"});
  refs.put(element);
  refs.put(element);
  EXPECT_EQ(frees, 0) << "R5";
}

TEST_F(RcurefTest, InitTwiceLeaks) {
  LockedRefs refs(domain, &count_free);
  LockedRefs::Element element;
  refs.init(element);
  refs.get(element);
  refs.init(element);
  EXPECT_EQ(log.take(), Reports{"LockedRefs::init: init_twice"});
  refs.put(element);
  refs.put(element);
  EXPECT_EQ(frees, 0) << "R5";
}

TEST_F(RcurefTest, InitialReferenceIsDeferredOnce) {
  DeferredRefs refs(domain, &count_free);
  DeferredRefs::Element element;
  refs.init(element);
  {
    RcuReader reader(rcu);
    EXPECT_TRUE(refs.drop_initial(element));
    EXPECT_FALSE(refs.drop_initial(element));
  }
  EXPECT_TRUE(rcu.barrier());
  EXPECT_EQ(log.take(), Reports{"call: head_queued_twice"});
  EXPECT_EQ(frees, 1) << "R1";
}

}  // namespace
