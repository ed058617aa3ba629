// SPDX-License-Identifier: Apache-2.0
// Aborts of restartable sections, forced at each of their instructions: a hardware breakpoint at the instruction, by
// perf_event_open, whose signal the kernel delivers before the instruction, and so makes the section start over. The sections are
// those that the program's table names, as they are: nothing is compiled in for it.
//
//   which instruction   any address inside a section; where none begins the breakpoint is never met, so no disassembler
//                       is needed, and the addresses that were met are the instructions
//   proof               the handler finds itself interrupted at the section's abort handler
#ifndef LASTPUT_STRESS_ABORT_POINTS_H_
#define LASTPUT_STRESS_ABORT_POINTS_H_

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "targets/random.h"

namespace stress {

// Sets a breakpoint, for one time, at an address that the generator chooses, in thread `thread`; it takes the place of the
// one before. 0, or an errno: ENOENT, no section here; ESRCH, the thread has ended; else breakpoints cannot be had.
int arm_abort_point(pid_t thread, targets::Random& random);
// The same address for as long as it is armed, each time that the thread meets it, and with no signal: the kernel takes a sample that is so
// large that the thread stands there for some microseconds, between two instructions, and its section does not start over. Only a
// grace period that restarts sections can do that then.
int arm_stall(pid_t thread, targets::Random& random);
void disarm_stall();
// No breakpoint is left.
void disarm_abort_points();
// So much of a worker's stack is copied by a sample: it has to be there, above what the worker uses.
inline constexpr unsigned kSampledStack = 60 * 1024;

struct AbortPoints {
  unsigned sections = 0;      // in the program
  unsigned used = 0;          // of these, where a breakpoint was met
  unsigned instructions = 0;  // inside these, where a breakpoint was met
  unsigned expected = 0;      // of these sections, as many as a section has (kSectionInstructions)
  uint64_t hits = 0;
  uint64_t aborts = 0;  // hits that the kernel turned into aborts
};
// From the first instruction to the one that commits, in core/platform/linux/percpu_platform.h.
inline constexpr unsigned kSectionInstructions = 8;
AbortPoints abort_points();
// A section that was met: its number in the program's table, and how often a breakpoint was met at which offset, in ascending order.
struct MetSection {
  unsigned number = 0;
  std::vector<std::pair<uint64_t, uint64_t>> hits;
};
std::vector<MetSection> met_sections();
// "aborts forced: 1234, at 16 of 16 instructions of 2 sections (of 9 in the program)"; "" where none was.
std::string abort_points_in_words();

}  // namespace stress

#endif  // LASTPUT_STRESS_ABORT_POINTS_H_
