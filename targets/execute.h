// SPDX-License-Identifier: Apache-2.0
// Runs a program under the engine: all schedules of an input, or one that is given.
#ifndef LASTPUT_TARGETS_EXECUTE_H_
#define LASTPUT_TARGETS_EXECUTE_H_

#include <cstdint>
#include <string>
#include <vector>

#include "sched/sched.h"
#include "targets/program.h"
#include "targets/text.h"

namespace targets {

// Does one execution; harness.h has them (run_program, run_sequential).
using Body = void (*)(const Program&);

// The options of schedule `index` of the program (0 takes its preemptions first; the seed of each
// is derived from the program's). `*bytes` keeps what options.bytes refers to.
sched::Options schedule_options(const Program& program, unsigned index,
                                std::vector<uint8_t>* bytes);

// One execution. `options` as schedule_options makes them, or with `choices` set.
sched::Result execute_once(Body body, const Program& program, const sched::Options& options);

struct ExecuteOptions {
  Memory memory = Memory::kWeak;
  bool record_plain = false;  // sched::Options: of the failing execution
  bool for_debugger = false;  // on OS threads, recorded in the first run
  void (*on_failure)(const sched::Failure&, const sched::Recording&, void*) = nullptr;
  void* on_failure_context = nullptr;
  void (*on_execution)(const sched::Result&, void*) = nullptr;  // after each, failed or not
  void* on_execution_context = nullptr;
};

struct ExecuteResult {
  uint64_t executions = 0;
  uint64_t steps = 0;
  uint64_t cut_off = 0;
  bool failed = false;    // at the first failure the rest is not run
  unsigned schedule = 0;  // that failed
  sched::Result failure;  // with its recording
};
// Every schedule of the program, until one fails.
ExecuteResult execute(Body body, const Program& program, const ExecuteOptions& options);

// What an artifact says: its schedule if it has one, else every schedule of the program; under its
// memory, not that of the options.
ExecuteResult execute_artifact(Body body, const Artifact& artifact, const ExecuteOptions& options);

// The artifact of a failed execution: ONE schedule, as choices; no preemptions are left in the
// program.
Artifact make_artifact(const std::string& target, const std::string& bug, const Program& program,
                       const sched::Failure& failure, const sched::Recording& recording);

}  // namespace targets

#endif  // LASTPUT_TARGETS_EXECUTE_H_
