// SPDX-License-Identifier: Apache-2.0
#include "bugs/known_bug.h"

#include <algorithm>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <sstream>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "bugs/process.h"

namespace bugs {
namespace {

using nlohmann::json;

json parse_object(const std::string& text) {
  json object = json::parse(text, nullptr, /*allow_exceptions=*/false);
  return object.is_object() ? object : json();
}

// "3 ops, 2 switches, 1 stale"
std::string minimal_text(const Hunt& hunt) {
  if (!hunt.minimal) return "-";
  const Minimal& m = *hunt.minimal;
  return absl::StrCat(m.operations, " ops, ", m.switches, m.switches == 1 ? " switch" : " switches",
                      m.departures == 0 ? "" : absl::StrCat(", ", m.departures, " of memory"),
                      m.complete ? "" : ", STOPPED");
}

std::string verdict(const Hunt& hunt) {
  if (!hunt.problem.empty()) return hunt.problem;
  if (hunt.guarantee.empty()) return "NOT FOUND";
  if (!hunt.found()) return "ANOTHER GUARANTEE";
  if (!hunt.replayed()) return "REPLAY DIFFERS";
  if (!hunt.minimized()) return "NOT MINIMIZED";
  if (!hunt.explained()) return "NOT EXPLAINED";
  if (!hunt.good_test()) return absl::StrCat("EMITTED TEST ", hunt.emitted);
  if (!hunt.soon_enough()) return absl::StrCat("NOT WITHIN ", hunt.bug.within);
  return hunt.bug.within == 0 ? "found" : absl::StrCat("found, median ", hunt.median());
}

json executions_or_null(uint64_t executions) {
  return executions == Hunt::kNotFound ? json() : json(executions);
}

json median_or_null(const Hunt& hunt) {
  return executions_or_null(hunt.median());
}

// Each hunt, the one that was replayed first; null executions: it found nothing.
json hunts_of(const Hunt& hunt) {
  json all = json::array();
  const auto add = [&](uint64_t executions, double seconds) {
    all.push_back({{"executions", executions_or_null(executions)}, {"seconds", seconds}});
  };
  add(hunt.found() ? hunt.executions : Hunt::kNotFound, hunt.seconds);
  for (const Hunt::Again& other : hunt.again) add(other.executions, other.seconds);
  return all;
}

std::string replays_text(const Hunt& hunt) {
  return absl::StrJoin(hunt.replays, " ", [](std::string* out, const Replays& r) {
    absl::StrAppend(out, r.same, "/", r.times);
  });
}

}  // namespace

bool parse_header(const std::string& patch, const std::string& file_name, KnownBug* bug,
                  std::string* error) {
  std::istringstream lines(patch);
  for (std::string line;
       std::getline(lines, line) && !line.starts_with("--- ") && !line.starts_with("diff ");) {
    const std::pair<std::string, std::string> field =
        absl::StrSplit(line, absl::MaxSplits(": ", 1));
    const std::string value(absl::StripAsciiWhitespace(field.second));
    if (field.first == "Bug") bug->name = value;
    if (field.first == "What") bug->what = value;
    if (field.first == "Class") bug->klass = value;
    if (field.first == "Target") bug->target = value;
    if (field.first == "Within" && (!absl::SimpleAtoi(value, &bug->within) || bug->within == 0)) {
      *error = absl::StrCat("bugs/", file_name, ".patch: 'Within:' wants a number of executions");
      return false;
    }
    if (field.first == "Breaks") {
      bug->breaks = absl::StrSplit(value, absl::ByAnyChar(" ,"), absl::SkipEmpty());
    }
  }
  if (bug->name != file_name) {
    *error = absl::StrCat("bugs/", file_name, ".patch: line 'Bug: ", file_name, "' is missing");
  } else if (bug->what.empty() || bug->breaks.empty()) {
    *error = absl::StrCat("bugs/", file_name, ".patch: lines 'What:' and 'Breaks:' are needed");
  } else {
    return true;
  }
  return false;
}

bool Hunt::found() const {
  return std::find(bug.breaks.begin(), bug.breaks.end(), guarantee) != bug.breaks.end();
}

bool Hunt::replayed() const {
  return !replays.empty() &&
         std::all_of(replays.begin(), replays.end(), [](const Replays& r) { return r.good(); });
}

uint64_t Hunt::median() const {
  std::vector<uint64_t> all = {found() ? executions : kNotFound};
  for (const Again& hunt : again) all.push_back(hunt.executions);
  std::sort(all.begin(), all.end());
  return all[all.size() / 2];
}

double Hunt::median_seconds() const {
  std::vector<double> all = {seconds};
  for (const Again& hunt : again) all.push_back(hunt.seconds);
  std::sort(all.begin(), all.end());
  return all[all.size() / 2];
}

bool Hunt::soon_enough() const {
  return bug.within == 0 || (again.size() + 1 >= kWithinSeeds && median() <= bug.within);
}

bool parse_report(const std::string& text, Hunt* hunt) {
  const json report = parse_object(text);
  if (!report.contains("executions")) return false;
  hunt->executions = report.value("executions", uint64_t{0});
  hunt->seconds = report.value("seconds", 0.0);
  hunt->guarantee = report.value("guarantee", "");
  hunt->strategy = report.value("strategy", "");
  const std::string artifact = report.value("artifact", "");
  if (!artifact.empty()) hunt->replays.push_back({artifact, 0, 0});
  return true;
}

bool parse_replay_report(const std::string& text, Replays* replays, std::string* kind,
                         std::optional<Minimal>* minimal) {
  const json report = parse_object(text);
  if (!report.contains("times")) return false;
  replays->times = report.value("times", 0U);
  replays->same = report.value("same", 0U);
  *kind = report.value("kind", "");
  if (const auto m = report.find("minimized"); m != report.end()) {
    *minimal = {m->value("operations", 0U), m->value("switches", 0U),    m->value("departures", 0U),
                m->value("seconds", 0.0),   m->value("complete", false), report.value("why", "")};
  }
  return true;
}

std::string regression_name(const Hunt& hunt) {
  return absl::StrCat(hunt.guarantee, "_", hunt.bug.name);
}

bool parse_regression_name(const std::string& stem, std::string* guarantee, std::string* bug) {
  const size_t end = stem.find('_');
  if (end == std::string::npos || end == 0 || end + 1 == stem.size()) return false;
  *guarantee = stem.substr(0, end);
  *bug = stem.substr(end + 1);
  return true;
}

std::string regression_page(const Hunt& hunt) {
  const std::string command =
      absl::StrCat("./lastput replay corpus/regressions/", regression_name(hunt), ".lastput");
  return absl::StrCat("# ", hunt.guarantee, ": ", hunt.bug.name, "\n\n", hunt.bug.what,
                      "\n\nThe smallest failure: ", hunt.minimal->operations, " operations, ",
                      hunt.minimal->switches, " switches. Why it fails:\n\n> ", hunt.minimal->why,
                      "\n\n```\n", command, " --bug=", hunt.bug.name, "   # 77\n", command,
                      "   # 0: the core as it is\n```\n");
}

std::string table(const std::vector<Hunt>& hunts) {
  std::vector<std::vector<std::string>> rows = {
      {"bug", "guarantee", "strategy", "executions", "seconds", "replayed"}};
  const std::vector<std::string> more = {"noticed by", "smallest", "test", "verdict"};
  if (!hunts.empty())
    for (const auto& [peer, brought] : hunts[0].peers) rows[0].push_back(peer);
  rows[0].insert(rows[0].end(), more.begin(), more.end());
  const auto or_dash = [](const std::string& text) { return text.empty() ? "-" : text; };
  for (const Hunt& hunt : hunts) {
    const uint64_t median = hunt.median();
    std::vector<std::string> row = {
        hunt.bug.name,
        or_dash(hunt.guarantee),
        or_dash(hunt.strategy),
        median == Hunt::kNotFound ? absl::StrCat(">", hunt.executions) : absl::StrCat(median),
        absl::StrFormat("%.1f", hunt.median_seconds()),
        or_dash(replays_text(hunt))};
    for (const auto& [peer, brought] : hunt.peers) row.push_back(brought);
    row.insert(row.end(),
               {or_dash(hunt.detector), minimal_text(hunt), or_dash(hunt.emitted), verdict(hunt)});
    rows.push_back(std::move(row));
  }
  return columns(rows);
}

std::string to_json(const std::vector<Hunt>& hunts) {
  json list = json::array();
  for (const Hunt& hunt : hunts) {
    json replays = json::array();
    for (const Replays& r : hunt.replays) {
      replays.push_back({{"artifact", r.artifact}, {"same", r.same}, {"times", r.times}});
    }
    json peers = json::object();
    for (const auto& [peer, brought] : hunt.peers) peers[peer] = brought;
    json smallest;
    if (hunt.minimal) {
      smallest = {{"operations", hunt.minimal->operations}, {"switches", hunt.minimal->switches},
                  {"departures", hunt.minimal->departures}, {"seconds", hunt.minimal->seconds},
                  {"complete", hunt.minimal->complete},     {"why", hunt.minimal->why}};
    }
    list.push_back({{"bug", hunt.bug.name},
                    {"what", hunt.bug.what},
                    {"class", hunt.bug.klass},
                    {"target", hunt.bug.target},
                    {"breaks", hunt.bug.breaks},
                    {"guarantee", hunt.guarantee},
                    {"strategy", hunt.strategy},
                    {"noticed_by", hunt.detector},
                    {"executions", median_or_null(hunt)},
                    {"seconds", hunt.median_seconds()},
                    {"seeds", hunts_of(hunt)},
                    {"replayed", replays_text(hunt)},
                    {"peers", peers},
                    {"replays", replays},
                    {"smallest", smallest},
                    {"emitted_test", hunt.emitted},
                    {"within", hunt.bug.within},
                    {"good", hunt.good()},
                    {"verdict", verdict(hunt)}});
  }
  return list.dump(2) + "\n";
}

}  // namespace bugs
