// SPDX-License-Identifier: Apache-2.0
// Which bug a failure is: what stays the same when line numbers, schedules and addresses change.
#ifndef LASTPUT_REPLAY_IDENTITY_H_
#define LASTPUT_REPLAY_IDENTITY_H_

#include <compare>
#include <string>

#include "replay/rerun.h"
#include "targets/text.h"

namespace replay {

struct Identity {
  std::string guarantee;  // "G2"; empty: of a program that names none
  std::string kind;       // "oracle", "data-race", ...
  std::string
      operation;      // of the failing thread, without its arguments: "put"; "" where there is none
  std::string frame;  // the topmost function of the code under test; "": not known
  auto operator<=>(const Identity&) const = default;
};

// REQUIRES: outcome.failed, with its failure.
Identity identity_of(const targets::Artifact& artifact, const Outcome& outcome);

// Of a program's failure, by the last words of its replay: "SUMMARY: lastput: data-race in f file.c:3".
// False: there are no such words.
bool identity_of_summary(const std::string& output, Identity* identity);

// "G2 (release while held), oracle, in put: percpu::Ref::put_shared"
std::string in_words(const Identity& identity);

}  // namespace replay

#endif  // LASTPUT_REPLAY_IDENTITY_H_
