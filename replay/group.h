// SPDX-License-Identifier: Apache-2.0
// Which bug a failure is: what stays the same when line numbers, schedules and addresses change.
#ifndef LASTPUT_REPLAY_GROUP_H_
#define LASTPUT_REPLAY_GROUP_H_

#include <compare>
#include <string>

#include "sched/symbolize.h"
#include "targets/text.h"

namespace replay {

// What the same failures have in common.
struct Group {
  std::string guarantee;  // "G2"; empty: of a program that names none
  std::string kind;       // "guarantee", "data-race", ...
  std::string misuse;     // of G10, which: "put_below_zero"
  std::string operation;  // of the failing thread: "put"; "" where there is none
  std::string frame;      // the topmost function of the code under test; "": not known
  auto operator<=>(const Group&) const = default;
};

// Asks `symbolizer` for the frames of the failure's stack. REQUIRES: outside an execution.
Group group_of(const sched::Failure& failure, const targets::Program& program, targets::Kind kind,
               sched::Symbolizer& symbolizer);

// Of a program's failure, by the last words of its replay: "SUMMARY: lastput: data-race in f file.c:3".
// False: there are no such words.
bool group_of_summary(const std::string& output, Group* group);

// "G2 (release while held), guarantee, in put: percpu::Ref::put_shared"
std::string in_words(const Group& group);

}  // namespace replay

#endif  // LASTPUT_REPLAY_GROUP_H_
