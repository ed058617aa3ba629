// SPDX-License-Identifier: Apache-2.0
#include "sched/history.h"

#include <gtest/gtest.h>

#include "sched/recording_testing.h"

namespace sched {
namespace {

std::vector<size_t> sources(const RecordingBuilder& recording) {
  std::vector<size_t> from;
  for (const Observation& seen : history_of(recording.out).steps) from.push_back(seen.read_from);
  return from;
}
std::vector<std::string> values(const RecordingBuilder& recording) {
  std::vector<std::string> held;
  for (const Observation& seen : history_of(recording.out).steps) held.push_back(seen.value);
  return held;
}
using Sources = std::vector<size_t>;
using Values = std::vector<std::string>;

TEST(History, ALoadReadsTheNewestStoreOrAnOlderOne) {
  RecordingBuilder r;
  r.load(1, 0).store(1, 1).store(2, 2).load(1, 2).load(2, 1, 1).load(2, 0, 2);
  EXPECT_EQ(sources(r), (Sources{kNowhere, kNowhere, kNowhere, 2, 1, kNowhere}));
  EXPECT_EQ(values(r), (Values{"0", "1", "2", "2", "2", "2"}));
}

TEST(History, AStoreMayComeBeforeNewerOnes) {
  RecordingBuilder r;
  r.store(1, 1).store(2, 2, 1).load(1, 1).load(1, 2, 1);
  EXPECT_EQ(values(r), (Values{"1", "1", "1", "1"}));
  EXPECT_EQ(sources(r), (Sources{kNowhere, kNowhere, 0, 1}));
}

TEST(History, AReadModifyWriteComesRightAfterWhatItRead) {
  RecordingBuilder r;
  r.store(1, 5).store(2, 9).rmw(1, 5, 6, 1).load(2, 6, 1).load(2, 9);
  EXPECT_EQ(sources(r), (Sources{kNowhere, kNowhere, 0, 2, 1}));
  EXPECT_EQ(values(r), (Values{"5", "9", "9", "9", "9"}));
}

TEST(History, WhatNobodySawStoredHasNoSource) {
  RecordingBuilder r;
  r.store(1, 1).load(2, 7).load(1, 7);
  EXPECT_EQ(sources(r), (Sources{kNowhere, kNowhere, kNowhere}));
  EXPECT_EQ(values(r), (Values{"1", "7", "7"}));
}

TEST(History, ABlockAllocatedAnewHoldsNewObjects) {
  RecordingBuilder r;
  r.store(1, 1).allocate(2, kX, 8).load(2, 1);
  EXPECT_EQ(sources(r), (Sources{kNowhere, kNowhere, kNowhere}));
  EXPECT_EQ(history_of(r.out).objects.size(), 2U);
}

TEST(History, LocksAreHeldAndFree) {
  RecordingBuilder r;
  r.add(1, StepKind::kLock, kY);
  r.add(1, StepKind::kUnlock, kY);
  EXPECT_EQ(values(r), (Values{"held by a", "free"}));
}

}  // namespace
}  // namespace sched
