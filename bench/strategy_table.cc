// SPDX-License-Identifier: Apache-2.0
#include "bench/strategy_table.h"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "absl/strings/str_format.h"

namespace bench {
namespace {

std::string cell(const Row& row, size_t contender, uint64_t cap) {
  if (!row.found(contender, cap)) return absl::StrFormat(" >%d |", cap);
  return absl::StrFormat(" %.0f |", median_executions(row.hunts[contender]));
}

template <class F>
std::string line(const std::string& head, size_t contenders, F cell) {
  std::string text = "| " + head + " |";
  for (size_t i = 0; i < contenders; ++i) text += cell(i);
  return text + "\n";
}

}  // namespace

bool Row::found(size_t contender, uint64_t cap) const {
  return median_executions(hunts[contender]) <= static_cast<double>(cap);
}

bool Row::ranked(uint64_t cap) const {
  if (median_executions(hunts[0]) <= kEasy) return false;
  for (size_t i = 0; i < hunts.size(); ++i)
    if (found(i, cap)) return true;
  return false;
}

Standing standing(const std::vector<Row>& rows, size_t contender, uint64_t cap) {
  Standing s;
  double executions = 0, seconds = 0;
  unsigned n = 0;
  for (const Row& row : rows) {
    if (!row.ranked(cap)) continue;
    ++n;
    s.found += row.found(contender, cap);
    executions +=
        std::log(median_executions(row.hunts[0]) / median_executions(row.hunts[contender]));
    // The clock's step is a microsecond.
    seconds += std::log((median_seconds(row.hunts[0]) + 1e-6) /
                        (median_seconds(row.hunts[contender]) + 1e-6));
  }
  if (n == 0) return s;
  s.executions = std::exp(executions / n);
  s.seconds = std::exp(seconds / n);
  return s;
}

std::string to_table(const std::vector<const Contender*>& contenders, const std::vector<Row>& rows,
                     uint64_t cap) {
  const size_t n = contenders.size();
  std::string text =
      line("bug", n, [&](size_t i) { return " " + std::string(contenders[i]->name) + " |"; });
  text += line("---", n, [](size_t) { return "--:|"; });
  std::string left_out;
  unsigned ranked = 0;
  for (const Row& row : rows) {
    if (!row.ranked(cap)) {
      left_out += (left_out.empty() ? "" : ", ") + row.quarry.name;
      if (!row.found(0, cap)) left_out += " (nobody found it)";
      continue;
    }
    ++ranked;
    text += line(row.quarry.name, n, [&](size_t i) { return cell(row, i, cap); });
  }
  std::vector<Standing> all;
  for (size_t i = 0; i < n; ++i) all.push_back(standing(rows, i, cap));
  text += line("**found**, of " + std::to_string(ranked), n,
               [&](size_t i) { return absl::StrFormat(" %d |", all[i].found); });
  text += line("**fewer executions than random**, times", n,
               [&](size_t i) { return absl::StrFormat(" %.2f |", all[i].executions); });
  text += line("**fewer seconds than random**, times", n,
               [&](size_t i) { return absl::StrFormat(" %.2f |", all[i].seconds); });
  return text + "\nEasy, so left out: " + (left_out.empty() ? "none" : left_out) + ".\n";
}

std::string to_json(const std::vector<const Contender*>& contenders, const std::vector<Row>& rows,
                    uint64_t cap) {
  nlohmann::ordered_json json;
  json["cap"] = cap;
  json["easy"] = kEasy;
  for (size_t i = 0; i < contenders.size(); ++i) {
    const Standing s = standing(rows, i, cap);
    json["contenders"].push_back({{"name", contenders[i]->name},
                                  {"found", s.found},
                                  {"fewer_executions", s.executions},
                                  {"fewer_seconds", s.seconds}});
  }
  for (const Row& row : rows) {
    nlohmann::ordered_json bug = {{"name", row.quarry.name},
                                  {"what", row.quarry.what},
                                  {"planted", row.quarry.planted != nullptr},
                                  {"ranked", row.ranked(cap)}};
    if (row.quarry.planted != nullptr) {
      bug["threads"] = row.quarry.planted->threads;
      bug["depth"] = row.quarry.planted->depth;
    }
    for (size_t i = 0; i < contenders.size(); ++i) {
      nlohmann::ordered_json hunts;
      for (const Hunt& h : row.hunts[i]) {
        hunts["executions"].push_back(h.executions);
        hunts["seconds"].push_back(h.seconds);
      }
      bug["hunts"][contenders[i]->name] = hunts;
    }
    json["bugs"].push_back(bug);
  }
  return json.dump(2) + "\n";
}

}  // namespace bench
