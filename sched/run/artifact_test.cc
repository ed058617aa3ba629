// SPDX-License-Identifier: Apache-2.0
#include "sched/run/artifact.h"

#include <gtest/gtest.h>

namespace sched::program {
namespace {

Artifact example() {
  Artifact a;
  a.built = "source 0123abcd a folder/prog.c\nflag -O2\nargument two words\nlibrary sched_wide\n";
  a.kind = FailureKind::kDeadlock;
  a.message = "nobody\ncan run";
  a.steps = 812;
  a.hash = 0x1f00;
  a.options.races = a.options.weak_memory = false;
  a.options.plain_points = true;
  a.options.fair_budget = 77;
  a.options.step_budget = 33;
  a.has_schedule = true;
  a.schedule = {{"main", 0, 5, "main.1"}, {"main.1", 2, 7, "-1"}};
  return a;
}

// The sentence that refuses the text; empty: it is accepted.
std::string refusal(const std::string& text) {
  Artifact a;
  std::string error;
  return parse(text, &a, &error) ? "" : error;
}

TEST(Artifact, ReadsWhatItPrints) {
  const Artifact a = example();
  Artifact b;
  std::string error;
  ASSERT_TRUE(parse(print(a), &b, &error)) << error;
  EXPECT_EQ(b.built, a.built);
  EXPECT_EQ(b.found, "deadlock");
  EXPECT_EQ(b.steps, a.steps);
  EXPECT_EQ(b.hash, a.hash);
  EXPECT_FALSE(b.options.races);
  EXPECT_FALSE(b.options.weak_memory);
  EXPECT_TRUE(b.options.plain_points);
  EXPECT_EQ(b.options.fair_budget, 77U);
  EXPECT_EQ(b.options.step_budget, 33U);
  EXPECT_TRUE(b.has_schedule);
  EXPECT_EQ(b.schedule, a.schedule);
}

TEST(Artifact, ASeedStandsWhereNoScheduleDoes) {
  Artifact a = example();
  a.has_schedule = false;
  a.schedule.clear();
  a.options.seed = 0xffffffffffffffff;
  a.options.mean_interval = 12;
  a.options.strategy = Strategy::kSurw;
  a.options.depth = 5;
  a.options.interesting = 2;
  Artifact b;
  std::string error;
  ASSERT_TRUE(parse(print(a), &b, &error)) << error;
  EXPECT_FALSE(b.has_schedule);
  EXPECT_EQ(b.options.seed, a.options.seed);
  EXPECT_EQ(b.options.mean_interval, 12U);
  EXPECT_EQ(b.options.strategy, Strategy::kSurw);
  EXPECT_EQ(b.options.depth, 5U);
  EXPECT_EQ(b.options.interesting, 2U);
}

TEST(Artifact, RefusesEveryTruncation) {
  const std::string whole = print(example());
  EXPECT_EQ(refusal(whole), "");
  for (size_t size = 0; size + 1 < whole.size(); ++size)
    EXPECT_NE(refusal(whole.substr(0, size)), "") << size;
}

TEST(Artifact, SaysWhichLineIsWrong) {
  EXPECT_EQ(refusal("lastput 1\nsetup races on\nend\n"), "line 2: cannot be read: setup races on");
  EXPECT_EQ(refusal("lastput 1\nsetup seed x interval 3\nend\n").substr(0, 7), "line 2:");
  EXPECT_EQ(refusal("lastput 1\nfrobnicate\nend\n").substr(0, 7), "line 2:");
  EXPECT_EQ(refusal("lastput 1\nschedule\n  main op 1 point -> x\nend\n").substr(0, 7), "line 3:");
  EXPECT_EQ(refusal("lastput 1\n\n# a comment\ntarget run\n"),
            "it is truncated: it has no line 'end'");
}

TEST(Artifact, WordsOfFilesDoNothingToATerminal) {
  EXPECT_EQ(refusal("lastput 1\nodd \x1b[31m\nend\n"), "line 2: cannot be read: odd ?[31m");
  Artifact a;
  std::string error;
  ASSERT_TRUE(parse("lastput 1\nfails \x1b[31m so\nend\n", &a, &error)) << error;
  EXPECT_EQ(a.found, "");
}

}  // namespace
}  // namespace sched::program
