// SPDX-License-Identifier: Apache-2.0
// Programs as text: what a person writes and reads, and the canonical artifact of a failure. One
// format:
//
//   lastput 1                            first line: format and version
//   target percpu_ref                    or another of kKinds (program.h)
//   bug NAME                             optional: the core was built with this known bug
//   count NAME                           optional: it ran on this count, not on the core's
//   memory sc                            weak (the default), or sc: sequentially consistent
//   fails G2 released while held         optional: guarantee, and one sentence
//   build IDENTIFIER                     optional: what steps and hash were seen with
//   steps 812                            optional
//   hash 0x1f00                          optional
//   setup cpus 2                         1..4; this and the other setup lines may be left out
//   setup schedules 4                    executions of one input, 1..16
//   setup interval 8                     mean number of points between preemptions, 0..63
//   setup seed 7
//   setup fail_allocation 3              the n-th allocation fails
//   setup plain_points
//   setup misuse                         operations of misuse belong to it
//   setup slow_callbacks                 release and confirm sleep
//   setup without kill|ask               classes of operations that are left out: many, try, kill, switch,
//                                        revive, hand, ask, manager
//   setup leftovers main                 thread, main, main_after_kill
//   setup manager scan_count 2 thread    targets managed, mixed: refs that a run visits, 1..8; its thread is started
//   setup ref flags reinit|atomic release free ending kill controller T1 tokens 1,0
//   setup pool low 1 high 3 size 16 align 16 ending destroy   or empty, small_fill, refilled
//   setup list form tryget elements 1    or locked, deferred, blocking; elements that main lists, 0..3
//   thread T1                            one block a thread, in order; one operation a line
//     get ref0
//     put_many ref0 64
//     give ref0 T2
//     list_insert_ref list0 ref1
//     migrate 1
//   preempt 12 3                         optional: schedule bytes of the first schedule
//   schedule                             optional: ONE schedule, as departures from the default one
//     T1 op 3 point 5 -> T2
//   end
//
// `#` starts a comment. Blank lines and indentation mean nothing. Operations count from 1 in their
// thread.
//
// GUARANTEES parse(print(A)) == A. Errors name line, column, and what was expected there.
#ifndef LASTPUT_TARGETS_TEXT_H_
#define LASTPUT_TARGETS_TEXT_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "sched/sched.h"  // Choice; nothing of it is linked
#include "targets/program.h"

namespace targets {

inline constexpr unsigned kTextVersion = 1;

struct Artifact {
  std::string target = kind_info(Kind::kPercpuRef).name;  // of kKinds
  std::string bug;                                        // one word; empty: the right core
  std::string count;                                      // one word; empty: the core's
  Memory memory = Memory::kWeak;
  std::string guarantee;  // one word; empty: not known to fail
  std::string message;    // one line
  std::string build;      // one line; steps and hash compare within one build only
  uint64_t steps = 0;
  uint64_t hash = 0;
  Program program;
  bool has_schedule = false;  // then it is run by `schedule` alone, with no seed and no preemptions
  std::vector<sched::Choice> schedule;
  bool operator==(const Artifact&) const = default;
  // REQUIRES: the target is one of kKinds.
  Kind kind() const { return find_kind(target)->kind; }
};

struct ParseError {
  unsigned line = 0;  // both from 1
  unsigned column = 0;
  std::string message;
  // "line 3, column 7: expected a ref (ref0..ref0), found `ref4`"
  std::string to_string() const;
};

// True and `*artifact`, or false and `*error`. The program is checked too (check in program.h).
bool parse(std::string_view text, Artifact* artifact, ParseError* error);

// Whether `bytes` look like this format (of any version) rather than a fuzz input.
bool looks_like_text(std::string_view bytes);

std::string print(const Artifact& artifact);
std::string print_operation(const Operation& op);  // "get_many ref0 64"
std::string print_choice(const sched::Choice& choice);
std::string thread_name(unsigned thread);  // 0: "T1"

}  // namespace targets

#endif  // LASTPUT_TARGETS_TEXT_H_
