// SPDX-License-Identifier: Apache-2.0
// Why an execution fails: from which choice on failure is certain, what has to come before what, and
// whether weak memory is at fault.
#ifndef LASTPUT_REPLAY_WHY_H_
#define LASTPUT_REPLAY_WHY_H_

#include <cstdint>
#include <string>
#include <vector>

#include "sched/consistency.h"
#include "targets/execute.h"
#include "targets/text.h"

namespace replay {

// Something that an execution does or does not: one step comes before another of another thread on the same
// object, or a load overlooks the newest store.
struct Condition {
  std::string
      text;  // "T2 writes ref0 (op 1, kill ref0, ref_modes.cc:188) before T1 reads it (...)"
  unsigned failing = 0;  // of the failing executions looked at, how many have it: all
  unsigned passing = 0;  // of those that do not fail, how many have it all the same
};

struct Why {
  // Choices of the schedule after which no continuation passed; 0: none is needed. choices + 1: not even
  // all of them, but what comes by itself.
  size_t certain_after = 0;
  std::string
      certain_choice;  // the last of these, as print_choice has it; empty where there is none
  unsigned fail_with = 0, fail_without = 0;  // of kContinuations, with that choice and up to it
  unsigned failing = 0, passing = 0;         // executions looked at
  std::vector<Condition> conditions;         // few; together they tell the ones from the others
  sched::MemoryNeeded memory = sched::MemoryNeeded::kSequential;
  std::vector<std::string> last_reads;  // what the failing thread read last, and who wrote it
  std::string words;                    // all of it, for a person
};
inline constexpr unsigned kContinuations = 100;

// `body` runs its program. REQUIRES: `artifact` has one schedule, and fails by it. Same artifact, same
// answer.
Why explain_why(const targets::Artifact& artifact, targets::Body body);

// As `replay` prints it; ends with a newline.
std::string print_why(const Why& why);

}  // namespace replay

#endif  // LASTPUT_REPLAY_WHY_H_
