// SPDX-License-Identifier: Apache-2.0
#include "sched/report.h"

#include <algorithm>
#include <set>
#include <vector>

#include "sched/focus.h"
#include "sched/symbolize.h"
#include "sched/timeline.h"

namespace sched {
namespace {

constexpr const char* kRed = "\033[1;31m";
constexpr const char* kPlain = "\033[0m";

std::string headline(const Failure& failure, const ReportOptions& options) {
  std::string text = "FAILED: ";
  text += failure.guarantee.empty() ? failure_kind_name(failure.kind) : failure.guarantee;
  if (!options.guarantee_text.empty()) text += " (" + options.guarantee_text + ")";
  if (!failure.guarantee.empty()) text += std::string(", ") + failure_kind_name(failure.kind);
  return options.color ? kRed + text + kPlain : text;
}

// What the failing operation is called: the note right behind its start. ": put ref0", or "".
std::string operation_title(const Failure& failure, const Recording& recording,
                            const ReportOptions& options) {
  if (options.operation) {
    const std::string title = options.operation(failure.thread, failure.op);
    if (!title.empty()) return ": " + title;
  }
  bool begun = false;
  for (const Step& step : recording.steps) {
    if (step.thread >= recording.threads.size()) continue;
    if (recording.threads[step.thread] != failure.thread || step.op != failure.op) continue;
    if (begun) return step.kind == StepKind::kNote ? ": " + step.text : "";
    begun = step.kind == StepKind::kOp;
  }
  return "";
}

// All program counters of the failure and of the steps, so that one child process answers them all.
std::vector<uintptr_t> all_pcs(const Failure& failure, const Recording& recording,
                               bool with_steps) {
  std::set<uintptr_t> pcs;
  for (const Stack& stack : failure.stacks) pcs.insert(stack.pcs.begin(), stack.pcs.end());
  if (with_steps) {
    for (const Step& step : recording.steps) pcs.insert(step.pc);
  }
  return {pcs.begin(), pcs.end()};
}

// What top_frame is about; null: unknown.
const Frame* innermost(const Failure& failure, Symbolizer& symbolizer, const std::string& harness) {
  if (failure.stacks.empty()) return nullptr;
  symbolizer.load(failure.stacks[0].pcs);
  const Frame* first = nullptr;
  for (const uintptr_t pc : failure.stacks[0].pcs) {
    for (const Frame& frame : symbolizer.frames(pc)) {
      if (frame.function.empty() || is_uninteresting(frame)) continue;
      if (harness.empty() || !frame.function.starts_with(harness)) return &frame;
      if (first == nullptr) first = &frame;
    }
  }
  return first;
}

// The steps, under a line that says which.
std::string steps_in_words(const Recording& recording, const Failure& failure,
                           const ReportOptions& options, Symbolizer& symbolizer) {
  TimelineOptions timeline;
  timeline.width = options.width;
  timeline.last_steps = options.focus ? 0 : options.last_steps;
  timeline.color = options.color;
  timeline.preemptions = options.focus;
  if (options.focus) timeline.longest_run = 0;
  timeline.operation = options.operation;
  if (options.locations) timeline.locate = [&](uintptr_t pc) { return symbolizer.location(pc); };
  if (!options.focus) {
    const std::string steps = print_timeline(recording, timeline);
    if (steps.empty()) return "";
    return (options.last_steps != 0 ? "\nthe last steps of each thread:\n" : "\nall steps:\n") +
           steps;
  }
  const Recording kept = only_steps(recording, steps_that_matter(recording, failure));
  const size_t left_out = recording.steps.size() - kept.steps.size();
  return "\nwhat the threads did to each other:\n" + print_timeline(kept, timeline) + "(" +
         std::to_string(left_out) + " of " + std::to_string(recording.steps.size()) +
         " steps are left out)\n";
}

}  // namespace

std::string print_failure_report(const Failure& failure, const Recording& recording,
                                 const ReportOptions& options) {
  Symbolizer symbolizer;
  symbolizer.load(all_pcs(failure, recording, options.locations));
  std::string text = headline(failure, options) + "\n  " + failure.message + "\n";
  if (!failure.thread.empty()) {
    text += "  in thread " + failure.thread;
    if (failure.op != 0) {
      text += ", operation " + std::to_string(failure.op) +
              operation_title(failure, recording, options);
    }
    text += "\n";
  }
  for (const Stack& stack : failure.stacks) {
    text += "\n  " + stack.title + ":\n" + symbolizer.print_stack(stack);
  }
  return text + steps_in_words(recording, failure, options, symbolizer);
}

std::string top_frame(const Failure& failure, const std::string& harness) {
  Symbolizer symbolizer;
  const Frame* frame = innermost(failure, symbolizer, harness);
  if (frame == nullptr) return "";
  if (frame->file.empty()) return frame->function;
  return frame->function + " " + frame->file + ":" + std::to_string(frame->line);
}

std::string top_function(const Failure& failure, Symbolizer& symbolizer,
                         const std::string& harness) {
  const Frame* frame = innermost(failure, symbolizer, harness);
  return frame == nullptr ? "" : frame->function;
}

std::string summary_line(const Failure& failure, const std::string& harness) {
  std::string text = "SUMMARY: lastput: ";
  if (!failure.guarantee.empty()) text += failure.guarantee + " ";
  text += failure_kind_name(failure.kind);
  const std::string frame = top_frame(failure, harness);
  if (!frame.empty()) text += " in " + frame;
  return text + "\n";
}

}  // namespace sched
