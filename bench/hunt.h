// SPDX-License-Identifier: Apache-2.0
// Hunting a bug with a contender: how many executions, and how long, until it is found.
#ifndef LASTPUT_BENCH_HUNT_H_
#define LASTPUT_BENCH_HUNT_H_

#include <cstdint>
#include <string>
#include <vector>

#include "bench/contenders.h"
#include "bench/planted_bugs.h"

namespace bench {

// What is hunted: a planted bug, in this process; or a known bug of the core, by its own hunter.
struct Quarry {
  std::string name;
  std::string what;
  const PlantedBug* planted = nullptr;  // null: a known one
  std::string hunter;                   // path of its hunt_known_bug
  std::string target;                   // whose programs show it
  std::string guarantees;               // that it breaks
};

struct Hunt {
  uint64_t executions = 0;  // cap + 1: not found within the cap
  double seconds = 0;       // of the processor
};

std::vector<Quarry> planted_quarries();
// Of the patches in `patches` those whose hunters are built under `bin`, in the order of their names; how
// many are not goes to *missing.
std::vector<Quarry> known_quarries(const std::string& patches, const std::string& bin,
                                   unsigned* missing);

// One hunt for each seed from `first` on. Empty: the hunter could not run.
std::vector<Hunt> hunt(const Quarry& quarry, const Contender& contender, uint64_t cap,
                       unsigned first, unsigned seeds);

// Of the executions, or seconds, of all hunts.
double median_executions(std::vector<Hunt> hunts);
double median_seconds(std::vector<Hunt> hunts);

}  // namespace bench

#endif  // LASTPUT_BENCH_HUNT_H_
