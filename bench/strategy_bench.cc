// SPDX-License-Identifier: Apache-2.0
// Which strategy finds bugs soonest: planted bugs, and the known bugs of the core, each hunted by each
// contender; medians beside plain random's.
//
//   strategy_bench [--quick] [--cap=N] [--seeds=N] [--bugs=A,B] [--contenders=A,B] [--json=FILE]
//
// Known bugs take part as far as their hunters are built (target known_bug_hunters). Exit codes: 0; 1
// usage; 2 a hunter cannot run, or the file cannot be written.
#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <string>
#include <utility>
#include <vector>

#include "absl/flags/flag.h"
#include "absl/flags/parse.h"
#include "absl/flags/usage.h"
#include "bench/hunt.h"
#include "bench/strategy_table.h"

ABSL_FLAG(bool, quick, false, "one seed and few executions: whether it runs at all");
ABSL_FLAG(unsigned, cap, 2000, "executions after which a hunt gives up");
ABSL_FLAG(unsigned, seeds, 5,
          "hunts of each bug by each contender; the ten hardest get four times as many");
ABSL_FLAG(std::vector<std::string>, bugs, {}, "only these");
ABSL_FLAG(std::vector<std::string>, contenders, {}, "only these, beside random");
ABSL_FLAG(std::string, patches, LASTPUT_PATCHES, "folder of the known bugs");
ABSL_FLAG(std::string, json, "", "file for the same as JSON, with each hunt");

namespace {

using bench::Contender;
using bench::Quarry;
using bench::Row;

constexpr size_t kHardest = 10;
constexpr unsigned kMoreSeeds = 3;  // times as many again

bool among(const std::vector<std::string>& names, const std::string& name) {
  return names.empty() || std::find(names.begin(), names.end(), name) != names.end();
}

bool fail(const std::string& what) {
  std::fprintf(stderr, "strategy_bench: %s\n", what.c_str());
  return false;
}

bool choose_contenders(std::vector<const Contender*>* chosen) {
  const auto wanted = absl::GetFlag(FLAGS_contenders);
  for (const std::string& name : wanted)
    if (bench::find_contender(name) == nullptr) return fail("no contender '" + name + "'");
  for (const Contender& c : bench::contenders())
    if (chosen->empty() || among(wanted, c.name)) chosen->push_back(&c);
  return true;
}

bool choose_quarries(const std::string& bin, std::vector<Row>* rows) {
  const auto wanted = absl::GetFlag(FLAGS_bugs);
  unsigned missing = 0;
  std::vector<Quarry> all = bench::planted_quarries();
  for (Quarry& q : bench::known_quarries(absl::GetFlag(FLAGS_patches), bin, &missing))
    all.push_back(std::move(q));
  if (missing != 0)
    std::fprintf(stderr, "%u known bugs are left out: build target known_bug_hunters first\n",
                 missing);
  for (const std::string& name : wanted)
    if (std::none_of(all.begin(), all.end(), [&](const Quarry& q) { return q.name == name; }))
      return fail("no bug '" + name + "', or its hunter is not built");
  for (Quarry& q : all)
    if (among(wanted, q.name)) rows->push_back({std::move(q), {}});
  return true;
}

// More hunts of a bug, by all.
bool hunt(Row& row, const std::vector<const Contender*>& contenders, uint64_t cap, unsigned first,
          unsigned seeds) {
  row.hunts.resize(contenders.size());
  for (size_t i = 0; i < contenders.size(); ++i) {
    const auto hunts = bench::hunt(row.quarry, *contenders[i], cap, first, seeds);
    if (hunts.empty()) return fail("the hunter of " + row.quarry.name + " cannot run");
    row.hunts[i].insert(row.hunts[i].end(), hunts.begin(), hunts.end());
  }
  std::fprintf(stderr, "%s: random %.0f\n", row.quarry.name.c_str(),
               bench::median_executions(row.hunts[0]));
  return true;
}

// By how much plain random needs, then by how much all need.
double hardness(const Row& row) {
  double sum = 0;
  for (const auto& hunts : row.hunts) sum += bench::median_executions(hunts);
  return bench::median_executions(row.hunts[0]) * 1000 +
         sum / static_cast<double>(row.hunts.size());
}

std::vector<Row*> hardest(std::vector<Row>& rows) {
  std::vector<Row*> all;
  for (Row& row : rows) all.push_back(&row);
  std::sort(all.begin(), all.end(), [](const Row* a, const Row* b) {
    return std::make_pair(hardness(*b), a->quarry.name) <
           std::make_pair(hardness(*a), b->quarry.name);
  });
  all.resize(std::min(all.size(), kHardest));
  return all;
}

}  // namespace

int main(int argc, char** argv) {
  absl::SetProgramUsageMessage("strategy_bench [FLAGS]");
  if (absl::ParseCommandLine(argc, argv).size() > 1) {
    fail("it takes no arguments; see --help");
    return 1;
  }
  const bool quick = absl::GetFlag(FLAGS_quick);
  const uint64_t cap = quick ? 200 : absl::GetFlag(FLAGS_cap);
  const unsigned seeds = quick ? 1 : absl::GetFlag(FLAGS_seeds);
  if (cap == 0 || seeds == 0) {
    fail("--cap and --seeds are 1 at least");
    return 1;
  }
  const std::string bin =
      (std::filesystem::read_symlink("/proc/self/exe").parent_path() / "bugs").string();
  std::vector<const Contender*> contenders;
  std::vector<Row> rows;
  if (!choose_contenders(&contenders) || !choose_quarries(bin, &rows)) return 1;
  for (Row& row : rows)
    if (!hunt(row, contenders, cap, 1, seeds)) return 2;
  if (!quick)
    for (Row* row : hardest(rows))
      if (!hunt(*row, contenders, cap, 1 + seeds, kMoreSeeds * seeds)) return 2;
  std::fputs(bench::to_table(contenders, rows, cap).c_str(), stdout);

  const std::string file = absl::GetFlag(FLAGS_json);
  if (file.empty()) return 0;
  std::ofstream out(file);
  if (out << bench::to_json(contenders, rows, cap) << std::flush) return 0;
  fail("cannot write " + file);
  return 2;
}
