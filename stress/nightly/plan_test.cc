// SPDX-License-Identifier: Apache-2.0
#include "stress/nightly/plan.h"

#include <gtest/gtest.h>

#include <map>
#include <set>

namespace nightly {
namespace {

Wishes wishes_for(unsigned seconds, uint64_t seed = 1) {
  Wishes wishes;
  wishes.seed = seed;
  wishes.seconds = seconds;
  wishes.scenarios = {"kill_resurrect", "switch_storm", "managed", "pool", "rcuref",
                      "churn",          "overflow",     "signals", "mixed"};
  wishes.targets = {"percpu_ref", "managed", "sequential", "percpu_pool", "rcuref", "mixed"};
  return wishes;
}

std::map<std::string, unsigned> rounds_of_cells(const Plan& plan) {
  std::map<std::string, unsigned> rounds;
  for (const Round& round : plan.rounds) ++rounds[round.cell];
  return rounds;
}

unsigned seconds_of(const Plan& plan) {
  unsigned sum = 0;
  for (const Round& round : plan.rounds) sum += round.seconds + 1;
  return sum;
}

TEST(PlanTest, OneSeedMakesOnePlanAndAnotherSeedAnother) {
  const auto commands = [](uint64_t seed) {
    std::vector<std::string> all;
    for (const Round& round : make_plan(wishes_for(7200, seed)).rounds)
      all.push_back(round.command);
    return all;
  };
  EXPECT_EQ(commands(1), commands(1));
  EXPECT_NE(commands(1), commands(2));
}

TEST(PlanTest, TwoHoursAreEnoughForEveryCell) {
  for (uint64_t seed = 1; seed <= 20; ++seed) {
    const Plan plan = make_plan(wishes_for(7200, seed));
    EXPECT_EQ(plan.cells.size(), 9u * 12 + 6 * 3);
    EXPECT_EQ(rounds_of_cells(plan).size(), plan.cells.size());
    EXPECT_LE(seconds_of(plan), 7200u);
    EXPECT_GE(seconds_of(plan), 7200u * 9 / 10);
  }
}

TEST(PlanTest, CountsAreInProportionToWeights) {
  const Plan plan = make_plan(wishes_for(100 * 3600));
  const auto rounds = rounds_of_cells(plan);
  for (const bool soaks : {true, false}) {
    double weights = 0, all = 0;
    for (const Cell& cell : plan.cells)
      if (cell.soaks == soaks) weights += cell.weight, all += rounds.at(cell.name);
    for (const Cell& cell : plan.cells) {
      if (cell.soaks != soaks) continue;
      EXPECT_NEAR(rounds.at(cell.name), all * cell.weight / weights, 2) << cell.name;
    }
  }
}

TEST(PlanTest, TheLastThirdFuzzes) {
  const Plan plan = make_plan(wishes_for(7200));
  unsigned fuzzing = 0;
  bool began = false;
  for (const Round& round : plan.rounds) {
    const bool fuzzes = round.cell.starts_with("fuzz/");
    EXPECT_TRUE(fuzzes || !began) << round.number;
    began |= fuzzes;
    if (fuzzes) fuzzing += round.seconds + 1;
  }
  EXPECT_NEAR(fuzzing, 2400, 150);
}

TEST(PlanTest, ShortNightsHaveShortRoundsAndMostlyHeavyCells) {
  unsigned heavy = 0, light = 0;
  for (uint64_t seed = 1; seed <= 50; ++seed) {
    const Plan plan = make_plan(wishes_for(60, seed));
    std::set<std::string> cells;
    for (const Round& round : plan.rounds) {
      EXPECT_EQ(round.seconds, 3u);
      EXPECT_TRUE(cells.insert(round.cell).second) << round.cell;
      heavy += round.cell == "stress/signals/none/linux/clang";
      light += round.cell == "stress/overflow/none/portable/g++";
    }
    EXPECT_LE(seconds_of(plan), 60u);
  }
  EXPECT_GT(heavy, 3 * light + 3);
}

TEST(PlanTest, OneCellHasTheWholeTimeInSeveralRounds) {
  Wishes wishes = wishes_for(40);
  wishes.only = "signals/none/linux/clang";
  wishes.bug = "toy";
  const Plan plan = make_plan(wishes);
  ASSERT_EQ(plan.rounds.size(), 4u);
  std::set<std::string> commands;
  for (const Round& round : plan.rounds) {
    EXPECT_EQ(round.seconds, 9u);
    EXPECT_TRUE(round.command.starts_with(
        "stress signals --sanitizer=none --platform=linux --bug=toy --seconds=9 --seed="))
        << round.command;
    commands.insert(round.command);
  }
  EXPECT_EQ(commands.size(), 4u);
}

TEST(PlanTest, NothingIsPlannedWhereNothingIsWanted) {
  Wishes wishes = wishes_for(7200);
  wishes.only = "nothing";
  EXPECT_TRUE(make_plan(wishes).rounds.empty());
}

TEST(PlanTest, PlatformsAndCompilersThatAreNotThereAreLeftOut) {
  Wishes wishes = wishes_for(7200);
  wishes.platforms = {"linux"};
  wishes.has_gcc = false;
  wishes.targets.clear();
  for (const Cell& cell : make_plan(wishes).cells)
    EXPECT_TRUE(cell.name.ends_with("/linux/clang")) << cell.name;
}

}  // namespace
}  // namespace nightly
