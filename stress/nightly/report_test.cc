// SPDX-License-Identifier: Apache-2.0
// From the rounds of a night to what a person and CI read of it.
#include <gtest/gtest.h>

#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>

#include "stress/nightly/page.h"
#include "stress/nightly/plots.h"

namespace nightly {
namespace {

namespace fs = std::filesystem;

std::string failing_log(const std::string& guarantee, const std::string& function) {
  return "FAILED: " + guarantee +
         " (about), oracle, on real threads\n  a <b> & \"c\" was \x80 lost\n" +
         "SUMMARY: lastput: " + guarantee + " (about) in signals on real threads\n" + "    #0 " +
         function + "() /x/core/ref.cc:1\nreplay: ./lastput replay x\n";
}

constexpr char kSoak[] =
    R"({"build": "real plain linux", "bug": "", "seed": 1, "threads": 2, "stopped": false, "without sections": "",
 "most memory, MB": 4, "scenarios": [{"scenario": "signals", "seconds": 2.0, "rounds": 9,
 "counts": {"operations": 4000000, "kills": 0}, "ages": [5000, 30, 2, 0, 0, 0, 0],
 "adversity": {"shuffles": 3, "stalls": 0}, "not here": ["affinity: <no>"]}],
 "aborts": {"breakpoints": 9, "forced": 8, "sections": 29, "instructions": 3,
 "met": [{"section": 17, "hits": [[0, 7], [4, 5], [10, 2]]}, {"section": 20, "hits": [[4, 1]]}]}})";

class ReportTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = (fs::temp_directory_path() / "nightly_test.XXXXXX").string();
    ASSERT_NE(mkdtemp(pattern.data()), nullptr);
    dir_ = pattern;
    Wishes wishes;
    wishes.seconds = 600;
    wishes.only = "/none/linux/clang";
    wishes.scenarios = {"signals", "pool", "churn"};
    const Plan plan = make_plan(wishes);
    ASSERT_GE(plan.rounds.size(), 6u);
    write_whole(dir_ + "/night.json",
                one_line(night_json(wishes, plan, 1'750'000'000, {{"kernel", "Linux <6>"}})));
  }
  void TearDown() override { fs::remove_all(dir_); }

  void leave(const std::string& name, const std::string& text) {
    std::ofstream(dir_ + "/" + name, std::ios::binary) << text;
  }
  Json note(unsigned number, int code, const std::string& log, const std::string& json = "") {
    leave(std::to_string(number) + ".log", log);
    if (!json.empty()) leave(std::to_string(number) + ".json", json);
    Ending ending;
    ending.code = code;
    ending.began = 1'750'000'000 + number;
    ending.took = 10;
    return note_round(dir_, number, ending);
  }
  Json summary() { return summary_of(read_night(dir_)); }

  std::string dir_;
};

// Whether tags are closed in the order in which they were opened, and every & and < is one that XML knows.
::testing::AssertionResult is_well_formed(const std::string& xml) {
  std::vector<std::string> open;
  for (size_t at = 0; at < xml.size(); ++at) {
    const auto fail = [&](const char* why) {
      return ::testing::AssertionFailure() << why << " at " << xml.substr(at, 60);
    };
    if (xml[at] == '&') {
      bool known = false;
      for (const char* word : {"&amp;", "&lt;", "&gt;", "&quot;"})
        known |= xml.compare(at, std::strlen(word), word) == 0;
      if (!known) return fail("an & that is none");
    }
    if (static_cast<unsigned char>(xml[at]) >= 0x80) return fail("a byte that is no ASCII");
    if (xml[at] != '<') continue;
    const size_t end = xml.find_first_of("<>", at + 1);
    if (end == std::string::npos || xml[end] == '<') return fail("a tag that is not closed");
    const std::string tag = xml.substr(at + 1, end - at - 1);
    const std::string name = tag.substr(0, tag.find_first_of(" /", 1));
    if (tag[0] == '/') {
      if (open.empty() || "/" + open.back() != tag) return fail("closes another tag");
      open.pop_back();
    } else if (tag[0] != '?' && tag[0] != '!' && tag.back() != '/') {
      open.push_back(name);
    }
    at = end;
  }
  if (!open.empty()) return ::testing::AssertionFailure() << "never closed: " << open.back();
  return ::testing::AssertionSuccess();
}

TEST_F(ReportTest, EqualFailuresAreOneRowAndAnotherGuaranteeIsAnother) {
  note(1, 77, failing_log("G2", "percpu::Ref::put"));
  note(2, 0, "lastput: clean\n", kSoak);
  note(3, 77, failing_log("G2", "percpu::Ref::put"));
  note(4, 77, failing_log("G6", "percpu::Ref::put"));
  note(5, 77, failing_log("G2", "percpu::Ref::kill"));
  const Json all = summary();
  ASSERT_EQ(all["failures"].size(), 3u);
  EXPECT_EQ(all["failures"][0]["times"], 2);
  EXPECT_EQ(all["failures"][0]["first"]["round"], 1);
  EXPECT_EQ(all["failures"][0]["commands"].size(), 3u);  // of both rounds, and what they told
  EXPECT_EQ(all["failures"][1]["guarantee"], "G6");
  EXPECT_EQ(all["exit code"], 77);
  EXPECT_EQ(all["counts"]["failure"], 4);
  EXPECT_TRUE(all["verdict"].get<std::string>().starts_with("3 failures, in 4 of 5 rounds"))
      << all["verdict"];
}

TEST_F(ReportTest, PageAndJunitAreWellFormedWhateverWasSaid) {
  note(1, 77, failing_log("G2", "percpu::Ref<int>::put"));
  note(2, 0, "lastput: clean\n", kSoak);
  note(3, 3, "stress: cannot start a thread: <limit> & more\n");
  const Json all = summary();
  const std::string page = page_of(all), junit = junit_of(all);
  EXPECT_TRUE(is_well_formed(page));
  EXPECT_TRUE(is_well_formed(junit));
  EXPECT_NE(page.find("a &lt;b&gt; &amp; &quot;c&quot; was"), std::string::npos);
  EXPECT_EQ(page.find("<script"), std::string::npos);
  EXPECT_EQ(page.find("http"), std::string::npos);
  EXPECT_NE(junit.find("failures=\"1\" errors=\"0\" skipped=\"1\""), std::string::npos) << junit;
}

TEST_F(ReportTest, CleanNightSaysSoFirst) {
  for (unsigned n = 1; n <= read_night(dir_).facts["rounds"].size(); ++n)
    note(n, 0, "clean\n", kSoak);
  const Json all = summary();
  EXPECT_EQ(all["exit code"], 0);
  EXPECT_TRUE(all["verdict"].get<std::string>().starts_with("Clean: nothing failed in "))
      << all["verdict"];
  EXPECT_EQ(all["verdict"].get<std::string>().find(';'), std::string::npos) << all["verdict"];
  EXPECT_FALSE(fs::exists(dir_ + "/1.log"));
}

TEST_F(ReportTest, SoaksAreAddedUp) {
  note(1, 0, "", kSoak);
  note(2, 0, "", kSoak);
  const Json all = summary();
  EXPECT_EQ(all["operations"], 8'000'000);
  EXPECT_EQ(all["ages"]["signals"], Json::parse("[10000, 60, 4, 0, 0, 0, 0]"));
  ASSERT_EQ(all["aborts"].size(), 1u);
  EXPECT_EQ(all["aborts"][0]["hits"], Json::parse("[14, 10, 4]"));
  EXPECT_EQ(all["aborts"][0]["whole"], 1);
  EXPECT_EQ(all["never"], Json::parse(R"(["adversity: stalls", "kills, in any scenario",
    "section 20 in none/linux/clang: aborts at 2 of its 3 instructions"])"));
  EXPECT_EQ(all["not here"], Json::parse(R"x(["affinity: <no> (none/linux/clang)"])x"));
  double rate = 0;
  for (const Json& cell : all["cells"]) rate = std::max(rate, cell["rate"].get<double>());
  EXPECT_DOUBLE_EQ(rate, 2e6);
}

TEST_F(ReportTest, WhatWasCutOffIsTold) {
  note(1, 0, "", kSoak);
  leave("2.log", failing_log("G2", "percpu::Ref::put"));  // its night was killed
  leave("3.log", "signals: 1 s\n");
  std::ofstream(dir_ + "/rounds.jsonl", std::ios::app) << "{\"number\": 4, \"ce";
  Json all = summary();
  EXPECT_EQ(all["counts"]["cut off"], 1);
  ASSERT_EQ(all["failures"].size(), 1u);
  EXPECT_EQ(all["failures"][0]["first"]["round"], 2);
  EXPECT_EQ(all["exit code"], 77);
  leave("ended.txt", "the disk is full\n");
  EXPECT_TRUE(summary()["verdict"].get<std::string>().ends_with("ended early: the disk is full."));
  // Behind a line that was cut off the next one is whole.
  note(5, 0, "", kSoak);
  EXPECT_EQ(summary()["counts"]["clean"], 2);
}

TEST_F(ReportTest, RoundsThatCouldNotRunAreNoCleanNight) {
  note(1, 3, "stress: cannot start a thread: Resource temporarily unavailable\n");
  Json all = summary();
  EXPECT_EQ(all["exit code"], 3);
  EXPECT_TRUE(all["verdict"].get<std::string>().starts_with("Nothing ran to its end"))
      << all["verdict"];
  EXPECT_NE(all["not here"].dump().find("cannot start a thread"), std::string::npos);
  note(2, 2, "lastput: cannot write to out\n");
  note(3, 137, "pool: 1 s\n");
  note(4, 0, "", kSoak);
  all = summary();
  EXPECT_EQ(all["exit code"], 2);
  EXPECT_EQ(all["counts"]["broken"], 2);
}

TEST_F(ReportTest, FuzzRoundsTellExecutionsAndCorpus) {
  Ending ending;
  ending.log =
      "target percpu_ref\nseconds: 60.0\ninputs: 9000\nexecutions per second: 1000\n"
      "edges: 500 of 812\nexecutions: 60000\n";
  ending.inputs_before = 10;
  ending.inputs_after = 25;
  const Json planned = {
      {"number", 1}, {"cell", "fuzz/percpu_ref/engine"}, {"command", "fuzz percpu_ref"}};
  const Json fuzz = record_of(planned, ending)["fuzz"];
  EXPECT_EQ(fuzz["executions"], 60000);
  EXPECT_EQ(fuzz["edges"], 500);
  EXPECT_EQ(fuzz["edges known"], 812);
  EXPECT_EQ(fuzz["corpus after"], 25);
}

TEST_F(ReportTest, ProbesAreToldOnlyWhereTheyWereMeasured) {
  note(1, 0, "", kSoak);
  EXPECT_FALSE(summary()["probes"]["measured"]);
  leave("coverage.txt", "lastput: managed fails on its corpus: log\n");
  EXPECT_EQ(summary()["probes"]["why"],
            "./lastput coverage said: lastput: managed fails on its corpus: log");
  leave("coverage.txt",
        "reached of core  lines\n\nprobe      reached by\nslots_grow percpu_pool mixed\n"
        "no_percpu_memory nobody\n\nevery line is reached\n");
  EXPECT_EQ(
      summary()["probes"],
      Json::parse(R"({"measured": true, "rows": [{"probe": "slots_grow", "by": "percpu_pool mixed"},
    {"probe": "no_percpu_memory", "by": ""}]})"));
}

TEST_F(ReportTest, WhatIsNoNightIsRefused) {
  EXPECT_THROW(read_night(dir_ + "/none"), DiskError);
  EXPECT_THROW(note_round(dir_, 10'000, {}), DiskError);
  EXPECT_THROW(append_line("/proc/none/rounds.jsonl", "{}"), DiskError);
  EXPECT_THROW(write_whole("/dev/full/x", ""), DiskError);
}

TEST(PlotsTest, NumbersAndTimesAreShort) {
  EXPECT_EQ(short_number(0), "0");
  EXPECT_EQ(short_number(999), "999");
  EXPECT_EQ(short_number(1234), "1.23 k");
  EXPECT_EQ(short_number(999'600), "1.00 M");
  EXPECT_EQ(duration(47), "47 s");
  EXPECT_EQ(duration(7500), "2 h 5 min");
  EXPECT_EQ(date(1'750'000'000), "2025-06-15 15:06 UTC");
}

TEST(PlotsTest, BarsThatAreNotNothingAreSeen) {
  EXPECT_NE(bars_plot("t", {{"a", 1, "1"}, {"b", 1e9, "1 G"}}).find("width=\"1.0\""),
            std::string::npos);
  EXPECT_TRUE(is_well_formed(bars_plot("<t>", {{"a & b", 0, "0"}})));
  EXPECT_TRUE(is_well_formed(histogram("t", {})));
  EXPECT_TRUE(is_well_formed(strip("t", {{1, "clean", "round 1"}})));
}

}  // namespace
}  // namespace nightly
