// SPDX-License-Identifier: Apache-2.0
#include "audit/report.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "audit/core_tree.h"
#include "bugs/process.h"

namespace audit {
namespace {

constexpr const char* kVerdictNames[] = {"found",    "found-milder", "kept",
                                         "survives", "not-searched", "open"};

Outcome outcome_of(const Site& site, const Mutant& mutant, const std::vector<Outcome>& before,
                   const Journal& journal, const Validity& validity) {
  Outcome o{&site, &mutant, Verdict::kOpen, std::nullopt, why_not_searched(site.file)};
  if (!o.why.empty()) {
    o.verdict = Verdict::kNotSearched;
    return o;
  }
  for (const Outcome& other : before) {
    if (other.site != &site || other.verdict != Verdict::kFound) continue;
    if (!is_stronger(other.mutant->weaker, mutant.weaker)) continue;
    o.verdict = Verdict::kFoundMilder;
    o.why = other.mutant->weaker;
    return o;
  }
  const Result* const result = journal.find(mutant.key, validity);
  if (result == nullptr) return o;
  o.result = *result;
  o.verdict = result->found         ? Verdict::kFound
              : mutant.kept.empty() ? Verdict::kSurvives
                                    : Verdict::kKept;
  if (o.verdict == Verdict::kKept) o.why = mutant.kept;
  return o;
}

size_t count(const std::vector<Outcome>& outcomes, Verdict verdict) {
  return static_cast<size_t>(std::count_if(outcomes.begin(), outcomes.end(),
                                           [&](const Outcome& o) { return o.verdict == verdict; }));
}

}  // namespace

std::vector<Outcome> outcomes(const std::vector<Site>& sites, const Journal& journal,
                              const Validity& validity) {
  std::vector<Outcome> all;
  for (const Site& site : sites)
    for (const Mutant& mutant : site.mutants)
      all.push_back(outcome_of(site, mutant, all, journal, validity));
  return all;
}

std::string list(const std::vector<Site>& sites) {
  std::vector<std::vector<std::string>> rows;
  for (const Site& site : sites) {
    std::vector<std::string> weaker;
    for (const Mutant& mutant : site.mutants)
      weaker.push_back(absl::StrCat(mutant.weaker, mutant.kept.empty() ? "" : " (kept)"));
    rows.push_back({absl::StrCat("core/", site.file, ":", site.line, ":", site.column),
                    site.function, site.operation, site.order, "to " + absl::StrJoin(weaker, ", "),
                    why_not_searched(site.file).empty() ? "" : "not searched"});
  }
  return bugs::columns(rows);
}

std::string sentence(const Outcome& outcome) {
  switch (outcome.verdict) {
    case Verdict::kFound:
      return absl::StrCat("found: ", outcome.result->guarantee, " by ", outcome.result->program,
                          outcome.mutant->kept.empty() ? "" : "; its comment says kept");
    case Verdict::kFoundMilder:
      return absl::StrCat("found: as ", outcome.why);
    case Verdict::kKept:
      return "kept";
    case Verdict::kSurvives:
      return absl::StrFormat("SURVIVES after %.0f s", outcome.result->seconds);
    case Verdict::kNotSearched:
      return "not searched";
    case Verdict::kOpen:
      break;
  }
  return "open";
}

std::string table(const std::vector<Outcome>& outcomes) {
  std::vector<std::vector<std::string>> rows = {{"order", "in", "of", "weaker", "verdict"}};
  for (const Outcome& o : outcomes) {
    rows.push_back({absl::StrCat("core/", o.site->file, ":", o.site->line), o.site->function,
                    absl::StrCat(o.site->operation, " ", o.site->order), o.mutant->weaker,
                    sentence(o)});
  }
  std::string text = bugs::columns(rows);
  std::string last;
  for (const Outcome& o : outcomes) {
    if (o.why.empty() || o.verdict == Verdict::kFoundMilder) continue;
    const std::string line =
        absl::StrCat(o.verdict == Verdict::kKept ? absl::StrCat(o.mutant->key, " kept")
                                                 : "core/" + o.site->file + " not searched",
                     ": ", o.why, "\n");
    if (line != last) absl::StrAppend(&text, last.empty() ? "\n" : "", line);
    last = line;
  }
  return text;
}

std::string summary(const std::vector<Outcome>& outcomes) {
  const size_t open = count(outcomes, Verdict::kOpen);
  return absl::StrCat(outcomes.size(), " mutants: ",
                      count(outcomes, Verdict::kFound) + count(outcomes, Verdict::kFoundMilder),
                      " found, ", count(outcomes, Verdict::kKept), " kept with a reason, ",
                      count(outcomes, Verdict::kSurvives), " survive without one, ",
                      count(outcomes, Verdict::kNotSearched), " not searched",
                      open == 0 ? "" : absl::StrCat(", ", open, " open"));
}

std::string to_json(const std::vector<Outcome>& outcomes, const Validity& validity) {
  nlohmann::json mutants = nlohmann::json::array();
  for (const Outcome& o : outcomes) {
    nlohmann::json row = {{"mutant", o.mutant->key},
                          {"file", o.site->file},
                          {"line", o.site->line},
                          {"column", o.site->column},
                          {"function", o.site->function},
                          {"operation", o.site->operation},
                          {"order", o.site->order},
                          {"weaker", o.mutant->weaker},
                          {"verdict", kVerdictNames[static_cast<size_t>(o.verdict)]},
                          {"why", o.why}};
    if (o.result) {
      row["broke"] = o.result->guarantee;
      row["by"] = o.result->program;
      row["seconds"] = o.result->seconds;
    }
    mutants.push_back(std::move(row));
  }
  return nlohmann::json{{"core", validity.core}, {"search", validity.search}, {"mutants", mutants}}
             .dump(2) +
         "\n";
}

}  // namespace audit
