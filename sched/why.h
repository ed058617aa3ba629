// SPDX-License-Identifier: Apache-2.0
// Why an execution fails: from which choice on failure is certain, what has to come before what, and
// whether weak memory is at fault. Answers by running the program again, many times.
#ifndef LASTPUT_SCHED_WHY_H_
#define LASTPUT_SCHED_WHY_H_

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "sched/consistency.h"
#include "sched/sched.h"

namespace sched {

// A failure that is asked about.
struct FailingSchedule {
  // One execution of the program under these options.
  std::function<Result(const Options&)> execute;
  Options options;               // what all executions have in common; neither choices nor bytes
  std::vector<Choice> schedule;  // fails
  // What operation `op` of a thread is called ("put ref0"); may be empty.
  std::function<std::string(const std::string& thread, uint32_t op)> operation;
  std::string
      harness;  // files whose names begin so are not the code under test; "": there are none
};

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
  uint64_t certain_step = 0;   // Step::index at the last of these; 0 where there is none
  std::string certain_choice;  // that, in words: "T1, in put ref0, gives way to T2"; may be empty
  unsigned fail_with = 0, fail_without = 0;  // of kContinuations, with that choice and up to it
  unsigned failing = 0, passing = 0;         // executions looked at
  std::vector<Condition> conditions;         // few; together they tell the ones from the others
  MemoryNeeded memory = MemoryNeeded::kSequential;
  std::vector<std::string> last_reads;  // what the failing thread read last, and who wrote it
  std::string words;                    // all of it, for a person; empty: it did not fail
};
inline constexpr unsigned kContinuations = 100;

// Same question, same answer. REQUIRES: outside an execution.
Why explain_why(const FailingSchedule& failing);

// As a replay prints it; ends with a newline.
std::string print_why(const Why& why);

// Where a debugger should stop first, and what to say there, on one line.
struct Inflection {
  uint64_t step = 0;  // Step::index; 0: there is no such point before the failure
  std::string words;
};
Inflection inflection_of(const Why& why);

}  // namespace sched

#endif  // LASTPUT_SCHED_WHY_H_
