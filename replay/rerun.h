// SPDX-License-Identifier: Apache-2.0
// Runs an artifact under the engine, once to explain it and then again to compare.
#ifndef LASTPUT_REPLAY_RERUN_H_
#define LASTPUT_REPLAY_RERUN_H_

#include <cstdint>
#include <optional>
#include <string>

#include "replay/minimize.h"
#include "targets/text.h"

namespace replay {

enum class Steps : uint8_t { kLast, kMatters, kAll };  // of each thread; sched/focus.h

struct RerunOptions {
  bool color = false;
  Steps steps = Steps::kLast;
  bool record_plain = false;
  bool for_debugger = false;
};

struct Outcome {
  bool failed = false;
  uint64_t executions = 0;
  uint64_t steps = 0, longest = 0;  // points of all, and of one
  uint64_t cut_off = 0;             // executions that were not waited for
  std::string guarantee;
  std::string kind;
  uint64_t hash = 0;    // of the failing execution's trace
  std::string report;   // for a person; no summary
  std::string summary;  // "SUMMARY: ...\n"
  sched::Failure failure;
  sched::Recording recording;  // of rerun() alone
};

// Whether programs of this kind run on the count that this was built with.
bool runs_here(targets::Kind kind);
// Leaves out of the program what that count cannot do.
void make_fit(targets::Artifact* artifact);

// What runs the programs of its target; where that is not of this count, nothing.
targets::Body body_of(const targets::Artifact& artifact);

// Every schedule that the artifact says, until one fails. One that passes no scheduling point for a second
// (watchdog.h) fails by no-progress.
Outcome rerun(const targets::Artifact& artifact, const RerunOptions& options);

struct Repeats {
  unsigned times = 0;
  unsigned same = 0;         // failed by the same guarantee, with the same trace
  unsigned first_other = 0;  // number of the first that did not, from 1; 0: none
  std::string expected;      // "G1, trace 0x1f00"
  std::string kind;          // what noticed it: "oracle", "data-race", ...
  std::string other;         // what the first other one did
};
// Runs it `times` times more without explaining, and compares with `first`.
Repeats repeat(const targets::Artifact& artifact, const Outcome& first, unsigned times);
// "100 of 100 the same: G1, trace 0x1f00"
std::string describe(const Repeats& repeats);
// As JSON to the file that $LASTPUT_REPORT names, if it does. `minimized`: where that was asked for; `why`: as
// explain_why has it in words.
void write_report(const Repeats& repeats, const std::optional<Minimized>& minimized,
                  const std::string& why);

}  // namespace replay

#endif  // LASTPUT_REPLAY_RERUN_H_
