// SPDX-License-Identifier: Apache-2.0
#include "audit/search.h"

#include <algorithm>
#include <atomic>
#include <regex>
#include <thread>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "bugs/process.h"

namespace audit {
namespace {

namespace fs = std::filesystem;

// After these it counts as a hang: one input of a fuzz target; what a program takes beyond its time; an
// explored test, which ends by itself.
constexpr unsigned kInputSeconds = 30;
constexpr unsigned kGraceSeconds = 60;
constexpr unsigned kTestSeconds = 300;

enum class Sort { kTest, kFuzzer, kVerify, kOther };
Sort sort_of(const fs::path& program) {
  const std::string name = program.filename().string();
  if (absl::EndsWith(name, "_test")) return Sort::kTest;
  if (absl::EndsWith(name, "_fuzzer")) return Sort::kFuzzer;
  return name == "verify" ? Sort::kVerify : Sort::kOther;
}

bugs::Command command_for(const fs::path& program, const SearchOptions& options) {
  const std::string name = program.filename().string();
  const fs::path own = options.work / name;
  fs::create_directories(own / "corpus");
  bugs::Command command;
  command.arguments = {program.string()};
  command.log = own / "log";
  command.limit_seconds = options.seconds + kGraceSeconds;
  const auto add = [&](const std::string& argument) { command.arguments.push_back(argument); };
  const std::string prefix = own.string() + "/";
  switch (sort_of(program)) {
    case Sort::kFuzzer: {
      add(absl::StrCat("-max_total_time=", options.seconds));
      add(absl::StrCat("-seed=", options.seed));
      add(absl::StrCat("-timeout=", kInputSeconds));
      add("-artifact_prefix=" + prefix);
      add("-verbosity=0");
      add("-print_final_stats=0");
      add((own / "corpus").string());
      const fs::path seeds = options.seeds / name.substr(0, name.size() - sizeof "_fuzzer" + 1);
      if (fs::is_directory(seeds)) add(seeds.string());
      break;
    }
    case Sort::kVerify:
      add(absl::StrCat("--seconds=", options.seconds));
      add("--jobs=1");
      add("--prefix=" + prefix);
      break;
    default:
      command.limit_seconds = kTestSeconds;
  }
  return command;
}

Finding finding_of(const fs::path& program, const bugs::Command& command, int code) {
  Finding finding;
  finding.program = program.filename().string();
  if (code == 0) return finding;
  finding.guarantee = what_broke(bugs::contents(command.log));
  if (code == bugs::kKilled) finding.guarantee = "hangs";
  if (code > bugs::kSignal && finding.guarantee.empty()) finding.guarantee = "crash";
  finding.found = !finding.guarantee.empty();
  if (!finding.found)
    finding.problem =
        absl::StrCat(finding.program, " ended with ", code, "; see ", command.log.string());
  return finding;
}

}  // namespace

std::vector<fs::path> programs_in(const fs::path& folder) {
  std::vector<fs::path> programs;
  for (const auto& entry : fs::directory_iterator(folder))
    if (sort_of(entry.path()) != Sort::kOther) programs.push_back(entry.path());
  std::sort(programs.begin(), programs.end(), [](const fs::path& a, const fs::path& b) {
    return std::pair(sort_of(a), a) < std::pair(sort_of(b), b);
  });
  return programs;
}

std::string what_broke(const std::string& log) {
  std::smatch match;
  // As the fuzz targets and verify say it; and as the explored tests do.
  static const std::regex kSummary("SUMMARY: lastput: ([A-Za-z0-9-]+)");
  static const std::regex kTest("(?:seed|execution) [0-9]+: ([A-Z][0-9]+)? ?([a-z-]+):");
  static const std::regex kEngine("SUMMARY: libFuzzer: ([a-z-]+)");
  if (std::regex_search(log, match, kSummary)) return match[1];
  if (std::regex_search(log, match, kTest)) return match[1].matched ? match[1] : match[2];
  if (std::regex_search(log, match, kEngine)) return match[1];
  return "";
}

Finding search(const std::vector<fs::path>& programs, const SearchOptions& options) {
  fs::remove_all(options.work);
  std::vector<Finding> findings(programs.size());
  std::vector<std::atomic<bool>> stop(programs.size());
  std::atomic<size_t> next{0};
  const auto work = [&] {
    // relaxed (all of it): numbers by themselves; join orders the findings.
    for (size_t i; (i = next.fetch_add(1, std::memory_order_relaxed)) < programs.size();) {
      if (stop[i].load(std::memory_order_relaxed)) continue;
      bugs::Command command = command_for(programs[i], options);
      command.stop = &stop[i];
      const int code = bugs::run(command);
      if (stop[i].load(std::memory_order_relaxed)) continue;
      findings[i] = finding_of(programs[i], command, code);
      if (!findings[i].found) continue;
      for (size_t later = i + 1; later < stop.size(); ++later)
        stop[later].store(true, std::memory_order_relaxed);
    }
  };
  std::vector<std::thread> workers;
  for (unsigned i = 0; i < std::max(1U, options.jobs); ++i) workers.emplace_back(work);
  for (std::thread& worker : workers) worker.join();
  for (const Finding& finding : findings)
    if (finding.found || !finding.problem.empty()) return finding;
  return {};
}

}  // namespace audit
