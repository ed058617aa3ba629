// SPDX-License-Identifier: Apache-2.0
#include "stress/nightly/plan.h"

#include <algorithm>
#include <numeric>

#include "targets/random.h"

namespace nightly {
namespace {

// --- The weights, all of them --------------------------------------------------------------------------------

constexpr unsigned kOtherScenario = 1;  // of those that are not in the table
constexpr struct {
  const char* scenario;
  unsigned weight;
} kScenarios[] = {{"kill_resurrect", 3}, {"switch_storm", 3}, {"churn", 3}, {"signals", 3},
                  {"mixed", 3},          {"managed", 2},      {"pool", 2},  {"rcuref", 2}};

constexpr struct {
  const char *sanitizer, *platform, *compiler;
  unsigned weight;
} kBuilds[] = {
    {"none", "linux", "clang", 4},      {"thread", "linux", "clang", 3},
    {"address", "linux", "clang", 2},   {"none", "linux", "g++", 2},
    {"undefined", "linux", "clang", 1}, {"none", "portable", "clang", 1},
    {"thread", "portable", "clang", 2}, {"address", "portable", "clang", 1},
    {"none", "portable", "g++", 1},     {"undefined", "portable", "clang", 1},
    {"thread", "linux", "g++", 1},      {"thread", "portable", "g++", 1},
};

constexpr struct {
  const char* where;  // "engine", or a sanitizer and the platform, on real threads
  const char* flags;
  unsigned weight;
} kFuzzers[] = {
    {"engine", "", 4},
    {"thread/linux", " --real --sanitizer=thread --platform=linux", 1},
    {"address/linux", " --real --sanitizer=address --platform=linux", 1},
};

// Workers of a soak: mostly as few as find most.
constexpr unsigned kThreads[] = {2, 2, 2, 3, 4, 8};

// --- Times, in seconds ---------------------------------------------------------------------------------------

constexpr unsigned kShortest = 3;      // round; less soaks nothing
constexpr unsigned kLongestSoak = 60;  // so that two hours are enough for all
constexpr unsigned kLongestFuzz = 300;
constexpr unsigned kBetween = 1;    // from one round to the next: programs start and end
constexpr unsigned kFewRounds = 4;  // so many at least, however few the cells
constexpr unsigned kFuzzShare = 3;  // one part of so many, the last, is for the fuzz targets

unsigned weight_of_scenario(const std::string& name) {
  for (const auto& row : kScenarios)
    if (name == row.scenario) return row.weight;
  return kOtherScenario;
}

std::vector<Cell> all_cells(const Wishes& wishes) {
  std::vector<Cell> cells;
  const std::string bug = wishes.bug.empty() ? "" : " --bug=" + wishes.bug;
  const std::string clang = wishes.clang.empty() ? "" : " --compiler=" + wishes.clang;
  const auto wanted = [&](const char* platform) {
    return std::find(wishes.platforms.begin(), wishes.platforms.end(), platform) !=
           wishes.platforms.end();
  };
  for (const std::string& scenario : wishes.scenarios)
    for (const auto& build : kBuilds) {
      const std::string compiler = build.compiler;
      if (!wanted(build.platform) || (compiler == "g++" && !wishes.has_gcc)) continue;
      const std::string sanitizer = build.sanitizer, platform = build.platform;
      cells.push_back({"stress/" + scenario + "/" + sanitizer + "/" + platform + "/" + compiler,
                       "stress " + scenario + " --sanitizer=" + sanitizer +
                           " --platform=" + platform +
                           (compiler == "clang" ? clang : " --compiler=" + compiler) + bug,
                       weight_of_scenario(scenario) * build.weight, true});
    }
  for (const std::string& target : wishes.targets)
    for (const auto& fuzzer : kFuzzers)
      cells.push_back({"fuzz/" + target + "/" + fuzzer.where,
                       "fuzz " + target + fuzzer.flags + clang + bug, fuzzer.weight, false});
  std::erase_if(cells,
                [&](const Cell& cell) { return cell.name.find(wishes.only) == std::string::npos; });
  return cells;
}

// Each next one is drawn from those that are left, by weight.
std::vector<size_t> drawn_by_weight(const std::vector<Cell>& cells, targets::Random& random) {
  std::vector<size_t> left(cells.size()), drawn;
  std::iota(left.begin(), left.end(), size_t{0});
  unsigned sum = 0;
  for (const Cell& cell : cells) sum += cell.weight;
  while (!left.empty()) {
    unsigned dice = random.below(sum);
    size_t i = 0;
    while (dice >= cells[left[i]].weight) dice -= cells[left[i++]].weight;
    sum -= cells[left[i]].weight;
    drawn.push_back(left[i]);
    left.erase(left.begin() + static_cast<std::ptrdiff_t>(i));
  }
  return drawn;
}

// As many rounds of these cells as the time has room for.
void add_rounds(const std::vector<Cell>& cells, unsigned time, unsigned longest,
                targets::Random& random, std::vector<Round>& rounds) {
  if (cells.empty()) return;
  const unsigned turns = std::max(static_cast<unsigned>(cells.size()), kFewRounds);
  const unsigned turn = std::clamp(time / turns, kShortest + kBetween, longest + kBetween);
  const std::vector<size_t> order = drawn_by_weight(cells, random);
  std::vector<uint64_t> had(cells.size(), 0);
  for (unsigned left = std::max(time, turn); left >= turn; left -= turn) {
    const auto next = *std::min_element(order.begin(), order.end(), [&](size_t a, size_t b) {
      if (had[a] == 0 || had[b] == 0) return had[a] < had[b];
      return had[a] * cells[b].weight < had[b] * cells[a].weight;
    });
    ++had[next];
    const unsigned seconds = turn - kBetween;
    const uint64_t seed = 1 + random.below(999'999'999);
    std::string command = cells[next].command + " --seconds=" + std::to_string(seconds) +
                          " --seed=" + std::to_string(seed);
    if (cells[next].soaks)
      command += " --threads=" +
                 std::to_string(kThreads[random.below(sizeof kThreads / sizeof *kThreads)]);
    rounds.push_back(
        {static_cast<unsigned>(rounds.size()) + 1, seconds, cells[next].name, command});
  }
}

}  // namespace

Plan make_plan(const Wishes& wishes) {
  Plan plan{all_cells(wishes), {}};
  std::vector<Cell> soaks, fuzzers;
  for (const Cell& cell : plan.cells) (cell.soaks ? soaks : fuzzers).push_back(cell);
  const unsigned for_fuzz = soaks.empty()     ? wishes.seconds
                            : fuzzers.empty() ? 0
                                              : wishes.seconds / kFuzzShare;
  targets::Random random(wishes.seed);
  add_rounds(soaks, wishes.seconds - for_fuzz, kLongestSoak, random, plan.rounds);
  add_rounds(fuzzers, for_fuzz, kLongestFuzz, random, plan.rounds);
  return plan;
}

}  // namespace nightly
