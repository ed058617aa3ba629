// SPDX-License-Identifier: Apache-2.0
// A failure of a program as text: what was run, and the ONE schedule that failed. `./lastput replay` reads it.
//
//   lastput 1                            first line: format and version
//   target run
//   fails data-race write of ...         kind, and one sentence
//   source 1b2c3d4e counter.c            checksum, path as given; one line a file
//   flag -O2                             one line a word of --cflags
//   argument 3                           one line an argument of main
//   library sched_wide                   where it is linked with that, for more threads
//   setup races off                      this and the others where they are not the default
//   setup memory sc
//   setup plain_points
//   setup steps 1000000                  fair budget
//   setup points 20000                   step budget
//   setup seed 7 interval 8              a schedule from its seed, where none was recorded
//   steps 812
//   hash 0x1f00
//   schedule                             as departures from the default one (Choice in sched.h)
//     main.1 op 0 point 5 -> main.2
//   end
//
// Lines of `source`, `flag`, `argument` and `library` are for whoever builds the program (verb.sh) and are copied.
#ifndef LASTPUT_SCHED_RUN_ARTIFACT_H_
#define LASTPUT_SCHED_RUN_ARTIFACT_H_

#include <cstdint>
#include <string>
#include <vector>

#include "sched/sched.h"

namespace sched::program {

struct Artifact {
  std::string built;  // lines of source, flag, argument and library
  FailureKind kind = FailureKind::kNone;
  std::string message;  // one line
  std::string found;    // as read: the kind that the line `fails` says; letters and dashes
  uint64_t steps = 0, hash = 0;
  Options options;  // what a `setup` line says
  bool has_schedule = false;
  std::vector<Choice> schedule;
};

std::string print(const Artifact& artifact);
// False, and *error says in which line: "line 7: ...". Reads the options and the schedule.
bool parse(const std::string& text, Artifact* artifact, std::string* error);

// "failure-data-race-1f00ab12.lastput"
std::string artifact_name(const Artifact& artifact, const std::string& text);

}  // namespace sched::program

#endif  // LASTPUT_SCHED_RUN_ARTIFACT_H_
