// SPDX-License-Identifier: Apache-2.0
// What strategy_bench tells: medians, ratios to plain random, and their geometric means.
#ifndef LASTPUT_BENCH_STRATEGY_TABLE_H_
#define LASTPUT_BENCH_STRATEGY_TABLE_H_

#include <cstdint>
#include <string>
#include <vector>

#include "bench/hunt.h"

namespace bench {

// What plain random finds sooner ranks nothing.
inline constexpr double kEasy = 100;  // executions

struct Row {
  Quarry quarry;
  std::vector<std::vector<Hunt>> hunts;  // by contender, the first is plain random
  bool ranked(uint64_t cap) const;       // not easy, and found by somebody
  bool found(size_t contender, uint64_t cap) const;
};

struct Standing {
  double executions =
      1;  // geometric mean of plain random's median by this one's: above 1 is better
  double seconds = 1;
  unsigned found = 0;  // of the ranked bugs
};
Standing standing(const std::vector<Row>& rows, size_t contender, uint64_t cap);

// Markdown.
std::string to_table(const std::vector<const Contender*>& contenders, const std::vector<Row>& rows,
                     uint64_t cap);
std::string to_json(const std::vector<const Contender*>& contenders, const std::vector<Row>& rows,
                    uint64_t cap);

}  // namespace bench

#endif  // LASTPUT_BENCH_STRATEGY_TABLE_H_
