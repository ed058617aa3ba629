// SPDX-License-Identifier: Apache-2.0
// The heap of an execution: a bump allocator at a fixed address, so that the same program sees the
// same pointers in every run. Whether an allocation gets one of the latest freed blocks of its size
// is a choice of the schedule: fresh memory shows every use after free, reuse shows ABA.
#ifndef LASTPUT_SCHED_ARENA_H_
#define LASTPUT_SCHED_ARENA_H_

#include <cstddef>
#include <cstdint>

namespace sched {

struct Block {
  uintptr_t address;  // of the payload
  size_t size;
  uint32_t number;  // the n-th allocation of the execution, from 1
  bool live;
};

// What the C library allocates for itself (the buffer of a stream, the names of time zones) it keeps from
// one execution to the next. Where it is code under test that calls for that, set this to the library's
// text: allocations called from there are real ones. Empty at first.
struct TextRange {
  uintptr_t base;
  size_t bytes;
  bool holds(uintptr_t pc) const { return pc - base < bytes; }
};
extern TextRange library_text;

void arena_reset();
// The n-th allocation from here on fails (fail_allocation in sched.h).
void arena_fail(uint32_t n);
// Null when Options::fail_allocation or arena_fail names this allocation. Contents are 0xcd. Fails the execution
// when the arena is full.
void* arena_allocate(size_t size, size_t alignment);
// Checks that it is live and that every earlier access happens-before; then poisons it.
void arena_free(void* pointer);
size_t arena_size(const void* pointer);
uint32_t arena_allocations();
uint32_t arena_live_blocks();
// The block that `address` lies in, or just before or behind; null if none.
const Block* arena_find(uintptr_t address);
const Block* arena_first_live();

}  // namespace sched

#endif  // LASTPUT_SCHED_ARENA_H_
