// SPDX-License-Identifier: Apache-2.0
#include "bench/report.h"

#include <sys/utsname.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>
#include <thread>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace bench {
namespace {

constexpr int kRowWidth = 34;
constexpr size_t kColumnWidth = 18;

const char* sign(Goal::Bound bound) {
  return bound == Goal::Bound::kAtMost ? "<=" : ">=";
}

// Microseconds are what long times are told in; figures are nanoseconds.
double scale(const Theme& theme) {
  return std::string_view(theme.unit) == "us" ? 1e-3 : 1;
}

// Filtered out, or not in this table at all: an empty cell.
bool is_told(const Figures::Entry& entry) {
  return !entry.values.empty() || !entry.skipped.empty();
}

// In the order in which they were expected.
std::vector<std::string> distinct(const Figures& figures, const Theme& theme,
                                  std::string Figure::*part) {
  std::vector<std::string> found;
  for (const auto& entry : figures.entries()) {
    const std::string& value = entry.figure.*part;
    if (entry.figure.theme != theme.name || !is_told(entry)) continue;
    if (std::ranges::find(found, value) == found.end()) found.push_back(value);
  }
  return found;
}

// A figure, and its ratio to the base's: "3.52 (0.29)".
std::string cell(const Figures& figures, const Theme& theme, const std::string& row,
                 const std::string& column) {
  const std::string name = Figure{theme.name, row, column}.name();
  const auto* const entry = figures.find(name);
  if (entry == nullptr || !is_told(*entry)) return "";
  const auto value = entry->median();
  if (!value) return "-        ";
  const auto ratio = figures.ratio(name, Figure{theme.name, theme.base, column}.name());
  const double told = *value * scale(theme);
  return absl::StrCat(
      absl::StrFormat("%.*f ", told < 1000 ? 2 : 0, told),
      ratio ? absl::StrFormat("%8s", absl::StrFormat("(%.3g)", *ratio)) : std::string(8, ' '));
}

int width(const std::string& column) {
  return static_cast<int>(std::max(kColumnWidth, column.size() + 2));
}

std::string table(const Theme& theme, const Figures& figures) {
  const auto columns = distinct(figures, theme, &Figure::column);
  if (columns.empty()) return "";
  std::string text = absl::StrFormat("\n%s\n%s; in brackets: times that of %s\n%*s", theme.title,
                                     theme.unit, theme.base, kRowWidth, "");
  for (const auto& column : columns) absl::StrAppendFormat(&text, "%*s", width(column), column);
  for (const auto& row : distinct(figures, theme, &Figure::row)) {
    absl::StrAppendFormat(&text, "\n%-*s", kRowWidth, row);
    for (const auto& column : columns) {
      absl::StrAppendFormat(&text, "%*s", width(column), cell(figures, theme, row, column));
    }
  }
  return text + "\n";
}

std::string reasons(const Figures& figures) {
  std::set<std::string> all;
  for (const auto& entry : figures.entries()) {
    if (!entry.skipped.empty()) all.insert(entry.skipped);
  }
  std::string text;
  for (const auto& reason : all) absl::StrAppend(&text, "\n- : ", reason, "\n");
  return text;
}

std::string verdicts(const std::vector<Outcome>& outcomes) {
  std::string text = absl::StrFormat("\n%-60s %8s %9s\n", "target", "", "measured");
  for (const Outcome& outcome : outcomes) {
    absl::StrAppendFormat(&text, "%-60s %s %5.1f %9s  %s\n", outcome.goal->text,
                          sign(outcome.goal->bound), outcome.goal->limit,
                          outcome.measured ? absl::StrFormat("%.2f", *outcome.measured) : "-",
                          outcome.word());
  }
  return text;
}

size_t rounds(const Figures& figures) {
  size_t most = 0;
  for (const auto& entry : figures.entries()) most = std::max(most, entry.values.size());
  return most;
}

using Json = nlohmann::ordered_json;

Json or_null(const std::optional<double>& value) {
  return value ? Json(*value) : Json(nullptr);
}

Json machine() {
  utsname system{};
  uname(&system);
  return {{"cpus", std::thread::hardware_concurrency()},
          {"kernel", system.release},
          {"processor", system.machine},
          {"compiler", __VERSION__}};
}

const char* unit_of(const std::vector<Theme>& themes, const std::string& theme) {
  for (const Theme& one : themes) {
    if (theme == one.name) return one.unit == std::string_view("bytes") ? "bytes" : "ns";
  }
  return "";
}

}  // namespace

std::string to_table(const std::vector<Theme>& themes, const Figures& figures,
                     const std::vector<Outcome>& outcomes) {
  std::string text = absl::StrFormat("\nmedians of %u rounds\n", rounds(figures));
  for (const Theme& theme : themes) absl::StrAppend(&text, table(theme, figures));
  return absl::StrCat(text, reasons(figures), verdicts(outcomes));
}

std::string to_json(const std::vector<Theme>& themes, const Figures& figures,
                    const std::vector<Outcome>& outcomes) {
  Json report = {{"machine", machine()}, {"rounds", rounds(figures)}};
  for (const auto& entry : figures.entries()) {
    Json one = {{"theme", entry.figure.theme},       {"row", entry.figure.row},
                {"column", entry.figure.column},     {"unit", unit_of(themes, entry.figure.theme)},
                {"median", or_null(entry.median())}, {"values", entry.values}};
    if (!entry.skipped.empty()) one["skipped"] = entry.skipped;
    report["figures"].push_back(one);
  }
  for (const Outcome& outcome : outcomes) {
    report["goals"].push_back({{"goal", outcome.goal->text},
                               {"bound", sign(outcome.goal->bound)},
                               {"limit", outcome.goal->limit},
                               {"measured", or_null(outcome.measured)},
                               {"outcome", outcome.word()}});
  }
  return report.dump(2) + "\n";
}

}  // namespace bench
