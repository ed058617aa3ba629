// SPDX-License-Identifier: Apache-2.0
// The memory model: which store a load returns. C++20 without load buffering (RC11: Lahav et al.,
// PLDI 2017), simulated forwards as in Relacy and C11Tester (Luo and Demsky, ASPLOS 2021): each atomic
// object keeps its latest stores in modification order, which is the order of execution; a load may
// return any of them that neither coherence nor the order of seq_cst operations excludes.
//
// A load L by thread t may overlook a store W (return an older one) unless
//   coherence  some access of W, or its writing, happens before L, or is t's own;
//   S1         L and W are seq_cst;
//   S2         L is seq_cst, and some access of W happens before a seq_cst fence;
//   S3         W is seq_cst, and was executed before a seq_cst fence that happens before L;
//   S4         some access of W happens before a seq_cst fence Y, Y before a fence X, X before L.
// (C++20 [atomics.order] 4, with the order of execution as the order S.) A read-modify-write always
// reads the latest store. What this cannot show: load buffering, and a modification order that differs
// from the order of execution (2+2W).
#ifndef LASTPUT_SCHED_MEMORY_H_
#define LASTPUT_SCHED_MEMORY_H_

#include <cstdint>

#include "sched/clock.h"

namespace sched {

struct Loc;

// What the reader of a store learns, if it acquires.
struct Release {
  bool has;
  Epoch releaser;  // if not 0, `clock` is that thread's whole clock at that time
  VectorClock clock;
};

struct Store {
  uint64_t value;
  Epoch writer;
  uint32_t sc_index;        // place among the seq_cst operations; 0 = none
  Clock seen[kMaxThreads];  // each thread's clock when it first read or wrote this; 0 = never
  Release release;
};

inline constexpr unsigned kHistory = 8;      // stores of an object that loads may still return
inline constexpr unsigned kMaxStaleRun = 6;  // then a thread sees the latest: stores become visible

void memory_reset();
// The store that the memory holds. `value`: what it holds, in case something unseen has written it.
Store& latest_store(Loc* loc, uint64_t value);
// The store that a load returns; a choice of the schedule where there are several. `age`: how many
// stores of the object are newer.
Store& choose_store(Loc* loc, uint64_t value, bool seq_cst, uint32_t* age);
// Appends a store by the current thread; its `release` is empty.
Store& append_store(Loc* loc, uint64_t value, bool seq_cst);
void mark_seen(Store& store);
void seq_cst_fence();

}  // namespace sched

#endif  // LASTPUT_SCHED_MEMORY_H_
