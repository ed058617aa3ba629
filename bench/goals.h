// SPDX-License-Identifier: Apache-2.0
// Goals: the speed that the core is to have, as ratios of figures of one run. A goal that is missed
// is told, and fails nothing: a machine may be busy, or another one.
#ifndef LASTPUT_BENCH_GOALS_H_
#define LASTPUT_BENCH_GOALS_H_

#include <optional>
#include <string>
#include <vector>

#include "bench/figures.h"

namespace bench {

// That `dividend` is at most, or at least, `limit` times `divisor`. Where something is to be faster,
// the dividend is the slower one.
struct Goal {
  const char* text;
  const char* dividend;
  const char* divisor;
  enum class Bound { kAtMost, kAtLeast } bound;
  double limit;
  unsigned cpus = 1;  // on fewer it says nothing
};

struct Outcome {
  const Goal* goal;
  std::optional<double> measured;  // nothing: not all that it needs was measured here

  bool met() const;
  const char* word() const;  // "met", "missed", "not measured"
};

const std::vector<Goal>& goals();
std::vector<Outcome> judge(const Figures& figures, unsigned cpus);

}  // namespace bench

#endif  // LASTPUT_BENCH_GOALS_H_
