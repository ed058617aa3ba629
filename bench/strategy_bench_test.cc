// SPDX-License-Identifier: Apache-2.0
// Every contender finds what is easy, as soon the second time as the first; and what is told of hunts.
#include <gtest/gtest.h>

#include <cmath>
#include <string>
#include <vector>

#include "bench/hunt.h"
#include "bench/strategy_table.h"

namespace bench {
namespace {

constexpr uint64_t kCap = 2000;

Quarry planted(const std::string& name) {
  for (Quarry& q : planted_quarries())
    if (q.name == name) return q;
  ADD_FAILURE() << "no bug " << name;
  return {};
}

TEST(Hunt, EachContenderFindsWhatIsEasyInTheSameExecution) {
  const Quarry easy = planted("relay-3");
  for (const Contender& contender : contenders()) {
    const auto first = hunt(easy, contender, kCap, 1, 3);
    const auto again = hunt(easy, contender, kCap, 1, 3);
    ASSERT_EQ(3u, first.size());
    for (size_t i = 0; i < first.size(); ++i) {
      EXPECT_LE(first[i].executions, kCap) << contender.name;
      EXPECT_EQ(first[i].executions, again[i].executions) << contender.name;
    }
  }
}

TEST(Hunt, GivesUpAfterTheCap) {
  const auto hunts = hunt(planted("relay-7"), contenders()[0], 2, 1, 1);
  ASSERT_EQ(1u, hunts.size());
  EXPECT_EQ(3u, hunts[0].executions);
}

TEST(Hunt, AHunterThatCannotRunIsNoResult) {
  EXPECT_TRUE(hunt({"x", "", nullptr, "/nowhere/hunt_known_bug", "percpu_ref", "G1"},
                   contenders()[0], 2, 1, 1)
                  .empty());
}

TEST(Hunt, MediansAreOfAll) {
  EXPECT_EQ(2, median_executions({{9, 0}, {1, 0}, {2, 0}}));
  EXPECT_EQ(1.5, median_executions({{9, 0}, {1, 0}, {2, 0}, {1, 0}}));
  EXPECT_EQ(0.5, median_seconds({{1, 0.5}, {1, 0.25}, {1, 4}}));
}

std::vector<Row> rows() {
  Row easy{{"easy", "", nullptr, "", "", ""}, {{{10, 1}}, {{1000, 1}}}};
  Row quicker{{"quicker", "", nullptr, "", "", ""}, {{{400, 1}}, {{100, 1}}}};
  Row lost{{"lost", "", nullptr, "", "", ""}, {{{500, 1}}, {{2001, 1}}}};
  return {easy, quicker, lost};
}

TEST(Table, EasyBugsRankNothing) {
  const Standing s = standing(rows(), 1, kCap);
  EXPECT_NEAR(std::sqrt(400. / 100 * 500 / 2001), s.executions, 1e-9);
  EXPECT_EQ(1u, s.found);
  EXPECT_EQ(2u, standing(rows(), 0, kCap).found);
}

TEST(Table, SaysWhatWasNotFound) {
  const std::vector<const Contender*> two = {&contenders()[0], &contenders()[1]};
  const std::string table = to_table(two, rows(), kCap);
  EXPECT_NE(std::string::npos, table.find("| quicker | 400 | 100 |\n")) << table;
  EXPECT_NE(std::string::npos, table.find("| lost | 500 | >2000 |\n")) << table;
  EXPECT_NE(std::string::npos, table.find("left out: easy.")) << table;
  const std::string json = to_json(two, rows(), kCap);
  EXPECT_NE(std::string::npos, json.find("\"cap\": 2000")) << json;
}

}  // namespace
}  // namespace bench
