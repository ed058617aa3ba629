// SPDX-License-Identifier: Apache-2.0
// What the harness needs from whatever runs it. Two implementations, chosen at link time:
// runtime_sched.cc (the deterministic engine) and runtime_threads.cc (real threads). Neither orders
// anything between threads.
#ifndef LASTPUT_TARGETS_RUNTIME_H_
#define LASTPUT_TARGETS_RUNTIME_H_

#include <cstddef>
#include <cstdint>

namespace targets::runtime {

// The calling thread begins its operation `index` (from 1; 0 is what comes before).
void begin_op(uint32_t index);
// Names the next thread that the caller creates; the thread itself says the same name again (real
// threads can only name themselves). 15 characters at most.
void name_next_thread(const char* name);
void name_thread(const char* name);
// Names [address, address + size) in what is told about a failure.
void name_object(const void* address, size_t size, const char* name);
// As many yields let everybody who can run get as far as he likes; 0: no number of them does.
unsigned enough_yields();
// From one run of a manager to the next. Virtual time: far more than the looks at a clock in a run take,
// or the next would always be due. Real threads: about as long as a program.
uint64_t scan_interval_ns();
// The n-th allocation from here on fails, of whatever thread; n is 1 to kMaxFailAllocation. Real threads: none does.
void fail_allocation(uint32_t n);
// A line for the record of the execution.
void note(const char* text);
// The guarantee ("G1") is broken. Real threads: prints both and aborts.
[[noreturn]] void fail(const char* guarantee, const char* message);

}  // namespace targets::runtime

#endif  // LASTPUT_TARGETS_RUNTIME_H_
