// SPDX-License-Identifier: Apache-2.0
#include "bugs/peers.h"

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <sstream>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "bugs/process.h"

namespace bugs {

std::string median_of_hunts(const std::string& lines, unsigned seeds, uint64_t cap) {
  std::istringstream in(lines);
  std::vector<uint64_t> all;
  uint64_t executions = 0;
  for (double seconds = 0; in >> executions >> seconds;) all.push_back(executions);
  if (!in.eof() || all.empty() || all.size() != seeds) return "";
  std::sort(all.begin(), all.end());
  const uint64_t median = all[all.size() / 2];
  return median > cap ? absl::StrCat(">", cap) : absl::StrCat(median);
}

std::string median_on_threads(std::vector<Hunt::Again> hunts) {
  std::sort(hunts.begin(), hunts.end(),
            [](const Hunt::Again& a, const Hunt::Again& b) { return a.executions < b.executions; });
  const Hunt::Again& median = hunts[hunts.size() / 2];
  return median.executions == Hunt::kNotFound
             ? absl::StrCat(">", kPeerSeconds, " s")
             : absl::StrFormat("%d in %.1f s", median.executions, median.seconds);
}

namespace {

namespace fs = std::filesystem;

std::string not_run(int code) {
  return absl::StrCat("not run (exit code ", code, ")");
}

std::string ask_plain_random(const Hunt& hunt, const PeerOptions& options) {
  const fs::path folder = options.out / hunt.bug.name;
  const fs::path said = folder / "plain_random";
  fs::create_directories(folder);
  fs::remove(said);
  Command command;
  command.arguments = {(options.build / "bin/bugs" / hunt.bug.name / "hunt_known_bug").string(),
                       "random", absl::StrCat(kPeerExecutions), hunt.bug.target,
                       absl::StrJoin(hunt.bug.breaks, " ")};
  for (unsigned i = 0; i < options.seeds; ++i)
    command.arguments.push_back(absl::StrCat(options.seed + i));
  // What the bug makes the core complain of goes elsewhere.
  command.log = said;
  command.error_log = folder / "plain_random.log";
  const int code = run(command);
  const std::string median = median_of_hunts(contents(said), options.seeds, kPeerExecutions);
  return code == 0 && !median.empty() ? median : not_run(code);
}

std::string ask_real_threads(const Hunt& hunt, const std::string& preset,
                             const PeerOptions& options) {
  constexpr int kFound = 77;
  const std::string fuzzer = hunt.bug.target + "_fuzzer";
  const fs::path build = fs::absolute(options.build).parent_path() / preset;
  fs::path program;  // on linux, where that has the bug
  for (const char* platform : {"portable", "linux"}) {
    const fs::path there = build / "bin/real" / platform / "bugs" / hunt.bug.name / fuzzer;
    if (fs::exists(there)) program = there;
  }
  if (program.empty()) return "not built";
  std::vector<Hunt::Again> hunts;
  for (unsigned i = 0; i < options.seeds; ++i) {
    const fs::path folder = options.out / hunt.bug.name / preset;
    fs::remove_all(folder);
    fs::create_directories(folder / "corpus");
    // As often as it ran, also where the failure leaves no report.
    const fs::path counter = folder / "executions";
    std::ofstream(counter, std::ios::binary) << std::string(sizeof(uint64_t), '\0');
    Command command;
    command.arguments = {program.string(),
                         absl::StrCat("-max_total_time=", kPeerSeconds),
                         absl::StrCat("-seed=", options.seed + i),
                         absl::StrCat("-timeout=", kPeerSeconds),
                         absl::StrCat("-artifact_prefix=", folder.string(), "/"),
                         "-detect_leaks=0",
                         "-rss_limit_mb=4096",
                         (folder / "corpus").string(),
                         (options.build / "corpus" / hunt.bug.target).string()};
    // As go_on_after_a_race() of sanitizers/runtime.sh.
    const char* const tsan = std::getenv("TSAN_OPTIONS");
    command.variables = {
        "LASTPUT_EXECUTIONS=" + counter.string(),
        absl::StrCat("TSAN_OPTIONS=", tsan == nullptr ? "" : tsan, ":halt_on_error=0")};
    command.log = folder / "log";
    const auto begin = std::chrono::steady_clock::now();
    const int code = run(command);
    if (code != 0 && code != kFound) return not_run(code);
    uint64_t executions = 0;
    const std::string counted = contents(counter);
    std::memcpy(&executions, counted.data(), std::min(counted.size(), sizeof executions));
    const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - begin;
    hunts.push_back({code == kFound ? executions : Hunt::kNotFound, seconds.count()});
  }
  return median_on_threads(std::move(hunts));
}

}  // namespace

std::vector<std::pair<std::string, std::string>> ask_peers(const Hunt& hunt,
                                                           const PeerOptions& options) {
  return {{"plain random", ask_plain_random(hunt, options)},
          {"plain threads", ask_real_threads(hunt, "plain", options)},
          {"tsan threads", ask_real_threads(hunt, "tsan", options)}};
}

}  // namespace bugs
