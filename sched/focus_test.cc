// SPDX-License-Identifier: Apache-2.0
#include "sched/focus.h"

#include <gtest/gtest.h>

#include "sched/recording_testing.h"

namespace sched {
namespace {

// Indices of the steps that matter.
std::vector<size_t> matter(const RecordingBuilder& recording,
                           FailureKind kind = FailureKind::kOracle, const char* thread = "a") {
  Failure failure;
  failure.kind = kind;
  failure.thread = thread;
  std::vector<size_t> indices;
  const std::vector<bool> marked = steps_that_matter(recording.out, failure);
  for (size_t i = 0; i < marked.size(); ++i)
    if (marked[i]) indices.push_back(i);
  return indices;
}
using Indices = std::vector<size_t>;

TEST(Focus, WhatGoesToAndFroMatters) {
  RecordingBuilder r;
  r.store(0, 1).store(0, 2).load(0, 2).load(1, 2).store(2, 3).load(1, 3);
  EXPECT_EQ(matter(r), (Indices{1, 3, 4, 5})) << "of the first thread alone: its last write";
}

TEST(Focus, WhatOneThreadKeepsDoesNot) {
  RecordingBuilder r;
  r.store(1, 1).load(1, 1).store(1, 2);
  EXPECT_EQ(matter(r), Indices{});
}

TEST(Focus, WhatOnePreparesForAnotherDoesNot) {
  RecordingBuilder r;
  r.plain(0, true, kX).plain(1, false, kX).plain(1, true, kX);
  EXPECT_EQ(matter(r), Indices{}) << "handed over once";
  RecordingBuilder read;
  read.plain(0, true, kX).plain(1, false, kX).plain(2, false, kX).plain(1, false, kX);
  EXPECT_EQ(matter(read), Indices{}) << "read only";
}

TEST(Focus, NeighboursAreNotTheSame) {
  RecordingBuilder r;
  r.store(1, 1, 0, kX).store(2, 1, 0, kX + 8).store(1, 2, 0, kX).store(2, 2, 0, kX + 8);
  EXPECT_EQ(matter(r), Indices{});
}

TEST(Focus, TheAccessThatFailedMatters) {
  RecordingBuilder r;
  r.plain(0, true, kX).plain(1, false, kX).plain(2, true, kY);
  EXPECT_EQ(matter(r), Indices{});
  EXPECT_EQ(matter(r, FailureKind::kDataRace), (Indices{0, 1}));
}

TEST(Focus, InADeadlockLocksMatter) {
  RecordingBuilder r;
  r.add(1, StepKind::kLock, kX);
  r.add(2, StepKind::kLock, kY);
  r.store(1, 1, 0, kY + 8);
  EXPECT_EQ(matter(r), Indices{});
  EXPECT_EQ(matter(r, FailureKind::kDeadlock), (Indices{0, 1}));
}

TEST(Focus, ABlockBeginsAnewAndGoesWithWhatItHolds) {
  RecordingBuilder r;
  r.store(1, 1).allocate(2, kX, 64).store(2, 1);
  EXPECT_EQ(matter(r), Indices{});
  r.load(1, 1).store(2, 2);
  r.add(2, StepKind::kFree, kX);
  EXPECT_EQ(matter(r), (Indices{1, 2, 3, 4, 5}));
}

TEST(Focus, OperationsAndThreadsStay) {
  RecordingBuilder r;
  r.add(0, StepKind::kCreate);
  r.add(1, StepKind::kOp);
  r.add(1, StepKind::kYield);
  r.add(1, StepKind::kExit);
  EXPECT_EQ(matter(r), (Indices{0, 1, 3}));
  EXPECT_EQ(only_steps(r.out, {true, false, false, true}).steps.size(), 2U);
}

TEST(Focus, PreemptionsAreKnownByTheirChoices) {
  RecordingBuilder r;
  r.store(1, 1).store(2, 2).store(1, 3);
  r.out.choices = {{"a", 1, 4, "b"}};
  EXPECT_EQ(preemption_before(r.out, r.out.steps[0], r.out.steps[1]), kNoChoice)
      << "not known where";
  r.out.choice_steps = {2};
  EXPECT_EQ(preemption_before(r.out, r.out.steps[0], r.out.steps[1]), 0U);
  EXPECT_EQ(preemption_before(r.out, r.out.steps[1], r.out.steps[2]), kNoChoice)
      << "b could not go on";
}

}  // namespace
}  // namespace sched
