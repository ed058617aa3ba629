// SPDX-License-Identifier: Apache-2.0
#include "stress/result.h"

#include <sys/resource.h>

#include <cstdio>
#include <utility>

#include "stress/abort_points.h"
#include "stress/scenario.h"
#include "targets/build_info.h"

namespace stress {
namespace {

// Any bytes as a JSON string in ASCII.
std::string quoted(const std::string& text) {
  std::string all = "\"";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      all += {'\\', c};
    } else if (byte >= 0x20 && byte < 0x7f) {
      all += c;
    } else {
      char code[8];
      std::snprintf(code, sizeof code, "\\u%04x", byte);
      all += code;
    }
  }
  return all + "\"";
}

std::string list(const std::vector<std::string>& items, char open = '[', char close = ']') {
  std::string all(1, open);
  for (const std::string& item : items) all += (all.size() == 1 ? "" : ", ") + item;
  return all + close;
}
std::string object(const std::vector<std::pair<std::string, std::string>>& fields) {
  std::vector<std::string> items;
  for (const auto& [name, value] : fields) items.push_back(quoted(name) + ": " + value);
  return list(items, '{', '}');
}

template <typename Counts>
std::string named(const Counts& counts, const char* (*name)(unsigned)) {
  std::vector<std::pair<std::string, std::string>> fields;
  for (unsigned i = 0; i < counts.size(); ++i)
    fields.emplace_back(name(i), std::to_string(counts[i]));
  return object(fields);
}

std::string scenario_json(const Result& result) {
  std::vector<std::string> ages, not_here;
  for (const uint64_t age : result.totals.ages) ages.push_back(std::to_string(age));
  for (const std::string& words : result.not_here) not_here.push_back(quoted(words));
  return object({{"scenario", quoted(result.scenario)},
                 {"seconds", std::to_string(result.seconds)},
                 {"rounds", std::to_string(result.rounds)},
                 {"counts", named(result.totals.stats, stat_name)},
                 {"ages", list(ages)},
                 {"adversity", named(result.adversity, trouble_name)},
                 {"not here", list(not_here)}});
}

std::string aborts_json() {
  const AbortPoints all = abort_points();
  std::vector<std::string> met;
  for (const MetSection& section : met_sections()) {
    std::vector<std::string> hits;
    for (const auto& [offset, count] : section.hits)
      hits.push_back(list({std::to_string(offset), std::to_string(count)}));
    met.push_back(object({{"section", std::to_string(section.number)}, {"hits", list(hits)}}));
  }
  return object({{"breakpoints", std::to_string(all.hits)},
                 {"forced", std::to_string(all.aborts)},
                 {"sections", std::to_string(all.sections)},
                 {"instructions", std::to_string(kSectionInstructions)},
                 {"met", list(met)}});
}

uint64_t most_memory_mb() {
  rusage usage = {};
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<uint64_t>(usage.ru_maxrss) >> 10;
}

}  // namespace

std::string results_json(const Options& options, const std::vector<Result>& results, bool stopped) {
  std::vector<std::string> scenarios;
  for (const Result& result : results) scenarios.push_back(scenario_json(result));
  const char* const obstacle = core_has_no_sections();
  return object({{"build", quoted(targets::build_name())},
                 {"bug", quoted(targets::built_with_bug())},
                 {"seed", std::to_string(options.seed)},
                 {"threads", std::to_string(options.threads)},
                 {"stopped", stopped ? "true" : "false"},
                 {"without sections", quoted(obstacle == nullptr ? "" : obstacle)},
                 {"most memory, MB", std::to_string(most_memory_mb())},
                 {"scenarios", list(scenarios)},
                 {"aborts", aborts_json()}}) +
         "\n";
}

}  // namespace stress
