// SPDX-License-Identifier: Apache-2.0
// What a soak has done, as JSON for programs: `--json=FILE`.
//
//   build, bug, seed, threads     what ran
//   stopped                       whether a signal ended it
//   without sections              why refs do not count in percpu memory; "": they do
//   scenarios[]                   scenario, seconds, rounds, counts (tally.h), ages (how often each was seen), adversity,
//                                 "not here": what the machine does not have or permit
//   aborts                        breakpoints, forced (of these, aborts), sections (in the program), instructions (of a section), and
//                                 met[]: section, its number; hits, [offset, breakpoints] of each instruction
#ifndef LASTPUT_STRESS_RESULT_H_
#define LASTPUT_STRESS_RESULT_H_

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "stress/adversity.h"
#include "stress/options.h"
#include "stress/tally.h"

namespace stress {

struct Totals {
  std::array<uint64_t, kStats> stats = {};
  std::array<uint64_t, kAges> ages = {};
  uint64_t of(Stat stat) const { return stats[static_cast<size_t>(stat)]; }
};

// Of one scenario.
struct Result {
  std::string scenario;
  double seconds = 0;
  uint64_t rounds = 0;
  Totals totals;
  std::array<uint64_t, kTroubles> adversity = {};
  std::vector<std::string> not_here;
};

// One object in one line, with what the whole process knows: build, aborts, memory.
std::string results_json(const Options& options, const std::vector<Result>& results, bool stopped);

}  // namespace stress

#endif  // LASTPUT_STRESS_RESULT_H_
