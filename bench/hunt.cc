// SPDX-License-Identifier: Apache-2.0
#include "bench/hunt.h"

#include <algorithm>
#include <cstdio>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <sstream>

namespace bench {
namespace {

namespace fs = std::filesystem;

std::string header_line(const std::string& patch, const std::string& key) {
  std::istringstream lines(patch);
  for (std::string line; std::getline(lines, line);)
    if (line.rfind(key + ": ", 0) == 0) return line.substr(key.size() + 2);
  return "";
}

Hunt hunt_planted(const PlantedBug& bug, const Contender& contender, uint64_t cap, uint64_t seed) {
  const std::clock_t begin = std::clock();
  sched::Profile profile;
  Hunt hunt;
  for (bool found = false; !found && hunt.executions <= cap; ++hunt.executions) {
    sched::Options options;
    options.weak_memory = bug.weak;
    options.seed = (seed << 32) + hunt.executions;
    if (hunt.executions == 0)
      options.learn = &profile;
    else
      options.profile = &profile;
    contender.prepare(static_cast<uint32_t>(hunt.executions), options);
    found = sched::run(bug.body, nullptr, options).verdict == sched::Verdict::kFailed;
  }
  hunt.executions = std::min(hunt.executions, cap + 1);
  hunt.seconds = static_cast<double>(std::clock() - begin) / CLOCKS_PER_SEC;
  return hunt;
}

std::vector<Hunt> hunt_known(const Quarry& quarry, const Contender& contender, uint64_t cap,
                             unsigned first, unsigned seeds) {
  std::string command = "'" + quarry.hunter + "' " + contender.name + " " + std::to_string(cap) +
                        " " + quarry.target + " '" + quarry.guarantees + "'";
  for (unsigned i = 0; i < seeds; ++i) command += " " + std::to_string(first + i);
  command += " 2>/dev/null";  // what the bug makes the core complain of
  std::vector<Hunt> hunts;
  FILE* pipe = popen(command.c_str(), "r");
  if (pipe == nullptr) return {};
  unsigned long long executions;
  double seconds;
  while (fscanf(pipe, "%llu %lf", &executions, &seconds) == 2)
    hunts.push_back({executions, seconds});
  return pclose(pipe) == 0 && hunts.size() == seeds ? hunts : std::vector<Hunt>{};
}

}  // namespace

std::vector<Quarry> planted_quarries() {
  std::vector<Quarry> all;
  for (const PlantedBug& bug : planted_bugs())
    all.push_back({bug.name, bug.what, &bug, "", "", ""});
  return all;
}

std::vector<Quarry> known_quarries(const std::string& patches, const std::string& bin,
                                   unsigned* missing) {
  std::vector<Quarry> all;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(patches, error)) {
    if (entry.path().extension() != ".patch") continue;
    std::stringstream text;
    text << std::ifstream(entry.path()).rdbuf();
    const std::string name = entry.path().stem().string();
    const fs::path hunter = fs::path(bin) / name / "hunt_known_bug";
    if (!fs::exists(hunter)) {
      ++*missing;
      continue;
    }
    const std::string target = header_line(text.str(), "Target");
    all.push_back({name, header_line(text.str(), "What"), nullptr, hunter.string(),
                   target.empty() ? "percpu_ref" : target, header_line(text.str(), "Breaks")});
  }
  std::sort(all.begin(), all.end(),
            [](const Quarry& a, const Quarry& b) { return a.name < b.name; });
  return all;
}

std::vector<Hunt> hunt(const Quarry& quarry, const Contender& contender, uint64_t cap,
                       unsigned first, unsigned seeds) {
  if (quarry.planted == nullptr) return hunt_known(quarry, contender, cap, first, seeds);
  std::vector<Hunt> hunts;
  for (unsigned i = 0; i < seeds; ++i)
    hunts.push_back(hunt_planted(*quarry.planted, contender, cap, first + i));
  return hunts;
}

double median_executions(std::vector<Hunt> hunts) {
  std::sort(hunts.begin(), hunts.end(),
            [](const Hunt& a, const Hunt& b) { return a.executions < b.executions; });
  const size_t n = hunts.size();
  return static_cast<double>(hunts[(n - 1) / 2].executions + hunts[n / 2].executions) / 2;
}

double median_seconds(std::vector<Hunt> hunts) {
  std::sort(hunts.begin(), hunts.end(),
            [](const Hunt& a, const Hunt& b) { return a.seconds < b.seconds; });
  const size_t n = hunts.size();
  return (hunts[(n - 1) / 2].seconds + hunts[n / 2].seconds) / 2;
}

}  // namespace bench
