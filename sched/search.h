// SPDX-License-Identifier: Apache-2.0
// Many schedules of one body, until one fails; that one told to people, kept as text, and run again.
//
//   a GoogleTest        const sched::SearchResult found = sched::search(body);
//                       EXPECT_FALSE(found.failed()) << sched::describe(found);
//   a program           int main(int argc, char** argv) { return sched::search_main(argc, argv, body); }
//   a libFuzzer target  sched::run_or_abort(body, options);  // in LLVMFuzzerTestOneInput
//
// All of it is deterministic, as run() is. Thread safety: that of run(). In the library sched_report.
#ifndef LASTPUT_SCHED_SEARCH_H_
#define LASTPUT_SCHED_SEARCH_H_

#include <cstdint>
#include <string>
#include <vector>

#include "sched/sched.h"

namespace sched {

// The n-th schedule of a search, from 0. The first is the default one, without preemptions, which fills
// `*profile`; those after it make use of that, each with a seed of its own, by the strategies in turn
// (mix_strategies). All else is as in `base`, whose seed is the search's.
Options schedule_of_search(const Options& base, uint64_t n, Profile* profile);

struct SearchResult {
  uint64_t executions = 0;  // that ran, the failing one included
  uint64_t points = 0;      // scheduling points of all of them
  uint64_t cut_off = 0;     // how many spent their step budget, and ended under a fair schedule
  Options options;  // of the last one, but for what it knew of those before (Options::profile)
  // Of the last one; if it failed, with its recording. The failure names a guarantee only if fail() did.
  Result result;
  bool failed() const { return result.verdict == Verdict::kFailed; }
};

inline constexpr uint64_t kSearchExecutions = 10'000;

// At most so many schedules; ends with the first that fails.
SearchResult search(const Body& body, const Options& base = {},
                    uint64_t executions = kSearchExecutions);

// The failure for a person (report.h), and its choices; nothing if none failed. Lines, the last one ended.
std::string describe(const SearchResult& found);

// One schedule again: `choices` of a recording, all else as in `base`. A failure comes as from
// search().
Result replay(const Body& body, const std::vector<Choice>& choices, const Options& base = {});

// Choices as text: "main.1 op 0 point 5 -> main.2".
std::string print_choice(const Choice& choice);
// ERRORS: false, and *choice is unspecified.
bool parse_choice(const std::string& text, Choice* choice);

// A whole program around a body. Takes its flags from the command line:
//
//   --executions=N   how many schedules at most, one or more (kSearchExecutions)
//   --seed=N         of the search (base.seed)
//   --keep=FILE      where a failing schedule is written: its choices, one a line ("failure.sched")
//   --replay=FILE    no search: that schedule again, told with all its steps
//   --os-threads     each logical thread on an OS thread of its own: for debuggers
//
// Prints the seed, what failed and the command that replays it, and last "executions: N". Returns the exit code: 0,
// nothing failed; 1, usage, or a file that cannot be read; 2, the engine does not do what the body needs
// (engine-limit), or the file cannot be written; 77, a failure.
int search_main(int argc, char** argv, const Body& body, const Options& base = {});

// One execution of a fuzz target. A failure is told on stderr, and ends the process by abort() on the failing
// thread's own stack, so that the fuzzer keeps the input, and tells failures apart by their frames.
void run_or_abort(const Body& body, const Options& options);

}  // namespace sched

#endif  // LASTPUT_SCHED_SEARCH_H_
