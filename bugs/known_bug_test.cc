// SPDX-License-Identifier: Apache-2.0
#include "bugs/known_bug.h"

#include <gtest/gtest.h>

#include "bugs/peers.h"

namespace bugs {
namespace {

Hunt hunt(const std::string& guarantee, unsigned same) {
  Hunt h;
  h.bug.name = "no-bias";
  h.bug.breaks = {"G2", "G1"};
  h.guarantee = guarantee;
  h.replays = {{"a", same, 100}, {"b", 100, 100}};
  h.minimal = Minimal{3, 1, 0, 0.5, true, "So it is."};
  return h;
}

TEST(KnownBug, ReadsTheHeader) {
  const std::string patch =
      "Bug: no-bias\nWhat: no bias: it may reach 0\nBreaks: G2, G1\nClass: 2\n--- a/core/x\n"
      "Bug: other\n";
  KnownBug bug;
  std::string error;
  ASSERT_TRUE(parse_header(patch, "no-bias", &bug, &error)) << error;
  EXPECT_EQ(bug.what, "no bias: it may reach 0");
  EXPECT_EQ(bug.breaks, (std::vector<std::string>{"G2", "G1"}));
  EXPECT_EQ(bug.target, "percpu_ref");
}

TEST(KnownBug, RefusesAHeaderThatLacksSomething) {
  KnownBug bug;
  std::string error;
  EXPECT_FALSE(parse_header("Bug: other\nWhat: x\nBreaks: G1\n", "no-bias", &bug, &error));
  bug = {};
  EXPECT_FALSE(parse_header("Bug: no-bias\nWhat: x\n", "no-bias", &bug, &error));
}

TEST(KnownBug, OnlyItsOwnGuaranteeAndEveryReplayMakeItGood) {
  EXPECT_TRUE(hunt("G1", 100).good());
  EXPECT_TRUE(hunt("G2", 100).good());
  EXPECT_FALSE(hunt("G8", 100).good());
  EXPECT_FALSE(hunt("", 100).good());
  EXPECT_FALSE(hunt("G1", 99).good());
  Hunt never_replayed = hunt("G1", 100);
  never_replayed.replays = {};
  EXPECT_FALSE(never_replayed.good());
  Hunt never_minimized = hunt("G1", 100);
  never_minimized.minimal = {};
  EXPECT_FALSE(never_minimized.good());
  never_minimized.minimal = Minimal{};
  EXPECT_FALSE(never_minimized.good()) << "it was stopped";
  Hunt never_explained = hunt("G1", 100);
  never_explained.minimal->why.clear();
  EXPECT_FALSE(never_explained.good());
  Hunt with_test = hunt("G1", 100);
  with_test.emitted = Hunt::kGoodTest;
  EXPECT_TRUE(with_test.good());
  with_test.emitted = "does not compile";
  EXPECT_FALSE(with_test.good());
}

TEST(KnownBug, WhatIsKeptOfItNamesGuaranteeAndBug) {
  Hunt h = hunt("G1", 100);
  h.bug.name = "no_bias";
  EXPECT_EQ(regression_name(h), "G1_no_bias");
  std::string guarantee, bug;
  ASSERT_TRUE(parse_regression_name(regression_name(h), &guarantee, &bug));
  EXPECT_EQ(guarantee, "G1");
  EXPECT_EQ(bug, "no_bias");
  EXPECT_FALSE(parse_regression_name("README", &guarantee, &bug));
  EXPECT_FALSE(parse_regression_name("_bias", &guarantee, &bug));
  EXPECT_FALSE(parse_regression_name("G1_", &guarantee, &bug));
  EXPECT_NE(regression_page(h).find("So it is."), std::string::npos);
}

TEST(KnownBug, ReadsHowSoonItMustBeFound) {
  KnownBug bug;
  std::string error;
  ASSERT_TRUE(parse_header("Bug: a\nWhat: x\nBreaks: G1\nWithin: 200\n", "a", &bug, &error));
  EXPECT_EQ(bug.within, 200U);
  EXPECT_FALSE(parse_header("Bug: a\nWhat: x\nBreaks: G1\nWithin: soon\n", "a", &bug, &error));
  EXPECT_FALSE(parse_header("Bug: a\nWhat: x\nBreaks: G1\nWithin: 0\n", "a", &bug, &error));
}

TEST(KnownBug, IsGoodOnlyIfTheMedianIsSoonEnough) {
  Hunt h = hunt("G1", 100);
  h.executions = 300;
  EXPECT_TRUE(h.good());
  h.bug.within = 200;
  EXPECT_FALSE(h.good()) << "one hunt is no median";
  h.again.assign(kWithinSeeds / 2, {300, 3});
  h.again.insert(h.again.end(), kWithinSeeds / 2, {200, 2});
  EXPECT_FALSE(h.good());
  h.again[0] = {100, 1};
  EXPECT_EQ(h.median(), 200U);
  EXPECT_TRUE(h.good());
  h.again[1].executions = Hunt::kNotFound;
  EXPECT_TRUE(h.good());
  h.again.back().executions = Hunt::kNotFound;
  EXPECT_FALSE(h.good());
}

TEST(KnownBug, ReadsReports) {
  Hunt h;
  EXPECT_FALSE(parse_report("{", &h));
  EXPECT_FALSE(parse_report("{}", &h));
  EXPECT_TRUE(
      parse_report(R"({"executions": 7, "seconds": 0.5, "guarantee": "", "artifact": ""})", &h));
  EXPECT_EQ(h.executions, 7U);
  EXPECT_TRUE(h.guarantee.empty());
  EXPECT_TRUE(h.replays.empty());
  EXPECT_TRUE(parse_report(
      R"({"executions": 7, "guarantee": "G1", "strategy": "pct", "artifact": "x"})", &h));
  EXPECT_EQ(h.guarantee, "G1");
  EXPECT_EQ(h.strategy, "pct");
  ASSERT_EQ(h.replays.size(), 1U);
  EXPECT_EQ(h.replays[0].artifact, "x");
  Replays r;
  std::string kind;
  std::optional<Minimal> minimal;
  EXPECT_FALSE(parse_replay_report("[]", &r, &kind, &minimal));
  EXPECT_TRUE(
      parse_replay_report(R"({"times": 100, "same": 99, "kind": "leak"})", &r, &kind, &minimal));
  EXPECT_FALSE(minimal);
  EXPECT_TRUE(parse_replay_report(
      R"({"times": 100, "why": "T1: so it is.", "minimized": {"operations": 4, "complete": true}})",
      &r, &kind, &minimal));
  ASSERT_TRUE(minimal);
  EXPECT_EQ(minimal->operations, 4U);
  EXPECT_TRUE(minimal->complete);
  EXPECT_EQ(minimal->why, "T1: so it is.");
  EXPECT_TRUE(
      parse_replay_report(R"({"times": 100, "same": 99, "kind": "leak"})", &r, &kind, &minimal));
  EXPECT_EQ(kind, "leak");
  EXPECT_FALSE(r.good());
}

TEST(KnownBug, MediansAreOfAllSeeds) {
  Hunt h = hunt("G1", 100);
  h.executions = 300;
  h.seconds = 3;
  h.again = {{Hunt::kNotFound, 60}, {100, 1}};
  EXPECT_EQ(h.median(), 300U);
  EXPECT_EQ(h.median_seconds(), 3);
  h.again = {{200, 2}, {100, 1}};
  EXPECT_EQ(h.median(), 200U);
  EXPECT_EQ(h.median_seconds(), 2);
  const std::string json = to_json({h});
  EXPECT_NE(json.find("\"executions\": 200"), std::string::npos) << json;
  h.again[0] = h.again[1] = {Hunt::kNotFound, 60};
  EXPECT_NE(table({h}).find(" >300 "), std::string::npos) << table({h});
  EXPECT_NE(to_json({h}).find("\"executions\": null"), std::string::npos);
}

TEST(KnownBug, TheTableTellsWhatFoundItAndWhatPeersDid) {
  Hunt h = hunt("G1", 100);
  h.strategy = "surw";
  h.peers = {{"plain random", ">2000"}};
  const std::string text = table({h});
  EXPECT_EQ(text.find("bug "), 0U) << text;
  for (const char* cell :
       {"guarantee  strategy  executions  seconds  replayed", "plain random", "surw", " >2000 "})
    EXPECT_NE(text.find(cell), std::string::npos) << text;
  const std::string json = to_json({h});
  EXPECT_NE(json.find("\"plain random\": \">2000\""), std::string::npos) << json;
  EXPECT_NE(json.find("\"strategy\": \"surw\""), std::string::npos) << json;
}

TEST(Peers, RealThreadsThatFindNothingCountAsMore) {
  const Hunt::Again none{Hunt::kNotFound, 1};
  EXPECT_EQ(median_on_threads({{300, 0.5}, none, {10, 2}}), "300 in 0.5 s");
  EXPECT_EQ(median_on_threads({none, {10, 0.26}, none}), ">10 s");
  EXPECT_EQ(median_on_threads({{10, 0.26}}), "10 in 0.3 s");
}

TEST(Peers, MediansAreOfAllSeeds) {
  EXPECT_EQ(median_of_hunts("9 0.5\n100 1\n3 0.1\n", 3, 99), "9");
  EXPECT_EQ(median_of_hunts("9 0.5\n100 1\n100 0.1\n", 3, 99), ">99");
  EXPECT_EQ(median_of_hunts("9 0.5\n", 3, 99), "");
  EXPECT_EQ(median_of_hunts("", 0, 99), "");
  EXPECT_EQ(median_of_hunts("9 0.5\nusage: x\n", 1, 99), "");
}

TEST(KnownBug, TheTableHasARowABug) {
  const std::string text = table({hunt("G1", 100), hunt("G8", 100), hunt("", 0)});
  EXPECT_NE(text.find("found\n"), std::string::npos);
  EXPECT_NE(text.find("ANOTHER GUARANTEE\n"), std::string::npos);
  EXPECT_NE(text.find("NOT FOUND\n"), std::string::npos);
}

}  // namespace
}  // namespace bugs
