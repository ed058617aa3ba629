// SPDX-License-Identifier: Apache-2.0
#include "targets/failure_report.h"

#include "sched/report.h"

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

std::string failure_report(const sched::Failure& failure, const sched::Recording& recording) {
  sched::ReportOptions options;
  options.guarantee_text = guarantee_words(failure.guarantee);
  return sched::print_failure_report(failure, recording, options);
}

std::string failure_summary(const std::string& target, const sched::Failure& failure) {
  const std::string words = guarantee_words(failure.guarantee);
  const std::string name =
      failure.guarantee.empty() ? sched::failure_kind_name(failure.kind) : failure.guarantee;
  return "SUMMARY: lastput: " + name + (words.empty() ? "" : " (" + words + ")") + " in " + target;
}

}  // namespace targets
