// SPDX-License-Identifier: Apache-2.0
// Signals while logical threads run: a fatal one becomes a verdict; SIGALRM (the fuzzer's watchdog)
// is handed on with the host's thread pointer.
#ifndef LASTPUT_SCHED_SIGNALS_H_
#define LASTPUT_SCHED_SIGNALS_H_

namespace sched {
// Takes the handlers; keeps those that were there for signals outside executions. Once a process.
void signals_setup();
// For a thread that logical threads may run on: a stack for handlers, and no signal but fatal ones.
void signals_setup_donor();
}  // namespace sched

#endif  // LASTPUT_SCHED_SIGNALS_H_
