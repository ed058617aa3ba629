// SPDX-License-Identifier: Apache-2.0
#include "targets/failure_report.h"

#if __has_include("sched/report.h")
#include "sched/report.h"
#else
#include <dlfcn.h>

#include <cstdint>
#endif

namespace targets {
namespace {

constexpr struct {
  const char* guarantee;
  const char* words;
} kWords[] = {
    {"G1", "release exactly once"},
    {"G2", "release while held"},
    {"G3", "release never ran"},
    {"G4", "confirm"},
    {"G5", "what tryget answers"},
    {"G6", "counts over a switch"},
    {"G7", "writes not ordered"},
    {"G8", "memory"},
    {"G9", "progress"},
    {"G10", "misuse"},
};

}  // namespace

const char* guarantee_words(const std::string& guarantee) {
  for (const auto& entry : kWords)
    if (guarantee == entry.guarantee) return entry.words;
  return "";
}

#if __has_include("sched/report.h")

std::string failure_report(const sched::Failure& failure, const sched::Recording& recording) {
  sched::ReportOptions options;
  options.guarantee_text = guarantee_words(failure.guarantee);
  return sched::print_failure_report(failure, recording, options);
}

#else

std::string failure_report(const sched::Failure& failure, const sched::Recording& recording) {
  std::string text = "FAILED: " + failure.guarantee + " (" + guarantee_words(failure.guarantee) +
                     "), found by " + sched::failure_kind_name(failure.kind) + "\n  " +
                     failure.message + "\n  in thread " + failure.thread + ", operation " +
                     std::to_string(failure.op) + "\n";
  for (const sched::Stack& stack : failure.stacks) {
    text += "\n  " + stack.title + ":\n";
    for (uintptr_t pc : stack.pcs) {
      Dl_info info = {};
      dladdr(reinterpret_cast<void*>(pc), &info);
      text += std::string("    ") + (info.dli_sname != nullptr ? info.dli_sname : "?") + "\n";
    }
  }
  text += "\n  the last steps:\n";
  const size_t first = recording.steps.size() > 30 ? recording.steps.size() - 30 : 0;
  for (size_t i = first; i < recording.steps.size(); ++i) {
    const sched::Step& step = recording.steps[i];
    text += "    " + std::to_string(step.index) + " " + recording.threads[step.thread] + " " +
            sched::step_kind_name(step.kind) + " " + step.text + "\n";
  }
  return text;
}

#endif

std::string failure_summary(const std::string& target, const sched::Failure& failure) {
  const std::string words = guarantee_words(failure.guarantee);
  const std::string name =
      failure.guarantee.empty() ? sched::failure_kind_name(failure.kind) : failure.guarantee;
  return "SUMMARY: lastput: " + name + (words.empty() ? "" : " (" + words + ")") + " in " + target;
}

}  // namespace targets
