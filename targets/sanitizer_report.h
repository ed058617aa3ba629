// SPDX-License-Identifier: Apache-2.0
// Reports of whatever sanitizer a program on real threads is compiled with; none is linked: nothing ever comes.
#ifndef LASTPUT_TARGETS_SANITIZER_REPORT_H_
#define LASTPUT_TARGETS_SANITIZER_REPORT_H_

#include <string>

namespace targets {

struct SanitizerReport {
  std::string guarantee;  // "G7" for a race, "G8" for memory; "" if none is known
  std::string detector;   // "data-race", "sanitizer", "undefined-behavior"
  std::string words;      // the report's summary, without what differs from machine to machine
};

// Calls on_death after a report, on the thread that made it, before the runtime ends the process. REQUIRES: on_death does not return.
void watch_sanitizers(void (*on_death)(const SanitizerReport& report));
// The last report's summary.
std::string sanitizer_words();
// The calling thread's, to stderr; with names and lines where a sanitizer is there to find them.
void print_own_stack();

}  // namespace targets

#endif  // LASTPUT_TARGETS_SANITIZER_REPORT_H_
