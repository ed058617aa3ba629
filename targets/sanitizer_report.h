// SPDX-License-Identifier: Apache-2.0
// Reports of whatever sanitizer a program on real threads is compiled with; none is linked: nothing ever comes.
#ifndef LASTPUT_TARGETS_SANITIZER_REPORT_H_
#define LASTPUT_TARGETS_SANITIZER_REPORT_H_

#include <optional>
#include <string>

#include "targets/runtime_threads.h"

namespace targets {

struct SanitizerReport {
  std::string guarantee;  // "G7" for a race, "G8" for memory; "" if none is known
  std::string detector;   // "data-race", "leak", "sanitizer", "undefined-behavior"
  std::string words;      // the report's summary, without what differs from machine to machine
  std::optional<runtime::Place> place;  // of the thread that reported
};

// Calls on_death after a report, on the thread that made it, before the runtime ends the process; never where it goes on
// (halt_on_error=0). ThreadSanitizer holds its locks then: what is instrumented, or intercepted, may wait for ever. REQUIRES:
// on_death does not return.
void watch_sanitizers(void (*on_death)(const SanitizerReport& report));
// Whether there was a report; the first one. From any thread, whose order with the reporting one does not matter.
bool sanitizer_has_reported();
SanitizerReport sanitizer_report();
// The calling thread's, to stderr; with names and lines where a sanitizer is there to find them.
void print_own_stack();

}  // namespace targets

#endif  // LASTPUT_TARGETS_SANITIZER_REPORT_H_
