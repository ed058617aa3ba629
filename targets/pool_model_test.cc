// SPDX-License-Identifier: Apache-2.0
// The model of a pool with one user, against what core/pool.h says; what it must call wrong.
#include "targets/pool_model.h"

#include <gtest/gtest.h>

namespace targets {
namespace {

StockModel model_of(uint8_t low, uint8_t high, bool memory_may_run_out = false) {
  PoolSetup setup;
  setup.low = low;
  setup.high = high;
  return {setup, memory_may_run_out};
}

TEST(PoolModel, AnAllocThatFindsNothingAsksForARefillToHigh) {
  StockModel model = model_of(1, 3);
  EXPECT_EQ(model.allocated(false).wrong, nullptr);
  EXPECT_EQ(model.settled(), 3u);
  EXPECT_EQ(model.looked(2).wrong, nullptr) << "it is on its way";
  EXPECT_EQ(model.looked(1).guarantee, 7u) << "nobody takes areas away";
  EXPECT_EQ(model.looked(4).guarantee, 4u);
  EXPECT_EQ(StockModel(model).drained(2).guarantee, 3u);
  EXPECT_EQ(model.drained(3).wrong, nullptr);
  EXPECT_EQ(model.looked(2).guarantee, 7u) << "now it is known";
}

TEST(PoolModel, EmptyForgetsWhatWasAskedFor) {
  StockModel model = model_of(2, 3);
  EXPECT_EQ(model.allocated(false).wrong, nullptr);
  EXPECT_EQ(model.emptied(0).wrong, nullptr);
  EXPECT_EQ(model.settled(), 0u);
  EXPECT_EQ(model.looked(1).guarantee, 6u);
  EXPECT_EQ(model.allocated(true).guarantee, 6u);
}

TEST(PoolModel, ASmallFillStopsRefillsUntilThePoolIsEmpty) {
  StockModel model = model_of(3, 4);
  EXPECT_EQ(model.allocated(false).wrong, nullptr);
  EXPECT_EQ(model.filled(2, true, 3).wrong, nullptr) << "a refill has come first";
  EXPECT_EQ(StockModel(model).looked(4).guarantee, 5u);
  EXPECT_EQ(model.allocated(true).wrong, nullptr);
  EXPECT_EQ(model.drained(2).wrong, nullptr);
  EXPECT_EQ(model.allocated(true).wrong, nullptr);
  EXPECT_EQ(model.settled(), 1u);
  EXPECT_EQ(model.allocated(true).wrong, nullptr);
  EXPECT_EQ(model.settled(), 4u);
  EXPECT_EQ(model.drained(4).wrong, nullptr);
}

TEST(PoolModel, AnotherFillStartsRefillsAgain) {
  StockModel model = model_of(2, 3);
  EXPECT_EQ(model.filled(1, true, 1).wrong, nullptr);
  EXPECT_EQ(model.filled(2, true, 2).wrong, nullptr);
  EXPECT_EQ(model.allocated(true).wrong, nullptr);
  EXPECT_EQ(model.settled(), 3u);
}

TEST(PoolModel, NoHighWatermarkNoRefill) {
  StockModel model = model_of(0, 0);
  EXPECT_EQ(model.allocated(false).wrong, nullptr);
  EXPECT_EQ(model.looked(1).guarantee, 4u);
}

TEST(PoolModel, WhereMemoryRunsOutOnlyLossesAreWrong) {
  StockModel model = model_of(1, 3, true);
  EXPECT_EQ(model.filled(3, false, 1).wrong, nullptr);
  EXPECT_EQ(model.filled(3, false, 0).guarantee, 7u);
  EXPECT_EQ(StockModel(model_of(1, 3)).filled(3, false, 1).guarantee, 4u);
  EXPECT_EQ(model.allocated(false).wrong, nullptr);
  EXPECT_EQ(model.settled(), 0u);
}

TEST(PoolModel, SeveralUsersLeaveARange) {
  PoolFacts facts;
  facts.keeps = true;
  facts.most = 5;
  PoolSetup setup;
  setup.low = 2;
  setup.high = 4;
  StockModel model = StockModel::after_several(setup, facts, false, true);
  EXPECT_EQ(model.settled(), 2u);
  EXPECT_EQ(StockModel(model).looked(6).guarantee, 4u);
  EXPECT_EQ(StockModel(model).drained(1).guarantee, 3u);
  EXPECT_EQ(model.drained(5).wrong, nullptr);
  EXPECT_EQ(StockModel::after_several(setup, facts, false, false).settled(), 0u);
}

}  // namespace
}  // namespace targets
