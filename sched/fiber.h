// SPDX-License-Identifier: Apache-2.0
// Fibers on borrowed threads: each logical thread runs on the stack, and with the thread pointer,
// of a parked pthread (its donor), so that thread_local, errno, exceptions and sanitizers see a
// thread.
//
// Two back ends make the same execution of the same schedule. Fibers: all on the caller's OS
// thread; a switch takes nanoseconds. OS threads: each logical thread on its donor itself, and a
// baton tells whose turn it is; a switch takes microseconds, but a debugger sees every thread with
// its stack.
#ifndef LASTPUT_SCHED_FIBER_H_
#define LASTPUT_SCHED_FIBER_H_

#include <pthread.h>

#include <cstddef>
#include <cstdint>

#include "sched/sched.h"

namespace sched {

struct Fiber {
  void* sp;                 // saved stack pointer while not running
  uint32_t baton;           // OS threads: 1 = this one's turn has come
  uint64_t thread_pointer;  // FS base of the donor
  pthread_t donor;
  uintptr_t stack_low, stack_top;  // usable part
  void* tls_at_start;  // the executable's, as the donor found it, a sanitizer's own part included
};

// Makes the donors of all logical threads, once a process (again in a fork child). Fibers' stacks
// lie at fixed addresses behind the heap.
void fibers_setup();
// The size of their stacks, guard included, up to kStackBytes; a whole number of pages. Small at first: an
// endless recursion is found sooner, and recorded faster. REQUIRES: before the first execution.
inline constexpr size_t kFirstStackBytes = 256u << 10;
void fibers_set_stack(size_t bytes);
void fibers_use_os_threads(bool yes);
extern Fiber fibers[kMaxThreads];
extern Fiber host;
inline Fiber& fiber(unsigned index) {
  return fibers[index];
}
inline Fiber& host_fiber() {
  return host;
}

// Prepares `f` to start in `entry` on a fresh stack, with the executable's TLS as at thread start.
void fiber_reset(Fiber& f, void (*entry)());
// Leaves `from` and goes on in `to`.
void fiber_switch(Fiber& from, Fiber& to);

// Where a fiber that was left goes on. REQUIRES: it has run, and is not running.
struct Suspended {
  uintptr_t pc, frame;
};
Suspended where_suspended(const Fiber& f);

inline uint64_t read_thread_pointer() {
  uint64_t value;
  asm("movq %%fs:0, %0" : "=r"(value));  // the ABI keeps the thread pointer at its own address
  return value;
}
void set_thread_pointer(uint64_t value);

// Whether a fault address lies in the guard below fiber `index`'s stack.
bool in_stack_guard(unsigned index, uintptr_t address);

}  // namespace sched

#endif  // LASTPUT_SCHED_FIBER_H_
