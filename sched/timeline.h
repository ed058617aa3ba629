// SPDX-License-Identifier: Apache-2.0
// The recorded steps of an execution as a picture for a person: one row a step, one column a
// thread.
//
//     step  main                  a                     b
//        1  create a
//        2                        == op 0: put
//        3                        ref0: 2 -> 1  rmw release
//        4  :                     :                     ref0: 1 -> 0  rmw release
//
// A row belongs to one thread, so its text may run on to the right over the columns of the others;
// that keeps many threads readable in a narrow terminal. Text that passes the width is cut.
#ifndef LASTPUT_SCHED_TIMELINE_H_
#define LASTPUT_SCHED_TIMELINE_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>

#include "sched/sched.h"

namespace sched {

struct TimelineOptions {
  unsigned width = 0;       // columns of the terminal; 0: terminal_width()
  unsigned last_steps = 0;  // only the last n steps of each thread; 0: all
  // A stretch of more rows than this in one thread keeps its first and last rows; 0: keeps all.
  unsigned longest_run = 24;
  bool color = false;
  bool preemptions = false;  // tell where the schedule gave the turn to another thread
  // What to add behind a step, for example the source line of its pc; empty: nothing.
  std::function<std::string(uintptr_t pc)> locate;
  // What operation `op` of a thread is called ("put ref0"), where no note says it; empty: nothing.
  std::function<std::string(const std::string& thread, uint32_t op)> operation;
};

// Ends with a newline; empty for a recording without steps.
std::string print_timeline(const Recording& recording, const TimelineOptions& options);

// What one step did, in one line: "ref0+8: 5 -> 4  rmw acq_rel", "lock domain+16".
std::string describe_step(const Recording& recording, const Step& step);

// A number as a person wants it: small ones decimal, wrapped ones negative, those next to 2^63 (the
// bias of a counter) relative to it, the rest hexadecimal. `size` in bytes.
std::string describe_value(uint64_t value, unsigned size);

// Columns of the terminal on stdout, else $COLUMNS, else 120; at least 60.
unsigned terminal_width();

}  // namespace sched

#endif  // LASTPUT_SCHED_TIMELINE_H_
