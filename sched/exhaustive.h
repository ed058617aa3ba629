// SPDX-License-Identifier: Apache-2.0
// Every execution of a body within bounds, up to the order of what does not conflict.
//
// Stateless search by dynamic partial-order reduction: source sets with sleep sets (Abdulla, Aronis,
// Jonsson, Sagonas, POPL 2014); under a bound of preemptions persistent sets with conservative points
// (Coons, Musuvathi, McKinley, OOPSLA 2013), since source and sleep sets rely on schedules that the bound
// forbids. What else is chosen in an execution (the store that a load returns, the place of a store in
// the order of its object, whom a wake-up wakes, sched::choose) is enumerated in full where it comes up.
//
//   bound         what is left out
//   ------------  ----------------------------------------------------------------------------------
//   preemptions   executions that take the turn from a thread that could go on more often than this
//   stale         more loads of old stores, and stores that come late, in one execution than this
//   timeouts      more deadlines in one execution that come while somebody could run than this
//   spurious      more wake-ups and weak compare-exchanges in one execution that fail for nothing
//   polls         a thread that has read the same value by the same instruction this often, and has
//                   written nothing meanwhile, waits until another thread has written, and then reads
//                   the newest; so does one that has yielded (fairness: Musuvathi, Qadeer, PLDI 2008)
//   always        memory that was freed is not used again; what memory.h says that it cannot show
//
// Limits: sched::choose answers 0; each thread has 4 MiB of heap (2 MiB with sched_wide); atomic objects of different sizes that overlap are taken for independent; without races
// (Options::races) plain accesses are points, with them a conflict is a failure anyway.
#ifndef LASTPUT_SCHED_EXHAUSTIVE_H_
#define LASTPUT_SCHED_EXHAUSTIVE_H_

#include <cstdint>
#include <string>

#include "sched/sched.h"

namespace sched {

inline constexpr uint32_t kUnbounded = UINT32_MAX;

struct Bounds {
  uint32_t preemptions = kUnbounded;
  uint32_t stale = kUnbounded;
  uint32_t timeouts = 0;
  uint32_t spurious = 0;
  uint32_t polls = 3;
  uint64_t steps = 20000;   // of one execution; what does not end by then is cut off
  uint64_t executions = 0;  // 0: any number
  double seconds = 0;       // 0: any time. Only for giving up.
};

struct ExhaustiveOptions {
  Bounds bounds;
  // races, weak_memory, leaks, fail_allocation, fails_allocations, on_failure and its context count; the rest is the search's.
  Options run;
  // False: no reduction; every turn of every thread that can run, but where preemptions have
  // no bound main, and each thread's begin and end, go first. For tests of the reduction, of programs whose
  // main does no more than start and join.
  bool reduce = true;
  void (*on_execution)(const Result&, void*) = nullptr;  // after each that ran to its end
  void* on_execution_context = nullptr;
  bool (*stop)(void*) = nullptr;  // asked before each execution: gives up when it answers true
  void* stop_context = nullptr;
};

// Which bounds left something out.
struct BoundsMet {
  bool preemptions = false, stale = false, timeouts = false, spurious = false, polls = false;
};

struct ExhaustiveResult {
  bool complete = false;  // all within the bounds; else gave_up says why not
  std::string gave_up;    // "executions", "seconds", "steps", "stopped", "a failure"; or a sentence
  BoundsMet met;
  uint64_t executions = 0;  // that were run
  uint64_t redundant = 0;   // of these, left when they turned out to be others over again
  uint64_t cut_off = 0;     // of these, that spent Bounds::steps
  uint64_t distinct = 0;  // of those that ended: by what each load read, and each object's order of
                          // stores, of lock operations and their like
  uint64_t points = 0;
  Result failure;  // verdict kFailed if one failed: that execution, run again by its choices
};

// MAY BLOCK: no. REQUIRES: as for run(); the body does the same in each execution of the same schedule.
ExhaustiveResult explore_all(void (*body)(void*), void* argument, const ExhaustiveOptions& options);

// For people: "at most 2 preemptions, ...". The bounds that left something out: "preemptions, polls", or "".
std::string describe_bounds(const Bounds& bounds, const Options& run);
std::string describe(const BoundsMet& met);

}  // namespace sched

#endif  // LASTPUT_SCHED_EXHAUSTIVE_H_
