// SPDX-License-Identifier: Apache-2.0
// Where a debugger stops an execution. Names and parameters are what gdb/replay.py knows of the engine.
#ifndef LASTPUT_SCHED_DEBUGGER_H_
#define LASTPUT_SCHED_DEBUGGER_H_

#include <cstdint>

extern "C" {

// The debugger sets it: a recorded execution (Options::record_always) calls lastput_stopped_at_step at the
// first step with this index or a later one, on the stack of the thread whose step it is, the engine
// inactive. 0: never.
extern volatile uint64_t lastput_stop_at;
// Do nothing: a breakpoint stands in them.
void lastput_stopped_at_step(uint64_t index);
// The execution that is told has failed; the failing thread's stack is below.
void lastput_stopped_at_failure();
}

#endif  // LASTPUT_SCHED_DEBUGGER_H_
