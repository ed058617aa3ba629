// SPDX-License-Identifier: Apache-2.0
#include "stress/nightly/summary.h"

#include <cmath>
#include <ctime>
#include <map>
#include <set>
#include <sstream>

namespace nightly {
namespace {

constexpr int kOk = 0, kBroken = 2, kMissing = 3, kFound = 77;
constexpr const char* kResults[] = {"clean",   "failure", "skipped", "broken",
                                    "stopped", "cut off", "not run"};

void add(Json& object, const std::string& name, uint64_t n) {
  object[name] = object.value(name, uint64_t{0}) + n;
}

// Calls `see` with each scenario's part of each clean soak, and the round.
template <typename See>
void for_each_soak(const Night& night, See see) {
  for (const Json& round : night.rounds)
    if (round.contains("stress"))
      for (const Json& part : round["stress"].at("scenarios")) see(round, part);
}

Json failures_of(const Night& night) {
  std::map<std::string, Json> by_key;
  std::vector<std::string> order;
  for (const Json& round : night.rounds) {
    if (!round.contains("failure")) continue;
    const Json& told = round["failure"];
    Json& failure = by_key[told.at("key")];
    if (failure.is_null()) {
      order.push_back(told.at("key"));
      failure = told;
      for (const char* name : {"commands", "artifact"}) failure.erase(name);
      failure["times"] = 0;
      failure["first"] = {
          {"round", round.at("number")}, {"began", round.at("began")}, {"cell", round.at("cell")}};
      for (const char* name : {"cells", "commands", "artifacts"}) failure[name] = Json::array();
    }
    add(failure, "times", 1);
    const auto add_new = [&](const char* name, const Json& value) {
      Json& all = failure[name];
      if (value != "" && std::find(all.begin(), all.end(), value) == all.end())
        all.push_back(value);
    };
    add_new("cells", round.at("cell"));
    add_new("commands", "./lastput " + round.at("command").get<std::string>());
    for (const Json& command : told.at("commands")) add_new("commands", command);
    add_new("artifacts", told.at("artifact"));
  }
  Json all = Json::array();
  for (const std::string& key : order) all.push_back(by_key[key]);
  return all;
}

Json cells_of(const Night& night) {
  std::map<std::string, Json> cells;
  for (const Json& cell : night.facts.at("cells"))
    cells[cell.at("name")] = {
        {"cell", cell.at("name")}, {"soaks", cell.at("soaks")}, {"rounds", 0},
        {"seconds", 0.0},          {"operations", 0},           {"executions", 0}};
  std::set<unsigned> ran;
  for (const Json& round : night.rounds) {
    Json& cell = cells[round.at("cell")];
    ran.insert(round.at("number").get<unsigned>());
    add(cell, "rounds", 1);
    add(cell, round.at("result"), 1);
    cell["seconds"] = cell.value("seconds", 0.0) + round.value("took", 0.0);
    if (round.contains("why")) cell["why"] = round["why"];
    if (round.contains("failure")) cell["why"] = round["failure"].at("summary");
    if (round.contains("fuzz")) {
      add(cell, "executions", round["fuzz"].at("executions"));
      cell["measured"] = cell.value("measured", 0.0) + round["fuzz"].value("seconds", 0.0);
    }
  }
  for_each_soak(night, [&](const Json& round, const Json& part) {
    Json& cell = cells[round.at("cell")];
    add(cell, "operations", part.at("counts").at("operations"));
    cell["measured"] = cell.value("measured", 0.0) + part.value("seconds", 0.0);
  });
  for (const Json& planned : night.facts.at("rounds"))
    if (ran.count(planned.at("number")) == 0) add(cells[planned.at("cell")], "not run", 1);
  Json all = Json::array();
  for (const Json& planned : night.facts.at("cells")) {
    Json& cell = cells[planned.at("name")];
    const double done = cell["soaks"] ? cell["operations"] : cell["executions"];
    const double seconds = cell.value("measured", 0.0);
    cell["rate"] = seconds > 0 ? done / seconds : 0.0;
    all.push_back(cell);
  }
  return all;
}

Json ages_of(const Night& night) {
  Json ages = Json::object();
  for_each_soak(night, [&](const Json&, const Json& part) {
    Json& sum = ages[part.at("scenario").get<std::string>()];
    const Json& seen = part.at("ages");
    if (sum.is_null()) sum = Json::array();
    for (size_t i = 0; i < seen.size(); ++i) {
      if (sum.size() <= i) sum.push_back(uint64_t{0});
      sum[i] = sum[i].get<uint64_t>() + seen[i].get<uint64_t>();
    }
  });
  return ages;
}

// A program's sections are the same in all rounds of a build: what each met is put together. Offsets tell which instruction it was
// once all of a section have been met.
Json aborts_of(const Night& night) {
  struct Build {
    uint64_t breakpoints = 0, forced = 0, sections = 0, instructions = 0;
    std::map<unsigned, std::map<uint64_t, uint64_t>> met;
  };
  std::map<std::string, Build> builds;
  for (const Json& round : night.rounds) {
    if (!round.contains("stress")) continue;
    const Json& aborts = round["stress"].at("aborts");
    Build& build = builds[build_of(round.at("cell"))];
    build.breakpoints += aborts.at("breakpoints").get<uint64_t>();
    build.forced += aborts.at("forced").get<uint64_t>();
    build.sections = aborts.at("sections");
    build.instructions = aborts.at("instructions");
    for (const Json& section : aborts.at("met"))
      for (const Json& hit : section.at("hits"))
        build.met[section.at("section")][hit.at(0)] += hit.at(1).get<uint64_t>();
  }
  Json all = Json::array();
  for (const auto& [name, build] : builds) {
    if (build.sections == 0) continue;
    std::vector<uint64_t> hits(build.instructions, 0);
    uint64_t whole = 0;
    Json unseen = Json::array();
    for (const auto& [section, offsets] : build.met) {
      if (offsets.size() < build.instructions) {
        unseen.push_back({{"section", section}, {"seen", offsets.size()}});
        continue;
      }
      ++whole;
      size_t i = 0;
      for (const auto& [offset, count] : offsets)
        if (i < hits.size()) hits[i++] += count;
    }
    all.push_back({{"build", name},
                   {"breakpoints", build.breakpoints},
                   {"forced", build.forced},
                   {"sections", build.sections},
                   {"used", build.met.size()},
                   {"whole", whole},
                   {"hits", hits},
                   {"unseen", unseen}});
  }
  return all;
}

Json fuzz_of(const Night& night, const Json& cells) {
  std::map<std::string, Json> by_cell;
  for (const Json& round : night.rounds) {
    if (!round.contains("fuzz")) continue;
    const Json& fuzz = round["fuzz"];
    Json& row = by_cell[round.at("cell")];
    if (row.is_null()) row = {{"corpus before", fuzz.at("corpus before")}};
    row["edges"] = std::max(row.value("edges", 0.0), fuzz.value("edges", 0.0));
    row["edges known"] = fuzz.value("edges known", 0.0);
    row["corpus after"] = fuzz.at("corpus after");
  }
  Json all = Json::array();
  for (const Json& cell : cells) {
    const auto found = by_cell.find(cell.at("cell"));
    if (found == by_cell.end()) continue;
    for (const char* name : {"cell", "rounds", "executions", "rate"})
      found->second[name] = cell.at(name);
    all.push_back(found->second);
  }
  return all;
}

// What no soak has come to, among those that ran; and instructions that were never aborted.
Json never_of(const Night& night, const Json& aborts) {
  std::map<std::string, std::map<std::string, uint64_t>> counts;
  std::map<std::string, uint64_t> adversity;
  for_each_soak(night, [&](const Json&, const Json& part) {
    for (const auto& [name, n] : part.at("counts").items())
      counts[name][part.at("scenario")] += n.get<uint64_t>();
    for (const auto& [name, n] : part.at("adversity").items()) adversity[name] += n.get<uint64_t>();
  });
  Json never = Json::array();
  for (const auto& [name, n] : adversity)
    if (n == 0) never.push_back("adversity: " + name);
  for (const auto& [name, scenarios] : counts) {
    uint64_t sum = 0;
    for (const auto& [scenario, n] : scenarios) sum += n;
    if (sum == 0) never.push_back(name + ", in any scenario");
  }
  for (const Json& build : aborts) {
    const std::string name = build.at("build");
    if (build.at("used") == 0) never.push_back("an abort of a section in " + name);
    for (const Json& section : build.at("unseen"))
      never.push_back("section " + section.at("section").dump() + " in " + name + ": aborts at " +
                      std::to_string(build.at("hits").size() - section.at("seen").get<size_t>()) +
                      " of its " + std::to_string(build.at("hits").size()) + " instructions");
  }
  return never;
}

Json not_here_of(const Night& night) {
  std::map<std::string, std::set<std::string>> where;
  for_each_soak(night, [&](const Json& round, const Json& part) {
    const std::string build = build_of(round.at("cell"));
    // The portable platform has none, anywhere.
    for (const Json& words : part.at("not here"))
      if (words != "restartable sections in this program") where[words].insert(build);
    if (const std::string without = round["stress"].value("without sections", "");
        !without.empty() && build.find("linux") != std::string::npos)
      where["percpu sections: " + without].insert(build);
  });
  for (const Json& round : night.rounds)
    if (round.at("result") == "skipped") where[round.value("why", "")].insert(round.at("cell"));
  Json all = Json::array();
  for (const auto& [words, builds] : where) {
    std::string text = words + " (";
    for (const std::string& build : builds) text += (text.ends_with('(') ? "" : ", ") + build;
    all.push_back(text + ")");
  }
  return all;
}

// The table "probe   reached by" of ./lastput coverage.
Json probes_of(const std::string& coverage) {
  Json probes = {{"measured", false},
                 {"why",
                  "a night runs builds without counters; ./lastput coverage measures them, "
                  "with the same corpora"}};
  if (!coverage.empty()) probes["why"] = "./lastput coverage said: " + last_words(coverage);
  bool in_table = false;
  std::istringstream lines(coverage);
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words(line);
    std::string probe, by;
    words >> probe;
    std::getline(words >> std::ws, by);
    if (in_table && line.empty()) break;
    if (in_table) probes["rows"].push_back({{"probe", probe}, {"by", by == "nobody" ? "" : by}});
    if (probe == "probe" && by == "reached by") {
      in_table = true;
      probes = {{"measured", true}, {"rows", Json::array()}};
    }
  }
  return probes;
}

Json counts_of(const Night& night) {
  Json counts = {{"planned", night.facts.at("rounds").size()}};
  for (const char* result : kResults) counts[result] = 0;
  for (const Json& round : night.rounds) add(counts, round.at("result"), 1);
  counts["not run"] = night.facts.at("rounds").size() - night.rounds.size();
  return counts;
}

std::string plural(uint64_t n, const std::string& what) {
  return std::to_string(n) + " " + what + (n == 1 ? "" : "s");
}

// What keeps a night without a failure from being a clean one: ", 3 cells not covered".
std::string gaps_of(const Json& all) {
  std::string gaps;
  const auto say = [&](uint64_t n, const std::string& what, const std::string& rest) {
    if (n != 0) gaps += ", " + plural(n, what) + " " + rest;
  };
  uint64_t uncovered = 0;
  for (const Json& cell : all.at("cells")) uncovered += cell.at("rounds") == 0;
  const Json& counts = all.at("counts");
  say(uncovered, "cell", "not covered");
  say(counts.at("broken"), "round", "that could not be run");
  say(counts.at("skipped"), "round", "that this machine cannot run");
  say(counts.at("cut off"), "round", "cut off");
  say(counts.at("not run"), "planned round", "not run");
  if (all.at("ended") != "") gaps += ", ended early: " + all.at("ended").get<std::string>();
  return gaps;
}

std::string verdict_of(const Json& all, size_t rounds) {
  const Json& counts = all.at("counts");
  const std::string gaps = gaps_of(all);
  std::string text;
  if (const size_t failures = all.at("failures").size(); failures != 0)
    text = plural(failures, "failure") + ", in " + counts.at("failure").dump() + " of " +
           plural(rounds, "round");
  else if (counts.at("clean") == 0)
    text = "Nothing ran to its end";
  else
    text = std::string(gaps.empty() ? "Clean: nothing" : "Nothing") + " failed in " +
           plural(rounds, "round");
  text += ", " + duration(all.at("took")) + ", " + short_number(all.at("operations")) +
          " operations of soaks, " + short_number(all.at("executions")) +
          " executions of fuzz targets";
  return text + (gaps.empty() ? "" : "; " + gaps.substr(2)) + ".";
}

int exit_code_of(const Json& counts) {
  if (counts.at("failure") != 0) return kFound;
  if (counts.at("broken") != 0) return kBroken;
  return counts.at("skipped") != 0 && counts.at("clean") == 0 ? kMissing : kOk;
}

}  // namespace

std::string subject_of(const std::string& cell) {
  const size_t begin = cell.find('/') + 1;
  return cell.substr(begin, cell.find('/', begin) - begin);
}
std::string build_of(const std::string& cell) {
  return cell.substr(cell.find('/', cell.find('/') + 1) + 1);
}

std::string short_number(double value) {
  static constexpr const char* kUnits[] = {"", " k", " M", " G", " T"};
  size_t unit = 0;
  while (value >= 999.5 && unit + 1 < sizeof kUnits / sizeof *kUnits) {
    value /= 1000;
    ++unit;
  }
  const int digits = unit == 0 || value >= 99.95 ? 0 : value >= 9.995 ? 1 : 2;
  char text[32];
  std::snprintf(text, sizeof text, "%.*f%s", digits, value, kUnits[unit]);
  return text;
}

std::string duration(double seconds) {
  const auto all = std::llround(seconds);
  if (all < 60) return std::to_string(all) + " s";
  if (all < 3600) return std::to_string(all / 60) + " min " + std::to_string(all % 60) + " s";
  return std::to_string(all / 3600) + " h " + std::to_string(all % 3600 / 60) + " min";
}

std::string date(int64_t seconds) {
  if (seconds <= 0) return "";
  const std::time_t time = seconds;
  std::tm parts = {};
  gmtime_r(&time, &parts);
  char text[32];
  std::strftime(text, sizeof text, "%Y-%m-%d %H:%M UTC", &parts);
  return text;
}

Json summary_of(const Night& night) {
  Json all = {{"version", 1}, {"verdict", ""}, {"exit code", 0}};
  for (const char* name : {"seed", "seconds", "only", "bug", "began", "facts"})
    all[name] = night.facts.at(name);
  all["ended"] = night.ended;
  all["counts"] = counts_of(night);
  all["took"] = 0.0;
  for (const Json& round : night.rounds)
    all["took"] = all["took"].get<double>() + round.value("took", 0.0);
  all["failures"] = failures_of(night);
  all["cells"] = cells_of(night);
  for (const char* name : {"operations", "executions"}) {
    all[name] = uint64_t{0};
    for (const Json& cell : all["cells"]) add(all, name, cell.at(name));
  }
  all["ages"] = ages_of(night);
  all["aborts"] = aborts_of(night);
  all["fuzz"] = fuzz_of(night, all["cells"]);
  all["never"] = never_of(night, all["aborts"]);
  all["not here"] = not_here_of(night);
  all["probes"] = probes_of(night.coverage);
  all["rounds"] = Json::array();
  for (const Json& round : night.rounds) {
    Json row = Json::object();
    for (const char* name : {"number", "cell", "began", "took", "result"}) row[name] = round[name];
    all["rounds"].push_back(row);
  }
  all["verdict"] = verdict_of(all, night.rounds.size());
  all["exit code"] = exit_code_of(all["counts"]);
  return all;
}

}  // namespace nightly
