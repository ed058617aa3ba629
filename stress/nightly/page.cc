// SPDX-License-Identifier: Apache-2.0
#include "stress/nightly/page.h"

#include <algorithm>
#include <map>

#include "stress/nightly/plots.h"

namespace nightly {
namespace {

constexpr const char* kStyle = R"(
:root { color-scheme: light dark; --ink: #1c1e21; --dim: #667; --paper: #fcfcfa; --box: #f0f0ec; --bar: #3b6ea5;
  --good: #3f8f5b; --bad: #c0392b; --odd: #b8860b; --none: #ccc; }
@media (prefers-color-scheme: dark) { :root { --ink: #e4e4e0; --dim: #9a9aa4; --paper: #17181a; --box: #232527; --bar: #6ea3d8;
  --good: #5fb37c; --bad: #e8695c; --odd: #d9ab3d; --none: #444; } }
* { box-sizing: border-box; }
body { font: 16px/1.45 system-ui, sans-serif; color: var(--ink); background: var(--paper); max-width: 72rem; margin: 0 auto; padding: 1rem; }
h1 { font-size: 1.3rem; margin: .2rem 0; } h2 { font-size: 1.15rem; margin: 2rem 0 .5rem; } h3 { font-size: 1rem; margin: 0 0 .3rem; }
.verdict { font-size: 1.15rem; border-left: .4rem solid var(--good); padding: .4rem .8rem; background: var(--box); margin: .6rem 0; }
.verdict.failed { border-color: var(--bad); } .verdict.odd { border-color: var(--odd); }
.dim { color: var(--dim); } .wide { overflow-x: auto; }
.failure { background: var(--box); border-left: .4rem solid var(--bad); padding: .6rem .8rem; margin: .8rem 0; }
pre, code { font: .85em/1.4 ui-monospace, monospace; } pre { white-space: pre-wrap; overflow-wrap: anywhere; margin: .4rem 0; }
table { border-collapse: collapse; font-size: .85rem; } th, td { padding: .2rem .6rem; text-align: right; white-space: nowrap; }
th { font-weight: 600; } td:first-child, th:first-child { text-align: left; } tr + tr td { border-top: 1px solid var(--box); }
td.failure { background: none; border-left: 0; color: var(--bad); font-weight: 700; } td.odd { color: var(--odd); } td.none { color: var(--dim); }
.plots { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 21rem), 1fr)); gap: 1rem; }
.plots > div { background: var(--box); padding: .6rem; border-radius: .3rem; }
svg { display: block; width: 100%; } svg.strip { height: 1.5rem; border-radius: .2rem; }
svg text { font: 12px system-ui, sans-serif; fill: var(--ink); } svg .end { text-anchor: end; } svg .middle { text-anchor: middle; font-size: 11px; }
svg rect { fill: var(--bar); } svg rect.clean { fill: var(--good); } svg rect.failure { fill: var(--bad); }
svg rect.odd { fill: var(--odd); } svg rect.stopped { fill: var(--none); }
ul { padding-left: 1.2rem; }
)";

std::string text_of(const Json& value) {
  return value.is_string() ? value.get<std::string>() : value.dump();
}
std::string tag(const std::string& name, const std::string& inside, const std::string& kind = "") {
  return "<" + name + (kind.empty() ? "" : " class=\"" + kind + "\"") + ">" + inside + "</" + name +
         ">\n";
}
std::string text(const std::string& name, const std::string& words, const std::string& kind = "") {
  return tag(name, escaped(words), kind);
}
std::string list_of(const Json& items) {
  std::string all;
  for (const Json& item : items) all += text("li", text_of(item));
  return all.empty() ? text("p", "Nothing.", "dim") : tag("ul", "\n" + all);
}

// How a result is coloured.
std::string kind_of(const std::string& result) {
  return result == "clean" || result == "failure" || result == "stopped" ? result : "odd";
}

std::string verdict(const Json& all) {
  const int code = all.at("exit code");
  const std::string words = all.at("verdict");
  std::string html = text("h1", "A night of lastput");
  html += text("p", words,
               code == 77                   ? "verdict failed"
               : words.starts_with("Clean") ? "verdict"
                                            : "verdict odd");
  std::vector<Part> parts;
  for (const Json& round : all.at("rounds")) {
    const std::string result = round.at("result");
    parts.push_back({std::max(round.at("took").get<double>(), 0.5), kind_of(result),
                     "round " + round.at("number").dump() + ", " + text_of(round.at("cell")) +
                         ": " + result + ", " + duration(round.at("took"))});
  }
  html += strip("the rounds, in their order", parts);
  const std::string bug = all.at("bug");
  return html + text("p",
                     date(all.at("began")) + ", seed " + all.at("seed").dump() +
                         (bug.empty() ? "" : ", with the known bug " + bug),
                     "dim");
}

std::string failure(const Json& told) {
  const Json& first = told.at("first");
  const std::string about = told.at("about"), when = date(first.at("began"));
  std::string html =
      text("h3", text_of(told.at("guarantee")) + (about.empty() ? "" : ": " + about) + ", " +
                     told.at("times").dump() + (told.at("times") == 1 ? " time" : " times"));
  if (const std::string message = told.at("message"); !message.empty()) html += text("p", message);
  html += text("p",
               "first in round " + first.at("round").dump() + (when.empty() ? "" : ", " + when) +
                   ", " + text_of(first.at("cell")),
               "dim");
  constexpr size_t kMostCommands = 12;
  std::string stack, commands;
  for (const Json& name : told.at("stack")) stack += text_of(name) + "\n";
  for (const Json& command : told.at("commands"))
    if (static_cast<size_t>(std::count(commands.begin(), commands.end(), '\n')) < kMostCommands)
      commands += text_of(command) + "\n";
  if (!stack.empty())
    html += text("p", "Functions of ours, innermost first:", "dim") + text("pre", stack);
  html += text("p", "To go on:", "dim") + text("pre", commands);
  html += text("p", "Where: ", "dim") + list_of(told.at("cells"));
  if (!told.at("artifacts").empty())
    html += text("p", "What it left: ", "dim") + list_of(told.at("artifacts"));
  return tag("div", html, "failure");
}

std::string failures(const Json& all) {
  std::string html = text("h2", "Failures");
  for (const Json& told : all.at("failures")) html += failure(told);
  if (all.at("failures").empty()) html += text("p", "None.");
  std::string odd;
  for (const Json& cell : all.at("cells"))
    if (cell.contains("broken") || cell.contains("skipped") || cell.contains("cut off"))
      odd += text("li", text_of(cell.at("cell")) + ": " + cell.value("why", ""));
  if (!odd.empty())
    html += text("h2", "Rounds that did not run to their end") + tag("ul", "\n" + odd);
  return html;
}

// A row a scenario or target, a column a build.
std::string matrix(const Json& all, bool soaks) {
  std::vector<std::string> rows, columns;
  std::map<std::string, const Json*> cells;
  const auto add_new = [](std::vector<std::string>& names, const std::string& name) {
    if (std::find(names.begin(), names.end(), name) == names.end()) names.push_back(name);
  };
  for (const Json& cell : all.at("cells")) {
    const std::string name = cell.at("cell");
    if (cell.at("soaks") != soaks) continue;
    add_new(rows, subject_of(name));
    add_new(columns, build_of(name));
    cells[subject_of(name) + " " + build_of(name)] = &cell;
  }
  if (rows.empty()) return "";
  std::string html = text("th", soaks ? "scenario" : "target");
  for (const std::string& column : columns) html += text("th", column);
  html = tag("tr", html);
  for (const std::string& row : rows) {
    std::string line = text("td", row);
    for (const std::string& column : columns) {
      const auto found = cells.find(row + " " + column);
      const Json none = {{"rounds", 0}};
      const Json& cell = found == cells.end() ? none : *found->second;
      const bool odd =
          cell.contains("broken") || cell.contains("skipped") || cell.contains("cut off");
      std::string words = cell.at("rounds") == 0 ? "-" : cell.at("rounds").dump() + " x";
      if (cell.value("rate", 0.0) > 0)
        words += ", " + short_number(cell.at(soaks ? "operations" : "executions")) + ", " +
                 short_number(cell.at("rate")) + "/s";
      if (cell.contains("failure")) words += ", " + cell.at("failure").dump() + " failed";
      if (odd) words += ", not all";
      line += text("td", words,
                   cell.contains("failure") ? "failure"
                   : odd                    ? "odd"
                   : cell.at("rounds") == 0 ? "none"
                                            : "");
    }
    html += tag("tr", line);
  }
  return tag("div", tag("table", "\n" + html), "wide");
}

std::string ran(const Json& all) {
  return text("h2", "What ran") +
         text("p", "Rounds, operations (executions of fuzz targets), and how many a second.",
              "dim") +
         matrix(all, true) + matrix(all, false);
}

std::string plot(const std::string& title, const std::string& svg) {
  return tag("div", text("h3", title) + svg);
}

std::string rates(const Json& all) {
  std::vector<std::string> builds;
  std::map<std::string, std::vector<Bar>> bars;
  for (const Json& cell : all.at("cells")) {
    if (cell.at("rate") == 0.0) continue;
    const std::string name = cell.at("cell");
    const std::string build = (cell.at("soaks") ? "" : "fuzz targets, ") + build_of(name);
    if (bars[build].empty()) builds.push_back(build);
    bars[build].push_back(
        {subject_of(name), cell.at("rate"), short_number(cell.at("rate")) + "/s"});
  }
  std::string html;
  for (const std::string& build : builds) html += plot(build, bars_plot(build, bars[build]));
  if (html.empty()) return "";
  return text("h2", "Rates") + text("p", "Operations, or executions, a second.", "dim") +
         tag("div", "\n" + html, "plots");
}

std::string ages(const Json& all) {
  std::string html;
  for (const auto& [scenario, seen] : all.at("ages").items()) {
    std::vector<Bar> bars;
    uint64_t sum = 0;
    for (size_t age = 0; age < seen.size(); ++age) {
      const auto count = seen[age].get<uint64_t>();
      sum += count;
      bars.push_back({std::to_string(age), static_cast<double>(count),
                      short_number(static_cast<double>(count))});
    }
    if (sum != 0) html += plot(scenario, histogram("ages in " + scenario, bars));
  }
  if (html.empty()) return "";
  return text("h2", "Ages") +
         text("p",
              "How old objects were when somebody looked at them: 0 listed, 1 unlisted, 2 "
              "released, 3 "
              "and more gone by so many grace periods, which nobody may see. Heights are "
              "logarithms.",
              "dim") +
         tag("div", "\n" + html, "plots");
}

std::string aborts(const Json& all) {
  std::string html;
  for (const Json& build : all.at("aborts")) {
    std::vector<Bar> bars;
    for (const Json& hits : build.at("hits"))
      bars.push_back({std::to_string(bars.size() + 1), hits.get<double>(), short_number(hits)});
    const std::string name = build.at("build");
    html += tag(
        "div", text("h3", name) + histogram("aborts by instruction in " + name, bars) +
                   text("p",
                        build.at("forced").dump() + " aborts by " + build.at("breakpoints").dump() +
                            " breakpoints; met: " + build.at("used").dump() + " of " +
                            build.at("sections").dump() + " sections of the program, " +
                            build.at("whole").dump() + " at each instruction",
                        "dim"));
  }
  if (html.empty()) return "";
  return text("h2", "Aborts of restartable sections") +
         text("p",
              "At each of a section's instructions, in their order, over the sections where all "
              "have "
              "been met. Heights are logarithms.",
              "dim") +
         tag("div", "\n" + html, "plots");
}

std::string fuzz(const Json& all) {
  std::string rows;
  for (const char* name : {"target", "rounds", "executions", "a second", "edges", "corpus, inputs"})
    rows += text("th", name);
  rows = tag("tr", rows);
  for (const Json& row : all.at("fuzz")) {
    const auto before = row.at("corpus before").get<int64_t>(),
               after = row.at("corpus after").get<int64_t>();
    rows += tag(
        "tr",
        text("td", text_of(row.at("cell")).substr(5)) + text("td", row.at("rounds").dump()) +
            text("td", short_number(row.at("executions"))) +
            text("td", short_number(row.at("rate"))) +
            text("td",
                 short_number(row.at("edges")) + " of " + short_number(row.at("edges known"))) +
            text("td", before < 0 ? "-" : std::to_string(before) + " to " + std::to_string(after)));
  }
  if (all.at("fuzz").empty()) return "";
  return text("h2", "Fuzz targets") + tag("div", tag("table", "\n" + rows), "wide");
}

std::string never(const Json& all) {
  std::string html = text("h2", "Never hit") + list_of(all.at("never"));
  const Json& probes = all.at("probes");
  html += text("h2", "Probes of the core");
  if (!probes.at("measured"))
    return html + text("p", "Not measured: " + text_of(probes.at("why")) + ".");
  std::string unseen, seen;
  for (const Json& row : probes.at("rows")) {
    const std::string by = row.at("by");
    (by.empty() ? unseen : seen) +=
        text("li", text_of(row.at("probe")) + (by.empty() ? "" : ": " + by));
  }
  html +=
      text("p", unseen.empty() ? "Every one is reached by some corpus." : "Reached by no corpus:");
  if (!unseen.empty()) html += tag("ul", "\n" + unseen);
  if (!seen.empty()) html += text("p", "Reached by:", "dim") + tag("ul", "\n" + seen);
  return html;
}

std::string machine(const Json& all) {
  std::string rows;
  for (const auto& [name, value] : all.at("facts").items())
    rows += tag("tr", text("td", name) + text("td", text_of(value)));
  std::string html = text("h2", "Machine") + tag("div", tag("table", "\n" + rows), "wide");
  if (!all.at("not here").empty())
    html += text("p", "What it does not have or permit:") + list_of(all.at("not here"));
  return html;
}

}  // namespace

std::string page_of(const Json& all) {
  return "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\"/>\n"
         "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"/>\n"
         "<title>lastput, night of " +
         escaped(date(all.at("began"))) + "</title>\n<style>" + kStyle +
         "</style>\n</head>\n<body>\n" + verdict(all) + failures(all) + ran(all) + rates(all) +
         ages(all) + aborts(all) + fuzz(all) + never(all) + machine(all) + "</body>\n</html>\n";
}

std::string junit_of(const Json& all) {
  unsigned failed = 0, errors = 0, skipped = 0;
  std::string cases;
  for (const Json& cell : all.at("cells")) {
    const std::string name = cell.at("cell");
    cases += "<testcase classname=\"lastput.nightly." + name.substr(0, name.find('/')) +
             "\" name=\"" + escaped(name.substr(name.find('/') + 1)) + "\" time=\"" +
             std::to_string(cell.at("seconds").get<double>()) + "\">";
    const std::string why = cell.value("why", "");
    if (cell.contains("failure")) {
      std::string commands;
      for (const Json& told : all.at("failures"))
        if (const Json& cells = told.at("cells");
            std::find(cells.begin(), cells.end(), name) != cells.end())
          for (const Json& command : told.at("commands")) commands += text_of(command) + "\n";
      cases += "<failure message=\"" + escaped(why) + "\">" + escaped(commands) + "</failure>";
      ++failed;
    } else if (cell.contains("broken")) {
      cases += "<error message=\"" + escaped(why) + "\"/>";
      ++errors;
    } else if (!cell.contains("clean")) {
      cases +=
          "<skipped message=\"" + escaped(why.empty() ? "there was no time for it" : why) + "\"/>";
      ++skipped;
    }
    cases += "</testcase>\n";
  }
  return "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n<testsuite name=\"lastput "
         "nightly\" tests=\"" +
         std::to_string(all.at("cells").size()) + "\" failures=\"" + std::to_string(failed) +
         "\" errors=\"" + std::to_string(errors) + "\" skipped=\"" + std::to_string(skipped) +
         "\" time=\"" + std::to_string(all.at("took").get<double>()) + "\">\n" + cases +
         "</testsuite>\n</testsuites>\n";
}

}  // namespace nightly
