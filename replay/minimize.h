// SPDX-License-Identifier: Apache-2.0
// Makes the program and the schedule of a failure small, keeping the failure what it is (group.h).
#ifndef LASTPUT_REPLAY_MINIMIZE_H_
#define LASTPUT_REPLAY_MINIMIZE_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "replay/group.h"
#include "targets/abilities.h"
#include "targets/execute.h"
#include "targets/text.h"

namespace replay {

// How large an artifact with one schedule is.
struct Extent {
  size_t operations = 0;  // of all threads
  size_t threads = 0;
  size_t switches = 0;    // choices of the schedule that name a thread
  size_t departures = 0;  // its other choices: stale loads, late stores, reused blocks, ...
  bool operator==(const Extent&) const = default;
};
Extent extent_of(const targets::Artifact& artifact);
// "9 operations in 3 threads, 2 switches and 1 stale load or its like"
std::string describe(const Extent& extent);

struct Minimized {
  targets::Artifact artifact;  // with one schedule; fails as `group` says
  Group group;
  Extent before, after;
  uint64_t executions = 0;
  double seconds = 0;     // as minimize_file measures
  bool complete = false;  // else it was stopped, and something more might go
};

struct MinimizeOptions {
  targets::Abilities abilities = {};  // programs ask no more of the count
  // A smaller program is tried with what is left of the schedule, then with so many random ones.
  unsigned random_schedules = 300;
  // Asked between executions, with the best so far; true: enough.
  std::function<bool(const Minimized&)> stop;
  // Told of each improvement.
  std::function<void(const Minimized&)> improved;
};

// `failing` may have many schedules: the first that fails is taken. Nothing if none does. ENSURES, where
// the result is complete: no single operation, and no single choice of the schedule, can go, by the
// schedule that is left and by that many random ones. Same artifact, same result, unless stopped.
// `body` runs its programs.
std::optional<Minimized> minimize(const targets::Artifact& failing, targets::Body body,
                                  const MinimizeOptions& options);

}  // namespace replay

#endif  // LASTPUT_REPLAY_MINIMIZE_H_
