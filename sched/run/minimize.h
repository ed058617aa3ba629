// SPDX-License-Identifier: Apache-2.0
// Makes the schedule of a program's failure small; the program is as it is.
#ifndef LASTPUT_SCHED_RUN_MINIMIZE_H_
#define LASTPUT_SCHED_RUN_MINIMIZE_H_

#include <string>

#include "sched/run/artifact.h"

namespace sched::program {

// The failure stays the same: its kind, the topmost function of the program, and the exit status. Leaves out weak memory,
// then choices, and looks for other schedules with fewer, for `seconds` at most, or until SIGINT or SIGTERM; shows the
// search, and keeps the best in minimized_path(path) (long_search.h). ENSURES, where it was not stopped: no single choice
// can go. *artifact is the smallest then. Same artifact, same result, unless stopped.
// ERRORS: false, and *error: it does not fail, has no schedule of its own, or the file cannot be written.
bool minimize(const std::string& path, double seconds, Artifact* artifact, std::string* error);

}  // namespace sched::program

#endif  // LASTPUT_SCHED_RUN_MINIMIZE_H_
