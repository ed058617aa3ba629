// SPDX-License-Identifier: Apache-2.0
// A failed execution told to a person. The fuzz targets and the replay tool print the same:
//
//     FAILED: G1 (release runs exactly once a life), found by the oracle
//       release ran a second time
//       in thread b, operation 3
//
//       second release, thread b:
//         #0 percpu::Ref::put core/ref.h:120
//
//     the last steps of each thread:
//       step  main   a     b
//       ...
//
// What comes behind it, the command that replays it and the line "SUMMARY: ...", is the caller's,
// with summary_line(). REQUIRES: the engine is inactive (outside an execution, or in on_failure).
#ifndef LASTPUT_SCHED_REPORT_H_
#define LASTPUT_SCHED_REPORT_H_

#include <cstdint>
#include <functional>
#include <string>

#include "sched/sched.h"
#include "sched/symbolize.h"

namespace sched {

struct ReportOptions {
  std::string guarantee_text;  // what the broken guarantee says, in a few words; may be empty
  unsigned last_steps = 12;    // of each thread; 0: all steps
  bool focus = false;          // instead: of the whole execution what matters (focus.h)
  unsigned width = 0;          // columns; 0: as the terminal
  bool color = false;
  bool locations = true;  // source lines behind the steps
  // What operation `op` of a thread is called ("put ref0"); may be empty. See timeline.h.
  std::function<std::string(const std::string& thread, uint32_t op)> operation;
};

std::string print_failure_report(const Failure& failure, const Recording& recording,
                                 const ReportOptions& options);

// "SUMMARY: lastput: G1 oracle in percpu::Ref::put core/ref.h:120": one line, ends with a newline.
// `harness`: see top_frame.
std::string summary_line(const Failure& failure, const std::string& harness = "");

// The innermost interesting frame of the failure's first stack: "percpu::Ref::put core/ref.h:120";
// "": unknown. Functions whose names begin with `harness` ("targets::") only where there is no
// other: it is the code under test that tells failures apart.
std::string top_frame(const Failure& failure, const std::string& harness = "");
// Its function alone, by a symbolizer that is asked again and again.
std::string top_function(const Failure& failure, Symbolizer& symbolizer,
                         const std::string& harness = "");

}  // namespace sched

#endif  // LASTPUT_SCHED_REPORT_H_
