// SPDX-License-Identifier: Apache-2.0
// That every figure is taken and told, and that ratios and targets are what they say. Not one word
// on how fast anything is.
#include <gtest/gtest.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "bench/goals.h"
#include "bench/report.h"
#include "bench/suite.h"
#include "core/domain.h"

namespace bench {
namespace {

Suite& suite() {
  static Suite one;
  return one;
}

Figures two_rounds_of(double a1, double a2, double b1, double b2) {
  Figures figures;
  for (const char* row : {"a", "b"}) figures.expect({"theme", row, "column"});
  figures.add("theme/a/column", a1);
  figures.add("theme/b/column", b1);
  figures.add("theme/a/column", a2);
  figures.add("theme/b/column", b2);
  return figures;
}

TEST(Figures, MedianIsTheMiddleOrBetweenTheTwo) {
  EXPECT_EQ(median({3, 1, 2}), 2);
  EXPECT_EQ(median({4, 1, 2, 3}), 2.5);
}

// In a slow round both sides are slow; the ratio of the medians would be another.
TEST(Figures, RatioIsOfEachRound) {
  Figures figures = two_rounds_of(1, 100, 2, 200);
  figures.add("theme/a/column", 3);
  figures.add("theme/b/column", 1);
  EXPECT_EQ(figures.ratio("theme/a/column", "theme/b/column"), 0.5);
}

TEST(Figures, NothingWhereOneIsMissing) {
  Figures figures = two_rounds_of(1, 1, 1, 1);
  figures.expect({"theme", "c", "column"});
  EXPECT_EQ(figures.find("theme/c/column")->median(), std::nullopt);
  EXPECT_EQ(figures.ratio("theme/a/column", "theme/c/column"), std::nullopt);
  EXPECT_EQ(figures.ratio("theme/a/column", "theme/unheard of/column"), std::nullopt);
}

TEST(Goals, AreOnFiguresThatAreTaken) {
  for (const Goal& goal : goals()) {
    EXPECT_NE(suite().expected().find(goal.dividend), nullptr) << goal.dividend;
    EXPECT_NE(suite().expected().find(goal.divisor), nullptr) << goal.divisor;
  }
}

TEST(Goals, MetMissedAndNotMeasured) {
  const Goal at_most{"", "", "", Goal::Bound::kAtMost, 2};
  const Goal at_least{"", "", "", Goal::Bound::kAtLeast, 2};
  EXPECT_STREQ((Outcome{&at_most, 2}.word()), "met");
  EXPECT_STREQ((Outcome{&at_most, 2.1}.word()), "missed");
  EXPECT_STREQ((Outcome{&at_least, 2}.word()), "met");
  EXPECT_STREQ((Outcome{&at_least, 1.9}.word()), "missed");
  EXPECT_STREQ((Outcome{&at_most, std::nullopt}.word()), "not measured");
}

TEST(Goals, TwoThreadsSayNothingOnOneCpu) {
  Figures figures;
  for (const Goal& goal : goals()) {
    for (const char* name : {goal.dividend, goal.divisor}) {
      if (figures.find(name) == nullptr) figures.expect({"", "", name});
    }
  }
  for (const Outcome& outcome : judge(figures, 1)) EXPECT_FALSE(outcome.measured);
}

TEST(Themes, HaveTheirBase) {
  for (const Theme& theme : themes()) {
    EXPECT_TRUE(std::ranges::any_of(suite().expected().entries(), [&](const auto& entry) {
      return entry.figure.theme == theme.name && entry.figure.row == theme.base;
    })) << theme.name;
  }
}

// Runs all of it, as briefly as can be.
TEST(Suite, TakesAndTellsEveryFigure) {
  RunOptions options;
  options.seconds = 0;
  options.least_rounds = 2;
  options.seconds_a_figure = 1e-4;
  unsigned rounds = 0;
  const Figures figures = suite().run(options, [&](const std::string&) { ++rounds; });
  EXPECT_EQ(rounds, 2u);

  const bool sections = percpu::platform::why_no_sections() == nullptr;
  EXPECT_EQ(figures.entries().size(), suite().expected().entries().size());
  for (const auto& entry : figures.entries()) {
    if (!entry.skipped.empty()) {
      EXPECT_FALSE(sections) << entry.figure.name() << ": " << entry.skipped;
      continue;
    }
    EXPECT_EQ(entry.values.size(), entry.figure.theme == "memory" ? 1u : 2u) << entry.figure.name();
    for (const double value : entry.values) EXPECT_GT(value, 0) << entry.figure.name();
  }

  const auto outcomes = judge(figures, 2);
  for (const Outcome& outcome : outcomes) {
    EXPECT_EQ(outcome.measured.has_value(), sections) << outcome.goal->text;
  }
  const std::string table = to_table(themes(), figures, outcomes);
  const auto json = nlohmann::json::parse(to_json(themes(), figures, outcomes));
  EXPECT_EQ(json["rounds"], 2);
  EXPECT_EQ(json["goals"].size(), goals().size());
  ASSERT_EQ(json["figures"].size(), figures.entries().size());
  for (size_t i = 0; i < figures.entries().size(); ++i) {
    const auto& entry = figures.entries()[i];
    EXPECT_NE(table.find("\n" + entry.figure.row), std::string::npos) << entry.figure.name();
    EXPECT_EQ(json["figures"][i]["row"], entry.figure.row);
    EXPECT_EQ(json["figures"][i]["median"].is_null(), entry.values.empty());
  }
}

TEST(Suite, TakesOnlyWhatTheFilterFinds) {
  RunOptions options;
  options.seconds = 0;
  options.least_rounds = 1;
  options.seconds_a_figure = 1e-4;
  options.filter = "tryget/.*/atomic mode";
  const Figures figures = suite().run(options, [](const std::string&) {});
  for (const auto& entry : figures.entries()) {
    const bool wanted = entry.figure.theme == "tryget" && entry.figure.column == "atomic mode";
    EXPECT_EQ(entry.values.size(), wanted ? 1u : 0u) << entry.figure.name();
  }
}

}  // namespace
}  // namespace bench
