// SPDX-License-Identifier: Apache-2.0
#include "sched/run/explain.h"

#include <utility>
#include <vector>

#include "sched/engine.h"
#include "sched/recorder.h"
#include "sched/report.h"
#include "sched/run/process.h"
#include "sched/run/program.h"
#include "sched/watchdog.h"

namespace sched::program {
namespace {

// A livelock is recorded with less patience: what goes round, goes round soon.
constexpr uint64_t kShortBudget = 2000, kShortFairBudget = 20000;

// What for, the failure says.
const char* state_in_words(const Thread& t) {
  if (t.state == State::kRunnable) return "could run";
  return t.wait_for == WaitFor::kTime ? "sleeps" : "waits";
}

bool concerns_all_threads(FailureKind kind) {
  return kind == FailureKind::kDeadlock || kind == FailureKind::kLostWakeup ||
         kind == FailureKind::kLivelock || kind == FailureKind::kNoProgress;
}

// On the failing thread, the engine inactive: what is lost once the execution is left.
void on_failure(const Failure& failure, const Recording&, void* context) {
  process_flush();
  auto* others = static_cast<std::vector<Stack>*>(context);
  others->clear();
  if (!concerns_all_threads(failure.kind)) return;
  for (uint32_t i = 0; i < g.thread_count; ++i) {
    const Thread& t = g.threads[i];
    if (i == g.current || t.state == State::kDone) continue;
    others->push_back({std::string(t.name) + " " + state_in_words(t), capture_stack_of(i)});
  }
}

// Whether the recorded choices lead to the same end.
bool holds(const Options& options, const Result& result) {
  Options again = options;
  again.explain = again.record_always = false;
  again.choices = &result.recording.choices;
  const Result second = execute(again, true);
  return second.verdict == Verdict::kFailed && second.failure.kind == result.failure.kind;
}

Explained record(Options options, FailureKind kind) {
  options.explain = options.record_plain = true;
  Explained e{options, execute(options, true), false};
  e.recorded = e.result.failure.kind == kind && holds(options, e.result);
  return e;
}

}  // namespace

Result execute(Options options, bool muted) {
  std::vector<Stack> others;
  options.on_failure = on_failure;
  options.on_failure_context = &others;
  watchdog_watch();
  Result result = run(run_program, &muted, options);
  result.failure.guarantee.clear();
  for (Stack& s : others) result.failure.stacks.push_back(std::move(s));
  return result;
}

void learn(Options options, Profile* profile) {
  options.strategy = Strategy::kRandom;
  options.seed = options.mean_interval = 0;
  options.profile = nullptr;
  options.learn = profile;
  execute(options, true);
}

Explained explain(const Options& options, Result failed) {
  const FailureKind kind = failed.failure.kind;
  if (!takes_long(kind)) return record(options, kind);
  if (kind == FailureKind::kLivelock) {
    Options sooner = options;
    sooner.step_budget = kShortBudget;
    sooner.fair_budget = kShortFairBudget;
    Explained e = record(sooner, kind);
    if (e.recorded) return e;
  }
  return {options, std::move(failed), false};
}

std::string report(const Result& result, Steps steps, bool color) {
  ReportOptions options;
  options.color = color;
  options.focus = steps == Steps::kMatters;
  if (steps == Steps::kAll) options.last_steps = 0;
  return print_failure_report(result.failure, result.recording, options);
}

}  // namespace sched::program
