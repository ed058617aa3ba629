// SPDX-License-Identifier: Apache-2.0
#include "targets/model.h"

#include <gtest/gtest.h>

namespace targets {
namespace {

RefSetup setup(uint8_t flags, ReleaseAction release = ReleaseAction::kMark) {
  RefSetup ref;
  ref.flags = flags;
  ref.release = release;
  return ref;
}

TEST(Model, ALifeEndsOnceAndRunsEachCallbackOnce) {
  RefModel ref(setup(0));
  EXPECT_TRUE(ref.apply(OpCode::kInit, 0).result);
  ref.apply(OpCode::kGetMany, 5);
  EXPECT_FALSE(ref.is_zero());
  EXPECT_TRUE(ref.apply(OpCode::kKillAndConfirm, 0).result);
  EXPECT_FALSE(ref.apply(OpCode::kKill, 0).result);
  EXPECT_TRUE(ref.apply(OpCode::kTryget, 1).result);
  EXPECT_FALSE(ref.apply(OpCode::kTrygetLive, 1).result);
  ref.apply(OpCode::kPutMany, 6);
  EXPECT_TRUE(ref.is_zero());
  EXPECT_EQ(ref.callbacks(), (CallbackCounts{1, 1, 0}));
  EXPECT_FALSE(ref.apply(OpCode::kTryget, 1).result);
}

TEST(Model, WithoutTheFlagNothingComesBack) {
  RefModel ref(setup(0));
  ref.apply(OpCode::kInit, 0);
  for (OpCode code : {OpCode::kSwitchToAtomic, OpCode::kSwitchToAtomicSync, OpCode::kSwitchToPercpu,
                      OpCode::kResurrect, OpCode::kReinit})
    EXPECT_STREQ(ref.apply(code, 0).misuse, "no_reinit");
}

TEST(Model, DroppingMoreThanIsHeldLeaks) {
  RefModel atomic(setup(kFlagAtomic));
  atomic.apply(OpCode::kInit, 0);
  EXPECT_STREQ(atomic.apply(OpCode::kPutMany, 2).misuse, "put_below_zero");
  EXPECT_EQ(atomic.apply(OpCode::kPut, 1).misuse, nullptr);
  EXPECT_EQ(atomic.callbacks().releases, 0u);

  RefModel percpu(setup(kFlagReinit));
  percpu.apply(OpCode::kInit, 0);
  EXPECT_EQ(percpu.apply(OpCode::kPutMany, 2).misuse, nullptr);
  EXPECT_STREQ(percpu.apply(OpCode::kSwitchToAtomic, 0).misuse, "sum_below_one");
  EXPECT_EQ(percpu.callbacks().releases, 0u);
}

TEST(Model, StickinessOutlivesDeath) {
  RefModel ref(setup(kFlagReinit));
  ref.apply(OpCode::kInit, 0);
  ref.apply(OpCode::kSwitchToAtomic, 0);
  ref.apply(OpCode::kKill, 0);
  EXPECT_TRUE(ref.apply(OpCode::kReinit, 0).result);
  ref.apply(OpCode::kPut, 1);  // atomic: the last put releases
  EXPECT_EQ(ref.callbacks().releases, 2u);
  ref.apply(OpCode::kSwitchToPercpu, 0);
  EXPECT_TRUE(ref.apply(OpCode::kReinit, 0).result);
  ref.apply(OpCode::kPut, 1);  // percpu: nobody notices
  EXPECT_EQ(ref.callbacks().releases, 2u);
}

TEST(Model, ReleaseMayExitOrReinit) {
  RefModel exits(setup(0, ReleaseAction::kExit));
  exits.apply(OpCode::kInit, 0);
  exits.apply(OpCode::kKill, 0);
  EXPECT_TRUE(exits.absent());
  EXPECT_TRUE(exits.is_zero() && exits.is_dying());
  EXPECT_STREQ(exits.apply(OpCode::kTryget, 1).misuse, "not_initialised");

  RefModel reinits(setup(kFlagReinit, ReleaseAction::kReinit));
  reinits.apply(OpCode::kInit, 0);
  for (unsigned life = 1; life <= kMaxLives; ++life)
    EXPECT_TRUE(reinits.apply(OpCode::kKill, 0).result);
  EXPECT_FALSE(reinits.apply(OpCode::kKill, 0).result);
  EXPECT_EQ(reinits.callbacks().releases, kMaxLives);
}

}  // namespace
}  // namespace targets
