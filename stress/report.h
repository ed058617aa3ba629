// SPDX-License-Identifier: Apache-2.0
// What a failed soak says, and what it leaves: a folder with
//   report.txt    what broke, where the threads are, their last operations, the command to go on
//   options.json  scenario, seed, threads, build
//   rings.bin     the flight recorder as it was
//   program.lastput  of scenarios with long-lived refs: their last operations as a program (ring_program.h)
// under a temporary name until it is whole. The first thread that fails tells; the process ends with exit code 77.
#ifndef LASTPUT_STRESS_REPORT_H_
#define LASTPUT_STRESS_REPORT_H_

#include <memory>
#include <string>
#include <vector>

#include "stress/options.h"
#include "stress/recorder.h"
#include "stress/scenario.h"

namespace stress {

// What a failure is told from: set by main before the workers start.
struct Reported {
  const Options* options = nullptr;
  std::string scenario;
  const std::vector<std::unique_ptr<Worker>>* workers = nullptr;
  Recorder* recorder = nullptr;
  uint64_t origin = 0;  // ticks at the start
  double ticks_per_us = 1;
  std::string (*progress)() = nullptr;  // one line
};
extern Reported reported;
// From now on about this; {}: about nothing.
void report_about(const Reported& what);

struct Finding {
  std::string guarantee;  // "" if none is known
  std::string detector;   // "oracle", "sanitizer", "hang", ...
  std::string message;
  bool is_own = true;      // the thread that tells it is the one that failed
  bool has_stack = false;  // it has been printed
};
[[noreturn]] void end_with(const Finding& finding);

// From here on broken guarantees, reports of sanitizers, crashes end the process as above.
void watch_for_failures();
// What ThreadSanitizer has reported: the runtime goes on (halt_on_error=0), since it holds its locks when it would end the process. Ends
// it if there is something; told by any thread, while workers keep still as soon as they see it.
void end_if_sanitizer_reported();
// The calling thread is this worker from now on; null: none.
void be_worker(Worker* worker) noexcept;
Worker* own_worker() noexcept;

// The stacks of all threads of the process, each asked by a signal, and given a second to answer.
std::string stacks_of_all_threads();

}  // namespace stress

#endif  // LASTPUT_STRESS_REPORT_H_
