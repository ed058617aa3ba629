// SPDX-License-Identifier: Apache-2.0
#include "replay/rerun.h"

#include <algorithm>
#include <cinttypes>
#include <cstdio>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <utility>
#include <vector>

#include "sched/focus.h"
#include "sched/watchdog.h"
#include "targets/artifact.h"
#include "targets/execute.h"
#include "targets/failure_report.h"
#include "targets/harness.h"

namespace replay {
namespace {

constexpr unsigned kLastSteps = 12;  // of each thread, in the short form

std::string hex(uint64_t value) {
  char text[24];
  std::snprintf(text, sizeof text, "0x%" PRIx64, value);
  return text;
}

// What a person compares: guarantee, or detector, and trace.
std::string in_short(const Outcome& outcome) {
  if (!outcome.failed) return "no failure";
  return (outcome.guarantee.empty() ? outcome.kind : outcome.guarantee) + ", trace " +
         hex(outcome.hash);
}

Outcome run_once(const targets::Artifact& artifact, const targets::ExecuteOptions& options,
                 targets::ExecuteResult* result) {
  struct Seen {
    uint64_t longest = 0;
    bool stalled = false;
  } seen;
  targets::ExecuteOptions watched = options;
  watched.on_execution_context = &seen;
  watched.on_execution = [](const sched::Result& one, void* context) {
    Seen& all = *static_cast<Seen*>(context);
    all.longest = std::max(all.longest, one.steps);
    all.stalled |= sched::watchdog_stalled();
    sched::watchdog_watch();
  };
  sched::watchdog_watch();
  *result = targets::execute_artifact(body_of(artifact), artifact, watched);
  if (!result->failed && seen.stalled && !artifact.program.plain_points) {
    targets::Artifact with_points = artifact;  // by these it fails, with the stack of its loop
    with_points.program.plain_points = true;
    return run_once(with_points, options, result);
  }
  Outcome outcome;
  outcome.failed = result->failed;
  outcome.executions = result->executions;
  outcome.steps = result->steps;
  outcome.longest = seen.longest;
  outcome.cut_off = result->cut_off;
  outcome.guarantee = result->failure.failure.guarantee;
  outcome.kind = sched::failure_kind_name(result->failure.failure.kind);
  outcome.hash = result->failure.trace_hash;
  return outcome;
}

// The steps that are always recorded.
sched::Recording without_plain(const sched::Recording& recording) {
  std::vector<bool> kept(recording.steps.size());
  for (size_t i = 0; i < kept.size(); ++i)
    kept[i] = recording.steps[i].kind != sched::StepKind::kRead &&
              recording.steps[i].kind != sched::StepKind::kWrite;
  return sched::only_steps(recording, kept);
}

}  // namespace

bool runs_here(targets::Kind kind) {
  return targets::abilities().own_core || kind == targets::Kind::kPercpuRef;
}

void make_fit(targets::Artifact* artifact) {
  if (runs_here(artifact->kind())) targets::fit(targets::abilities(), &artifact->program);
}

targets::Body body_of(const targets::Artifact& artifact) {
  if (!runs_here(artifact.kind())) return [](const targets::Program&) {};
  return is_concurrent(artifact.kind()) ? targets::run_program : targets::run_sequential;
}

Outcome rerun(const targets::Artifact& artifact, const RerunOptions& options) {
  targets::ExecuteResult result;
  targets::ExecuteOptions how;
  how.record_plain = options.record_plain || options.steps == Steps::kMatters;
  how.for_debugger = options.for_debugger;
  Outcome outcome = run_once(artifact, how, &result);
  if (!outcome.failed) return outcome;
  targets::FailureReportOptions report;
  report.color = options.color;
  report.last_steps = options.steps == Steps::kAll ? 0 : kLastSteps;
  report.focus = options.steps == Steps::kMatters;
  outcome.report = targets::failure_report(result.failure.failure,
                                           options.steps == Steps::kMatters
                                               ? result.failure.recording
                                               : without_plain(result.failure.recording),
                                           artifact.program, artifact.kind(), report);
  outcome.summary = targets::failure_summary(artifact.target, result.failure.failure) + "\n";
  outcome.failure = std::move(result.failure.failure);
  outcome.recording = std::move(result.failure.recording);
  return outcome;
}

Repeats repeat(const targets::Artifact& artifact, const Outcome& first, unsigned times) {
  Repeats repeats{times, 0, 0, in_short(first), first.kind, ""};
  for (unsigned i = 1; i <= times; ++i) {
    targets::ExecuteResult result;
    const Outcome outcome = run_once(artifact, {}, &result);
    if (outcome.failed && in_short(outcome) == in_short(first)) {
      ++repeats.same;
    } else if (repeats.first_other == 0) {
      repeats.first_other = i;
      repeats.other = in_short(outcome);
    }
  }
  return repeats;
}

std::string describe(const Repeats& repeats) {
  std::string text = "replayed " + std::to_string(repeats.times) +
                     " times: " + std::to_string(repeats.same) + " of " +
                     std::to_string(repeats.times) + " the same (" + repeats.expected + ")";
  if (repeats.first_other == 0) return text;
  return text + "; number " + std::to_string(repeats.first_other) + " differed: " + repeats.other;
}

void write_report(const Repeats& repeats, const std::optional<Minimized>& minimized,
                  const std::string& why) {
  const char* path = std::getenv("LASTPUT_REPORT");
  if (path == nullptr || *path == '\0') return;
  nlohmann::json report = {{"times", repeats.times},
                           {"same", repeats.same},
                           {"expected", repeats.expected},
                           {"kind", repeats.kind},
                           {"first_other", repeats.first_other},
                           {"other", repeats.other},
                           {"why", why}};
  if (minimized) {
    report["minimized"] = {{"identity", in_words(minimized->group)},
                           {"operations", minimized->after.operations},
                           {"threads", minimized->after.threads},
                           {"switches", minimized->after.switches},
                           {"departures", minimized->after.departures},
                           {"executions", minimized->executions},
                           {"seconds", minimized->seconds},
                           {"complete", minimized->complete}};
  }
  std::string error;
  if (!targets::write_file(path, report.dump(2) + "\n", &error))
    std::fprintf(stderr, "replay: cannot write the report: %s\n", error.c_str());
}

}  // namespace replay
