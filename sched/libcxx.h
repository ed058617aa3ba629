// SPDX-License-Identifier: Apache-2.0
// libc++ under the engine. Its library holds functions that synchronise, compiled without
// instrumentation; these are ours instead, by their names, which are part of its ABI (version 1: the same
// from libc++ 14 on). Whatever library the engine itself is built with, a program of libc++ finds them.
//
//   of libc++                                     here
//   --------------------------------------------  ------------------------------------------------
//   weak_ptr::lock, the weak count of shared_ptr  the same again, instrumented (libcxx_members.cc)
//   call_once; barrier's arrivals                 written anew, instrumented (the same)
//   promise<void>, future<void>, shared_future    the library's; its last reference is dropped by
//     <void>                                        instrumented code, so that its releases are seen
//   atomic wait and notify: semaphores, latches   the engine's own waits (interpose_libcxx.cc)
//   mutexes, condition variables, threads, time   pthreads and clocks, which are interposed on
//   what threads leave to their end               a pthread key, made before the first execution
//
// What is still not seen: counts of exception_ptr, synchronized_pool_resource, what future does at
// thread exit. A store there counts as a release, a load as an acquire of everything (memory.cc).
// Linked statically, the library's own definitions collide with these: link with -Wl,-z,muldefs; then
// all but promise<void> and future<void> work, which say so.
#ifndef LASTPUT_SCHED_LIBCXX_H_
#define LASTPUT_SCHED_LIBCXX_H_

namespace sched {

// For libcxx_members.cc, which is instrumented and so knows nothing else of the engine.
//
// Waits until somebody calls end_once for `flag`, whose present value the caller has seen; returns at
// once if it has not. May return for nothing. Outside executions the processor is yielded.
void wait_for_once(const volatile unsigned long* flag);
void end_once(const volatile unsigned long* flag);

}  // namespace sched

#endif  // LASTPUT_SCHED_LIBCXX_H_
