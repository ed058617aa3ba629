// SPDX-License-Identifier: Apache-2.0
// A count of somebody else's under the harness. A right one is never accused; of one that breaks the guarantee BREAKS,
// that is found within kWithin random programs, noticed by NOTICED, replayed with the same trace, and made small
// without asking for what the count has not.
#include <gtest/gtest.h>

#include "targets/abilities.h"
#include "targets/generate.h"
#include "targets/harness.h"
#include "targets/text.h"
#ifdef SCHED_RUNS
#include "replay/minimize.h"
#include "targets/execute.h"
#endif

namespace targets {
namespace {

Program generate_fit(Random& random) {
  Program program = generate_program(random, Kind::kPercpuRef);
  fit(abilities(), &program);
  return program;
}

TEST(Count, ProgramsAskForWhatItHas) {
  EXPECT_FALSE(abilities().own_core);
  EXPECT_TRUE(abilities().has(OpCode::kGet) && abilities().has(OpCode::kTryget));
  EXPECT_FALSE(abilities().has(OpCode::kKill) || abilities().has(OpCode::kGetMany));
  Random random(1);
  size_t operations = 0;
  int ends = 0;
  for (int i = 0; i < 2000; ++i) {
    const Program program = generate_fit(random);
    ASSERT_FALSE(check(program, Kind::kPercpuRef)) << check(program, Kind::kPercpuRef)->text;
    Program again = program;
    EXPECT_EQ(fit(abilities(), &again), 0u);
    ASSERT_EQ(again, program);
    for (const auto& thread : program.threads)
      for (const Operation& op : thread) ASSERT_TRUE(abilities().has(op.code));
    operations += operation_count(program);
    ends += has_operation(program, OpCode::kPutInitial, 0);
  }
  EXPECT_GT(operations, 2000u * 4) << "too little is left to say much";
  EXPECT_GT(ends, 400) << "hardly any count ends while threads are at it";
}

TEST(Count, ProgramsOfTheCoreStayAsTheyAre) {
  Random random(2);
  for (int i = 0; i < 200; ++i) {
    const Program program = generate_program(random, Kind::kPercpuRef);
    Program fitted = program;
    EXPECT_EQ(fit(Abilities{}, &fitted), 0u);
    EXPECT_EQ(fitted, program);
  }
}

// Each thing that a count may lack, alone and with others.
TEST(Count, WhateverIsLackingProgramsAreLegal) {
  constexpr OpCode kMayLack[] = {OpCode::kTryget,         OpCode::kKill,
                                 OpCode::kKillAndConfirm, OpCode::kSwitchToAtomicSync,
                                 OpCode::kReinit,         OpCode::kSwitchToPercpu,
                                 OpCode::kResurrect,      OpCode::kIsZero};
  Random random(3);
  for (unsigned lacking = 0; lacking < 256; ++lacking) {
    Abilities some;
    some.own_core = false;
    for (unsigned i = 0; i < 8; ++i)
      some.lacks[static_cast<size_t>(kMayLack[i])] = (lacking >> i & 1) != 0;
    for (int i = 0; i < 10; ++i) {
      Program program = generate_program(random, Kind::kPercpuRef);
      fit(some, &program);
      const auto problem = check(program, Kind::kPercpuRef);
      ASSERT_FALSE(problem) << problem->text;
      ASSERT_EQ(fit(some, &program), 0u);
    }
  }
}

#ifndef SCHED_RUNS
TEST(Count, RandomProgramsOnRealThreadsAreClean) {
  Random random(1);
  for (int i = 0; i < 3000; ++i) run_program(generate_fit(random));
}
#elif !defined BREAKS
TEST(Count, RandomProgramsAreClean) {
  Random random(1);
  for (int i = 0; i < 3000; ++i) {
    const Program program = generate_fit(random);
    const ExecuteResult result = execute(run_program, program, {});
    ASSERT_FALSE(result.failed) << print(
        make_artifact("percpu_ref", "", program, result.failure.failure, result.failure.recording));
  }
}
#else
constexpr int kWithin = 3000;

TEST(Count, IsFoundReplayedAndMadeSmall) {
  Random random(1);
  Artifact found;
  uint64_t executions = 0;
  for (int i = 0; i < kWithin && found.guarantee != BREAKS; ++i) {
    const Program program = generate_fit(random);
    const ExecuteResult result = execute(run_program, program, {});
    executions += result.executions;
    if (result.failed)
      found = make_artifact("percpu_ref", "", program, result.failure.failure,
                            result.failure.recording);
  }
  ASSERT_EQ(found.guarantee, BREAKS);
  std::printf("after %llu executions: %s %s\n", static_cast<unsigned long long>(executions),
              found.guarantee.c_str(), found.message.c_str());
  const ExecuteResult again = execute_artifact(run_program, found, {});
  ASSERT_TRUE(again.failed);
  EXPECT_EQ(again.failure.trace_hash, found.hash);
  EXPECT_STREQ(sched::failure_kind_name(again.failure.failure.kind), NOTICED);

  replay::MinimizeOptions options;
  options.abilities = abilities();
  const auto small = replay::minimize(found, run_program, options);
  ASSERT_TRUE(small);
  EXPECT_TRUE(small->complete);
  EXPECT_EQ(small->group.guarantee, BREAKS);
  EXPECT_LE(small->after.operations, 6u) << print(small->artifact);
  Program fitted = small->artifact.program;
  fit(abilities(), &fitted);
  EXPECT_EQ(fitted, small->artifact.program);
}
#endif

}  // namespace
}  // namespace targets
