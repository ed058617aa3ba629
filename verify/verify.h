// SPDX-License-Identifier: Apache-2.0
// Verifies programs (targets/program.h): runs each in every execution within bounds, some at a time.
#ifndef LASTPUT_VERIFY_VERIFY_H_
#define LASTPUT_VERIFY_VERIFY_H_

#include <string>
#include <vector>

#include "sched/exhaustive.h"
#include "verify/small_set.h"

namespace verify {

struct Settings {
  uint32_t preemptions = 2;  // sequentially consistent
  uint32_t weak_preemptions = 1;
  uint32_t stale = 1;  // stale loads and late stores of one execution, under weak memory
  bool sc = true, weak = true;
  double seconds = 0;         // for all of it; 0: any time
  unsigned jobs = 2;          // processes
  std::string prefix = "./";  // of artifacts
};

// How this ends: for main() to return.
inline constexpr int kClean = 0, kUsage = 1, kBroken = 2, kFound = 77;

// Prints a line a program and memory, the failure if there is one, and the summary, whose last line is
// "executions: N".
// ERRORS: kFound; kBroken: the engine does not control what a program does, or a process could not run.
int verify_all(const std::vector<SmallProgram>& programs, const Settings& settings);

}  // namespace verify

#endif  // LASTPUT_VERIFY_VERIFY_H_
