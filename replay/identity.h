// SPDX-License-Identifier: Apache-2.0
// When two failures are the same one.
#ifndef LASTPUT_REPLAY_IDENTITY_H_
#define LASTPUT_REPLAY_IDENTITY_H_

#include <map>
#include <string>
#include <vector>

#include "sched/sched.h"
#include "sched/symbolize.h"
#include "targets/program.h"

namespace replay {

// The guarantee, what noticed it, what the failing thread was doing, and where in the code under test.
// No line numbers, no threads, no objects: it survives edits elsewhere, and what is left out of a program.
struct Identity {
  std::string guarantee;  // "G2"; empty: none was named
  sched::FailureKind kind = sched::FailureKind::kNone;
  std::string misuse;     // of G10, which: "sum_below_one"
  std::string operation;  // "put"; of main "end the refs"; empty: none
  std::string function;   // "percpu::Ref::put"; empty: unknown
  bool operator==(const Identity&) const = default;
  auto operator<=>(const Identity&) const = default;
  // "G2 oracle, put, in percpu::Ref::put"
  std::string to_string() const;
};

// Asks for the names of functions once a stack. REQUIRES: outside an execution.
class Identifier {
 public:
  Identity identify(const sched::Failure& failure, const targets::Program& program,
                    targets::Kind kind);

 private:
  sched::Symbolizer symbolizer_;
  std::map<std::vector<uintptr_t>, std::string> functions_;  // by stack
};

}  // namespace replay

#endif  // LASTPUT_REPLAY_IDENTITY_H_
