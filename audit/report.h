// SPDX-License-Identifier: Apache-2.0
// What an audit says in the end.
#ifndef LASTPUT_AUDIT_REPORT_H_
#define LASTPUT_AUDIT_REPORT_H_

#include <optional>
#include <string>
#include <vector>

#include "audit/journal.h"
#include "audit/site.h"

namespace audit {

enum class Verdict {
  kFound,
  kFoundMilder,  // a milder change of the same order is found, so this would be
  kKept,         // survives, and the code says why
  kSurvives,     // without an explanation
  kNotSearched,  // no search reaches the file
  kOpen,         // not searched yet
};

struct Outcome {
  const Site* site = nullptr;
  const Mutant* mutant = nullptr;
  Verdict verdict = Verdict::kOpen;
  std::optional<Result> result;
  std::string why;  // of kFoundMilder the milder order, of kKept and kNotSearched the reason
};

// What is known of each mutant; milder changes come before others of their site.
std::vector<Outcome> outcomes(const std::vector<Site>& sites, const Journal& journal,
                              const Validity& validity);

std::string list(const std::vector<Site>& sites);  // --list
std::string sentence(const Outcome& outcome);      // "found: G7 by verify"
std::string table(
    const std::vector<Outcome>& outcomes);  // a line each, and what each kept one says
std::string summary(const std::vector<Outcome>& outcomes);  // "54 mutants: 50 found, ..."
std::string to_json(const std::vector<Outcome>& outcomes, const Validity& validity);

}  // namespace audit

#endif  // LASTPUT_AUDIT_REPORT_H_
