// SPDX-License-Identifier: Apache-2.0
// A failure told to a person, and in one line.
#ifndef LASTPUT_TARGETS_FAILURE_REPORT_H_
#define LASTPUT_TARGETS_FAILURE_REPORT_H_

#include <cstdint>
#include <string>

#include "sched/sched.h"
#include "targets/program.h"

namespace targets {

// What the guarantee ("G2") is about: "release while held". "" for one that is not known.
const char* guarantee_words(const std::string& guarantee);

// "put ref0": operation `op` of a thread, as begin_op numbers it; "" where there is nothing to say.
std::string operation_title(const Program& program, Kind kind, const std::string& thread,
                            uint32_t op);

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
