// SPDX-License-Identifier: Apache-2.0
// What a run of the suite says: tables for people, and the same as JSON.
#ifndef LASTPUT_BENCH_REPORT_H_
#define LASTPUT_BENCH_REPORT_H_

#include <string>
#include <vector>

#include "bench/figures.h"
#include "bench/goals.h"

namespace bench {

// A table for each theme, then the goals. Where a figure could not be taken: "-", and why below.
std::string to_table(const std::vector<Theme>& themes, const Figures& figures,
                     const std::vector<Outcome>& outcomes);

// {"machine": {...}, "rounds": N,
//  "figures": [{"theme", "row", "column", "unit", "median", "values": [one a round], "skipped"}],
//  "goals": [{"goal", "bound": "<=" or ">=", "limit", "measured", "outcome"}]}
// "median" and "measured" are null where there is nothing; "skipped" is there only then.
std::string to_json(const std::vector<Theme>& themes, const Figures& figures,
                    const std::vector<Outcome>& outcomes);

}  // namespace bench

#endif  // LASTPUT_BENCH_REPORT_H_
