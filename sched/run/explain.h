// SPDX-License-Identifier: Apache-2.0
// A failing schedule run once more, for people: its stacks, its steps, and the choices that lead there.
#ifndef LASTPUT_SCHED_RUN_EXPLAIN_H_
#define LASTPUT_SCHED_RUN_EXPLAIN_H_

#include <string>

#include "sched/run/artifact.h"
#include "sched/sched.h"

namespace sched::program {

// Failures that have no end of their own: an execution that shows one takes long.
inline bool takes_long(FailureKind kind) {
  return kind == FailureKind::kNoProgress || kind == FailureKind::kLivelock;
}

struct Explained {
  Options options;
  Result result;          // its failure names no guarantee: those are of the reference counts
  bool recorded = false;  // result.recording is there, and its choices lead to the same failure
};

// REQUIRES: an execution under `options` ended in `failed`. What cannot be recorded, since it has no end, comes
// as it is, with the stacks alone.
Explained explain(const Options& options, Result failed);

// One execution, its program's output muted or not; the stacks of all waiting threads where they matter.
Result execute(Options options, bool muted);

// Runs the default schedule for what it shows to strategies; it may fail.
void learn(Options options, Profile* profile);

// What is told of a failure before the command that replays it.
enum class Steps { kLast, kMatters, kAll };  // of each thread; of the whole (sched/focus.h)
std::string report(const Result& result, Steps steps, bool color);

// After the report of a FailureKind::kLimit, which is no failure of the program's.
inline constexpr char kNotControlled[] =
    "lastput: this program does what the engine does not control; see FUZZING.md, Limits\n";

}  // namespace sched::program

#endif  // LASTPUT_SCHED_RUN_EXPLAIN_H_
