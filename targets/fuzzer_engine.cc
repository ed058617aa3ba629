// SPDX-License-Identifier: Apache-2.0
// Fuzz targets whose programs run on the deterministic engine, recorded.
#include <cstdlib>
#include <string>

#include "targets/abort_below_engine.h"
#include "targets/execute.h"
#include "targets/failure_report.h"
#include "targets/fuzzer_run.h"

namespace targets {
namespace {

// $LASTPUT_EXPECT ("G2 G8"): only these guarantees end the run. A known bug often breaks several; so
// the oracle that is meant for it must show that it sees it, too.
bool expected(const std::string& guarantee) {
  const char* list = std::getenv("LASTPUT_EXPECT");
  if (list == nullptr || *list == 0) return true;
  return (" " + std::string(list) + " ").find(" " + guarantee + " ") != std::string::npos;
}

// On the stack of the thread that failed, the engine inactive: the frames below say what broke.
void on_failure(const sched::Failure& failure, const sched::Recording& recording, void* context) {
  FuzzerRun& run = *static_cast<FuzzerRun*>(context);
  if (!expected(failure.guarantee)) return;
  tell_failure(run, failure_report(failure, recording, *run.program, run.kind),
               make_artifact(run.target(), "", *run.program, failure, recording),
               failure_summary(run.target(), failure));
  abort_below_engine();
}

void on_execution(const sched::Result& result, void* context) {
  FuzzerRun& run = *static_cast<FuzzerRun*>(context);
  count_execution(run);
  Statistics& s = run.statistics;
  s.points += result.steps;
  s.cut_off += result.verdict == sched::Verdict::kCutOff;
  s.interleavings.add(result.trace_hash);
}

}  // namespace

void runner_start(FuzzerRun&) {}

std::string runner_words() {
  return "";
}

// The first schedule of a program follows its preemptions, if it has any.
std::string runner_strategy(const FuzzerRun& run) {
  std::vector<uint8_t> bytes;
  const sched::Options options = schedule_options(*run.program, run.schedule, &bytes);
  return bytes.empty() ? sched::strategy_name(options.strategy) : "preemptions";
}

void runner_execute(FuzzerRun& run) {
  ExecuteOptions options;
  options.memory = run.options.memory;
  options.on_failure = on_failure;
  options.on_failure_context = options.on_execution_context = &run;
  options.on_execution = on_execution;
  execute(run.harness->body, *run.program, options);
}

}  // namespace targets
