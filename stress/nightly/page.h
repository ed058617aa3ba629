// SPDX-License-Identifier: Apache-2.0
// The report for a person: one file of HTML that needs nothing else, for any width, light or dark. And what CI reads.
#ifndef LASTPUT_STRESS_NIGHTLY_PAGE_H_
#define LASTPUT_STRESS_NIGHTLY_PAGE_H_

#include <string>

#include "stress/nightly/summary.h"

namespace nightly {

// Of summary_of(). Well-formed as XML, too.
std::string page_of(const Json& summary);
// A case a cell: a failure, an error where it could not be run, skipped where this machine cannot or there was no time.
std::string junit_of(const Json& summary);

}  // namespace nightly

#endif  // LASTPUT_STRESS_NIGHTLY_PAGE_H_
