// SPDX-License-Identifier: Apache-2.0
// What is written down of an execution: in the recording run every step and the stack of every
// access, so that a failure can show both sides; in the fast run nothing.
#ifndef LASTPUT_SCHED_RECORDER_H_
#define LASTPUT_SCHED_RECORDER_H_

#include <cstddef>
#include <cstdint>

#include "sched/sched.h"

namespace sched {

void recorder_reset();
void record_step(StepKind kind, uintptr_t address, unsigned size, int order, uint64_t before,
                 uint64_t value, uintptr_t pc, uint32_t age = 0);
void record_heap(StepKind kind, uintptr_t address, size_t size);
void record_note(const char* text);
// Remembers the stack of an access, to be shown if it turns out to be the other side of a failure.
void record_access(uintptr_t address, unsigned size, bool writes, bool atomic);
// A departure from the default schedule by the current thread.
void record_choice(uint32_t thread, uint32_t op, uint32_t point, uint32_t to);
// The same where no thread was chosen: `number` is not 0.
void record_departure(uint32_t thread, uint32_t op, uint32_t point, uint32_t number);
// Resolves names; moves the recording out.
Recording recorder_take();
const Recording& recorder_finish();

void name_range(uintptr_t address, size_t size, const char* name);
// "ref0+8", "heap#3+16", "stack of T1", "symbol+4".
std::string describe_address(uintptr_t address);
// Return addresses of the caller's frames, by frame pointers.
std::vector<uintptr_t> capture_stack(void* frame);
// The same by unwind tables, which know the way through the C and C++ libraries. REQUIRES: an intact stack.
std::vector<uintptr_t> unwind_stack();
// By frame pointers, of a thread that has run and is not the current one.
std::vector<uintptr_t> capture_stack_of(uint32_t thread);

// Failures found by the shadow: they add the stacks of both sides where recorded.
[[noreturn]] void fail_race(uintptr_t address, unsigned size, const char* mine, uint32_t other,
                            const char* theirs, bool is_free);
[[noreturn]] void fail_heap(uintptr_t address, unsigned size, bool writes, bool freed);
void add_leak_stacks();

}  // namespace sched

#endif  // LASTPUT_SCHED_RECORDER_H_
