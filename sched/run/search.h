// SPDX-License-Identifier: Apache-2.0
// Runs the program again and again, each time under another schedule, until one fails or time is up.
//
// Schedules: those of schedule_of_search() (sched/search.h). An execution that spends Settings::points goes
// on fairly; if that does not end either, it is a livelock. An exhaustive search takes every execution
// instead; one that spends them is cut off, and the end says so.
//
// Output, all of it on our own standard output, whatever the program does to its own: a line that says
// what is run, progress, notes, the failure, "replay: ...", "SUMMARY: ...", and at last "executions: N".
#ifndef LASTPUT_SCHED_RUN_SEARCH_H_
#define LASTPUT_SCHED_RUN_SEARCH_H_

#include <cstdint>
#include <string>
#include <vector>

namespace sched::program {

struct Settings {
  std::string name;   // of the program, for people
  std::string words;  // the flags as given, for people
  std::string built;  // what it is built of (artifact.h)
  double seconds = 10;
  uint64_t executions = 0;  // at most; 0: as time allows
  uint64_t seed = 1;
  bool races = true;
  bool weak_memory = true;
  uint64_t points = 20000;
  uint64_t fair_points = 1'000'000;
  std::string artifacts = "./";  // folder, with its slash
  unsigned jobs = 1;             // processes
  std::string json;              // file for the summary; empty: none
  bool exhaustive =
      false;  // every execution within the bounds below, in one process (exhaustive.h)
  uint32_t preemptions = UINT32_MAX, stale = UINT32_MAX;  // UINT32_MAX: any number
  bool color = false;
  bool has_wider = false;  // there is a library for more threads
  bool goes_on = false;    // with that library: what is run has been said
};

// What both need in this process, before its first execution. Watched: an execution that stalls is ended (watchdog.h),
// which under a debugger would be each that a person looks at.
void prepare(bool watched);

// How a program of ours ends.
inline constexpr int kClean = 0, kUnreadable = 1, kBroken = 2, kMissing = 3, kFound = 77;
// For the driver alone: to be linked with the wider library, and started again.
inline constexpr int kTooNarrow = 76;

// ERRORS: kFound, a schedule failed; kBroken, the engine does not control what the program does; kTooNarrow.
int search(const Settings& settings);

struct ReplaySettings {
  std::string name;  // of the program, for people
  std::string file;
  unsigned times = 1;
  bool all_steps = false;
  bool timeline = false;  // what matters, of the whole execution
  bool color = false;
  std::string page;  // file; empty: none
  bool why = true;
  bool minimize = false;
  double seconds = 60;  // of minimizing, at most
  // Arguments of this program, but for the artifact's, where it is started once more on OS threads.
  std::vector<std::string> again;
  bool debug = false;  // under gdb, at the inflection point
  std::string rr;      // folder of a recording by rr; empty: none
  bool for_debugger = false;
};
// Runs an artifact of search() again, with the program's output shown.
int replay(const ReplaySettings& settings);

}  // namespace sched::program

#endif  // LASTPUT_SCHED_RUN_SEARCH_H_
