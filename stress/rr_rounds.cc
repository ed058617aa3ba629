// SPDX-License-Identifier: Apache-2.0
#include "stress/rr_rounds.h"

#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <optional>
#include <string>
#include <system_error>
#include <vector>

#include "sched/debug/child_process.h"
#include "sched/debug/rr.h"
#include "stress/scenario.h"

namespace stress {
namespace {

namespace fs = std::filesystem;
using std::chrono::steady_clock;

constexpr int kOk = 0, kBroken = 2, kMissing = 3, kFound = 77;
constexpr unsigned kRoundSeconds = 5;
// Recording and replaying are slower than running, and one CPU has all threads.
constexpr unsigned kPatience = 120, kReplaySeconds = 600;

std::atomic<bool> ending =
    false;  // relaxed everywhere: set by a signal handler, and nothing else is passed on by it

struct Round {
  std::string scenario;
  uint64_t seed = 0;
  unsigned seconds = 0;
  bool chaos = false;
};

std::vector<std::string> names_of(const Options& options) {
  if (!options.scenarios.empty()) return options.scenarios;
  std::vector<std::string> names;
  for (const ScenarioInfo& info : scenarios()) names.emplace_back(info.name);
  return names;
}

std::vector<std::string> arguments_of(const Round& round, const Options& options) {
  std::vector<std::string> words = {round.scenario};
  const auto add = [&](const char* name, const std::string& value) {
    words.push_back(std::string("--") + name + "=" + value);
  };
  add("seed", std::to_string(round.seed));
  add("seconds", std::to_string(round.seconds));
  add("threads", std::to_string(options.threads));
  add("patience", std::to_string(std::max(options.patience, kPatience)));
  add("round-ms", std::to_string(options.round_ms));
  add("adversity", options.adversity ? "on" : "off");
  add("artifacts", options.artifacts);
  add("again", options.again + " --rr");
  return words;
}

uint64_t size_mb(const std::string& folder) {
  uint64_t bytes = 0;
  std::error_code error;
  for (const auto& entry : fs::recursive_directory_iterator(folder, error))
    if (entry.is_regular_file(error)) bytes += entry.file_size(error);
  return bytes >> 20;
}

// What the log says after these words, at the beginning of a line.
std::string said(const std::string& log, const std::string& words) {
  std::ifstream file(log);
  for (std::string line; std::getline(file, line);)
    if (line.starts_with(words)) return line.substr(words.size());
  return "";
}

void show(const std::string& log) {
  std::ifstream file(log);
  for (std::string line; std::getline(file, line);)
    if (!line.starts_with("rr: ")) std::printf("%s\n", line.c_str());
}

// Recordings that a killed soak left.
void delete_abandoned(const fs::path& parent) {
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(parent, error)) {
    const std::string name = entry.path().filename().string();
    if (!name.starts_with(".rr-")) continue;
    const auto owner = static_cast<pid_t>(std::atoi(name.c_str() + 4));
    if (owner > 0 && kill(owner, 0) != 0) fs::remove_all(entry.path(), error);
  }
}

// Of a round that failed: into the folder that it left, or beside where that would be.
void keep(const sched::Rr& rr, const Round& round, const Options& options, const std::string& trace,
          const std::string& log) {
  const std::string folder = said(log, "written: ");
  fs::path kept = folder.empty() ? fs::path(options.artifacts) /
                                       (round.scenario + "-" + std::to_string(round.seed) + "-rr-" +
                                        std::to_string(getpid()))
                                 : fs::path(folder) / "rr";
  const bool packed = rr.pack(trace);
  std::error_code error;
  fs::rename(trace, kept, error);
  if (error) kept = trace;
  std::printf("recorded: %s\n", rr.command(kept.string()).c_str());
  if (!packed)
    std::printf("note: rr pack failed: the recording needs this machine's files as they are now\n");
  std::fflush(stdout);
  std::string difference;
  if (rr.replays(kept.string(), log, kReplaySeconds, &difference))
    std::printf("replayed once: the same, word for word\n");
  else
    std::printf("replayed once: NOT the same: %s\n", difference.c_str());
  std::printf("to the failure: ./lastput replay %s\n", kept.string().c_str());
  const std::string summary = said(log, "SUMMARY: ");
  if (!summary.empty()) std::printf("SUMMARY: %s\n", summary.c_str());
}

}  // namespace

void end_rr_rounds() noexcept {
  ending.store(true, std::memory_order_relaxed);
  sched::end_child();
}

int soak_under_rr(const Options& options) {
  std::string error;
  const std::optional<sched::Rr> rr = sched::Rr::find(&error);
  if (!rr) {
    std::fprintf(stderr, "stress: %s\n", error.c_str());
    return kMissing;
  }
  std::error_code failed;
  fs::create_directories(options.artifacts, failed);
  if (failed) {
    std::fprintf(stderr, "stress: %s: %s\n", options.artifacts.c_str(), failed.message().c_str());
    return kBroken;
  }
  delete_abandoned(options.artifacts);
  const std::vector<std::string> names = names_of(options);
  const unsigned share = std::max(1U, options.seconds / static_cast<unsigned>(names.size()));
  const auto until = steady_clock::now() + std::chrono::seconds(options.seconds);
  const std::string folder = options.artifacts + "/.rr-" + std::to_string(getpid());
  const std::string trace = folder + "/trace", log = folder + "/log";
  unsigned n = 0;
  int code = kOk;
  // Each scenario has a round, however slow the machine.
  for (; code == kOk && !ending.load(std::memory_order_relaxed) &&
         (n < names.size() || steady_clock::now() < until);
       ++n) {
    const Round round = {names[n % names.size()], options.seed + n, std::min(share, kRoundSeconds),
                         n % 2 == 1};
    fs::create_directories(folder, failed);
    const auto began = steady_clock::now();
    code = rr->record({arguments_of(round, options), trace, log, round.chaos}, &error);
    const double took = std::chrono::duration<double>(steady_clock::now() - began).count();
    if (ending.load(std::memory_order_relaxed)) break;
    if (code == kOk) {
      const std::string line = said(log, round.scenario + ": ");
      std::printf("round %u, %s, seed %llu%s: clean, %.1f s, %llu MB of recording deleted; %s\n",
                  n + 1, round.scenario.c_str(), static_cast<unsigned long long>(round.seed),
                  round.chaos ? ", chaos" : "", took,
                  static_cast<unsigned long long>(size_mb(trace)), line.c_str());
    } else {
      show(log);
      if (code < 0)
        std::fprintf(stderr, "stress: %s\n", error.c_str());
      else
        keep(*rr, round, options, trace, log);
    }
    std::fflush(stdout);
    fs::remove_all(folder, failed);
  }
  fs::remove_all(folder, failed);
  if (code < 0) return kBroken;
  if (code != kOk && !ending.load(std::memory_order_relaxed)) return code >= 128 ? kFound : code;
  std::printf("lastput: %s%u rounds under rr, none fails\n",
              ending.load(std::memory_order_relaxed) ? "stopped; " : "", n);
  return kOk;
}

}  // namespace stress
