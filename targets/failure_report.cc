// SPDX-License-Identifier: Apache-2.0
#include "targets/failure_report.h"

#include "sched/report.h"

namespace targets {

std::string failure_report(const sched::Failure& failure, const sched::Recording& recording,
                           const Program& program, Kind kind, const FailureReportOptions& options) {
  sched::ReportOptions report;
  report.guarantee_text = guarantee_words(failure.guarantee);
  report.last_steps = options.last_steps;
  report.focus = options.focus;
  report.color = options.color;
  report.operation = [&](const std::string& thread, uint32_t op) {
    return operation_title(program, kind, thread, op);
  };
  return sched::print_failure_report(failure, recording, report);
}

std::string failure_summary(const std::string& target, const sched::Failure& failure) {
  return summary_line(
      failure.guarantee.empty() ? sched::failure_kind_name(failure.kind) : failure.guarantee,
      target);
}

}  // namespace targets
