// SPDX-License-Identifier: Apache-2.0
// A failure on the engine told to a person, and in one line.
#ifndef LASTPUT_TARGETS_FAILURE_REPORT_H_
#define LASTPUT_TARGETS_FAILURE_REPORT_H_

#include <string>

#include "sched/sched.h"
#include "targets/program.h"
#include "targets/titles.h"

namespace targets {

struct FailureReportOptions {
  unsigned last_steps = 12;  // of each thread; 0: all
  bool focus = false;        // instead: what matters, of the whole execution (sched/focus.h)
  bool color = false;
};
// Guarantee or detector, one sentence, the stacks, the steps with the operations of `program`.
std::string failure_report(const sched::Failure& failure, const sched::Recording& recording,
                           const Program& program, Kind kind,
                           const FailureReportOptions& options = {});

// "SUMMARY: lastput: G2 (release while held) in percpu_ref"
std::string failure_summary(const std::string& target, const sched::Failure& failure);

}  // namespace targets

#endif  // LASTPUT_TARGETS_FAILURE_REPORT_H_
