// SPDX-License-Identifier: Apache-2.0
// The memory model: which store a load returns. C++20 without load buffering (RC11: Lahav et al.,
// PLDI 2017), simulated forwards as in Relacy and C11Tester (Luo and Demsky, ASPLOS 2021): each atomic
// object keeps its latest stores in modification order; a load may return any of them, and a store may
// come before any of them, that neither coherence nor the order of seq_cst operations excludes.
//
// A load or store L by thread t may overlook a store W (return, or be, an older one) unless
//   coherence  some access of W, or its writing, happens before L, or is t's own;
//   S1         L is seq_cst, and so is some access of W;
//   S2         L is seq_cst, and some access of W happens before a seq_cst fence;
//   S3         some access of W is seq_cst, and was executed before a seq_cst fence that happens
//              before L;
//   S4         some access of W happens before a seq_cst fence Y, Y before a fence X, X before L.
// (C++20 [atomics.order] 4, with the order of execution as the order S.) A read-modify-write reads the
// latest store and comes right after it, so a store does not come right before what one has written.
// What this cannot show: load buffering; and a read-modify-write that comes before a store which was
// executed earlier (as when a relaxed store publishes an object that was stored to before).
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
  uint32_t sc_index;        // of its first seq_cst access, among all seq_cst operations; 0 = none
  bool modifies;            // by a read-modify-write
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
// A store by the current thread, with an empty `release`, as the latest one, or as an older one: a
// choice of the schedule where it may be that. `age`: how many stores of the object are newer.
Store& append_store(Loc* loc, uint64_t value, bool seq_cst);
Store& place_store(Loc* loc, uint64_t value, bool seq_cst, uint32_t* age);
void mark_seen(Store& store, bool seq_cst);
// Whether the current thread has seen the latest store; true if nothing is known of the object.
bool latest_is_seen(const Loc* loc);
void seq_cst_fence();

}  // namespace sched

#endif  // LASTPUT_SCHED_MEMORY_H_
