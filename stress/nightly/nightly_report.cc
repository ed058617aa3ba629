// SPDX-License-Identifier: Apache-2.0
// What ./lastput nightly does not do by itself: plans a night, notes how its rounds ended, and writes its report.
//
// Exit codes: 0; 1 usage; 2 something cannot be read or written; of --report that of the night (summary.h).
#include <sys/utsname.h>

#include <cstdio>
#include <fstream>
#include <set>
#include <thread>

#include "absl/flags/flag.h"
#include "absl/flags/parse.h"
#include "absl/flags/usage.h"
#include "absl/strings/str_split.h"
#include "stress/nightly/page.h"

ABSL_FLAG(std::string, dir, "", "the folder of the night (journal.h)");

ABSL_FLAG(bool, plan, false,
          "plan a night: a line for each round, NUMBER SECONDS CELL COMMAND, and night.json in "
          "--dir, if that is given");
ABSL_FLAG(uint64_t, seed, 1, "of the plan");
ABSL_FLAG(unsigned, seconds, 8 * 3600, "of the plan, all rounds together");
ABSL_FLAG(std::vector<std::string>, scenarios, {}, "of the plan, to soak");
ABSL_FLAG(std::vector<std::string>, targets, {}, "of the plan, to fuzz");
ABSL_FLAG(std::vector<std::string>, platforms, std::vector<std::string>({"linux", "portable"}),
          "of the plan, to soak on");
ABSL_FLAG(std::string, clang, "", "compiler of what g++ does not build");
ABSL_FLAG(bool, gcc, true, "whether g++ builds soaks, too");
ABSL_FLAG(std::string, only, "", "cells whose name has this in it");
ABSL_FLAG(std::string, bug, "", "a known bug in the core of all rounds");
ABSL_FLAG(std::string, facts, "", "lines NAME=VALUE for the report: commit, compilers");

ABSL_FLAG(unsigned, note, 0, "round of this number has ended: append it to rounds.jsonl");
ABSL_FLAG(int, code, 0, "its exit code");
ABSL_FLAG(int64_t, began, 0, "seconds since 1970: of the round, or of the night");
ABSL_FLAG(double, took, 0, "its seconds");
ABSL_FLAG(int64_t, inputs_before, -1, "inputs in its target's corpus before");
ABSL_FLAG(int64_t, inputs_after, -1, "and after");

ABSL_FLAG(bool, report, false,
          "write report.html, report.json and junit.xml of the night in --dir, as far as it went");

namespace nightly {
namespace {

constexpr int kOk = 0, kUsage = 1, kBroken = 2;

int refuse(const std::string& why) {
  std::fprintf(stderr, "nightly_report: %s\n", why.c_str());
  return kUsage;
}

// "value" of the first "name : value" in a file of /proc.
std::string proc_value(const char* path, const std::string& name) {
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) {
    if (!line.starts_with(name)) continue;
    const size_t value = line.find_first_not_of(" \t", line.find(':') + 1);
    return value == std::string::npos ? "" : line.substr(value);
  }
  return "";
}

Json facts_of_machine() {
  Json facts = Json::object();
  for (const absl::string_view line : absl::StrSplit(absl::GetFlag(FLAGS_facts), '\n')) {
    const std::pair<std::string, std::string> fact = absl::StrSplit(line, absl::MaxSplits('=', 1));
    if (!fact.first.empty()) facts[fact.first] = fact.second;
  }
  utsname system = {};
  if (uname(&system) == 0)
    facts["kernel"] = std::string(system.sysname) + " " + system.release + ", " + system.machine;
  facts["CPUs"] = std::to_string(std::thread::hardware_concurrency()) + ", " +
                  proc_value("/proc/cpuinfo", "model name");
  facts["memory"] = proc_value("/proc/meminfo", "MemTotal");
  return facts;
}

int plan() {
  Wishes wishes;
  wishes.seed = absl::GetFlag(FLAGS_seed);
  wishes.seconds = absl::GetFlag(FLAGS_seconds);
  wishes.scenarios = absl::GetFlag(FLAGS_scenarios);
  wishes.targets = absl::GetFlag(FLAGS_targets);
  wishes.platforms = absl::GetFlag(FLAGS_platforms);
  wishes.only = absl::GetFlag(FLAGS_only);
  wishes.bug = absl::GetFlag(FLAGS_bug);
  wishes.clang = absl::GetFlag(FLAGS_clang);
  wishes.has_gcc = absl::GetFlag(FLAGS_gcc);
  const Plan made = make_plan(wishes);
  const std::string dir = absl::GetFlag(FLAGS_dir);
  if (!dir.empty())
    write_whole(
        dir + "/night.json",
        one_line(night_json(wishes, made, absl::GetFlag(FLAGS_began), facts_of_machine())) + "\n");
  for (const Round& round : made.rounds)
    std::printf("%u %u %s ./lastput %s\n", round.number, round.seconds, round.cell.c_str(),
                round.command.c_str());
  return kOk;
}

int note() {
  Ending ending;
  ending.code = absl::GetFlag(FLAGS_code);
  ending.began = absl::GetFlag(FLAGS_began);
  ending.took = absl::GetFlag(FLAGS_took);
  ending.inputs_before = absl::GetFlag(FLAGS_inputs_before);
  ending.inputs_after = absl::GetFlag(FLAGS_inputs_after);
  const Json round = note_round(absl::GetFlag(FLAGS_dir), absl::GetFlag(FLAGS_note), ending);
  std::string words = round.at("result");
  if (round.contains("failure"))
    words += ": " + round["failure"].at("summary").get<std::string>();
  else if (round.contains("why"))
    words += ": " + round["why"].get<std::string>();
  std::printf("%s, %s\n", duration(ending.took).c_str(), words.c_str());
  return kOk;
}

int report() {
  const std::string dir = absl::GetFlag(FLAGS_dir);
  const Json summary = summary_of(read_night(dir));
  write_whole(dir + "/report.json",
              summary.dump(1, ' ', true, Json::error_handler_t::replace) + "\n");
  write_whole(dir + "/junit.xml", junit_of(summary));
  write_whole(dir + "/report.html", page_of(summary));
  for (const Json& failure : summary.at("failures")) {
    const auto words = [&](const Json& value) { return value.get<std::string>(); };
    std::printf("%s x  %s\n", failure.at("times").dump().c_str(),
                words(failure.at("summary")).c_str());
    if (failure.at("message") != "")
      std::printf("      %s\n", words(failure.at("message")).c_str());
    std::printf("      first: round %s, %s\n      again: %s\n",
                failure.at("first").at("round").dump().c_str(),
                words(failure.at("first").at("cell")).c_str(),
                words(failure.at("commands").at(0)).c_str());
  }
  std::printf("report: %s/report.html\nlastput: %s\n", dir.c_str(),
              summary.at("verdict").get<std::string>().c_str());
  return summary.at("exit code");
}

int run() {
  const bool plans = absl::GetFlag(FLAGS_plan), reports = absl::GetFlag(FLAGS_report);
  const bool notes = absl::GetFlag(FLAGS_note) != 0;
  if (plans + reports + notes != 1)
    return refuse("one of --plan, --note and --report; --help tells");
  if (plans) return plan();
  if (absl::GetFlag(FLAGS_dir).empty()) return refuse("--dir: of which night?");
  return notes ? note() : report();
}

}  // namespace
}  // namespace nightly

int main(int argc, char** argv) {
  absl::SetProgramUsageMessage("plans a night, notes its rounds, and writes its report");
  if (absl::ParseCommandLine(argc, argv).size() != 1) return nightly::refuse("flags alone");
  try {
    return nightly::run();
  } catch (const std::exception& error) {
    std::fprintf(stderr, "nightly_report: %s\n", error.what());
    return nightly::kBroken;
  }
}
