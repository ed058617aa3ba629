// SPDX-License-Identifier: Apache-2.0
#include "targets/program.h"

#include <gtest/gtest.h>

#include "targets/generate.h"

namespace targets {
namespace {

Program two_threads(uint8_t flags) {
  Program program;
  program.refs[0].flags = flags;
  program.threads = {{}, {}};
  return program;
}

TEST(Program, SyncIsIllegalWhereAnotherThreadSwitchesBack) {
  Program program = two_threads(kFlagReinit);
  program.threads[0] = {{OpCode::kSwitchToAtomicSync, 0, 0}, {OpCode::kSwitchToPercpu, 0, 0}};
  EXPECT_FALSE(check(program, Kind::kPercpuRef));
  program.threads[1] = {{OpCode::kSwitchToPercpu, 0, 0}};
  const auto problem = check(program, Kind::kPercpuRef);
  ASSERT_TRUE(problem);
  EXPECT_EQ(problem->thread, 0);
  EXPECT_EQ(problem->operation, 0);
  EXPECT_EQ(drop_illegal(program), 1u);
  EXPECT_FALSE(check(program, Kind::kPercpuRef));
}

TEST(Program, OnlyTheControllerRevives) {
  Program program = two_threads(kFlagReinit);
  program.threads[1] = {{OpCode::kResurrect, 0, 0}, {OpCode::kReinit, 0, 0}};
  EXPECT_EQ(check(program, Kind::kPercpuRef)->text, "resurrect: only in the ref's controller");
  program.refs[0].controller = 1;
  EXPECT_FALSE(check(program, Kind::kPercpuRef));
  EXPECT_TRUE(may_be_revived(program, 0));
}

TEST(Program, IllegalCallsBelongToSequentialPrograms) {
  Program program;
  program.threads = {{{OpCode::kResurrect, 0, 0}}};
  EXPECT_TRUE(check(program, Kind::kPercpuRef));
  EXPECT_FALSE(check(program, Kind::kSequential));
}

TEST(Program, WhatDropIllegalLeavesIsLegal) {
  Random random(1);
  for (int i = 0; i < 20000; ++i) {
    const Kind kind = generate_kind(random);
    if (!is_concurrent(kind)) continue;
    Program program = generate_program(random, kind);
    for (unsigned t = 0; t < program.threads.size(); ++t)
      while (program.threads[t].size() < kMaxOperations)
        program.threads[t].push_back(generate_operation(random, program, t));
    drop_illegal(program);
    const auto problem = check(program, kind);
    ASSERT_FALSE(problem) << problem->text;
  }
}

TEST(Program, OnlyItsSoleUserDestroysAPool) {
  Program program;
  program.refs.clear();
  program.pools.resize(2);
  program.threads = {{{OpCode::kAreaAlloc, 0, 0}, {OpCode::kPoolDestroy, 0, 0}},
                     {{OpCode::kAreaAlloc, 1, 0}, {OpCode::kAreaCheck, 0, 0}}};
  EXPECT_FALSE(check(program, Kind::kPercpuPool));
  program.threads[1].push_back({OpCode::kPoolCached, 0, 0});
  EXPECT_EQ(check(program, Kind::kPercpuPool)->text, "pool_destroy: another thread uses this pool");
  EXPECT_EQ(drop_illegal(program), 1u);
  EXPECT_FALSE(check(program, Kind::kPercpuPool));
  EXPECT_EQ(check(program, Kind::kPercpuRef)->text, "refs: 1..3, where the target has them");
}

TEST(Program, NobodyFindsWhatItsReleaseExits) {
  Program program = smallest_program(Kind::kMixed);
  program.threads = {{{OpCode::kFindTryget, 0, 0}, {OpCode::kFindTrygetLive, 0, 0}}};
  for (const ReleaseAction action : {ReleaseAction::kMark, ReleaseAction::kFree}) {
    program.refs[0].release = action;
    EXPECT_FALSE(check(program, Kind::kMixed));
  }
  program.refs[0].release = ReleaseAction::kExit;
  EXPECT_EQ(check(program, Kind::kMixed)->text, "find_tryget: not of a ref whose release exits it");
  EXPECT_EQ(drop_illegal(program), 2u);
  EXPECT_FALSE(check(program, Kind::kMixed));
}

TEST(Program, EveryOperationIsFoundByNumberAndName) {
  unsigned found = 0;
  for (unsigned number = 0; number < kOperationNumbers; ++number) {
    const OpInfo* info = find_operation(number);
    if (info == nullptr) continue;
    ++found;
    EXPECT_EQ(find_operation(std::string_view(info->name)), info);
  }
  EXPECT_EQ(found, 72u);
}

}  // namespace
}  // namespace targets
