// SPDX-License-Identifier: Apache-2.0
// The memory model: which store a load returns. C++20 without load buffering (RC11: Lahav et al.,
// PLDI 2017), simulated forwards as in Relacy and C11Tester (Luo and Demsky, ASPLOS 2021): each atomic
// object keeps its latest stores in modification order; a load may return any of them, and a store may
// come before any of them, that neither coherence nor the order of seq_cst operations excludes. A
// read-modify-write is both: it may return an older store and come right after it.
//
// An access L by thread t may overlook a store W (return, or be, an older one) unless
//   coherence  some access of W, or its writing, happens before L, or is t's own;
//   S1         L is seq_cst, and so is some access of W;
//   S2         L is seq_cst, and some access of W happens before a seq_cst fence;
//   S3         some access of W is seq_cst, and was executed before a seq_cst fence that happens
//              before L;
//   S4         some access of W happens before a seq_cst fence Y, Y before a fence X, X before L.
// (C++20 [atomics.order] 4, with the order of execution as the order S.) Of a read-modify-write this
// says the same for both halves: what it returns and what it writes are neighbours. For the same
// reason nothing comes right before what a read-modify-write has written: sums are never lost, and a
// release sequence goes on from the store that was read.
// What this cannot show: load buffering; and what lies further back than kHistory stores.
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
  bool modifies;            // by a read-modify-write, of the store before it
  Clock seen[kMaxThreads];  // each thread's clock when it first read or wrote this; 0 = never
  Release release;
};

inline constexpr unsigned kHistory = 8;      // stores of an object that are kept
inline constexpr unsigned kMaxStaleRun = 6;  // then a thread sees the latest: stores become visible

// What each access runs through is defined, inline, in hot.h.
void memory_reset();
// The store that the memory holds. `value`: what it holds, in case something unseen has written it.
// REQUIRES for all that follows: called for this very access.
Store& latest_store(Loc* loc, uint64_t value);

// An age is the number of stores of the object that are newer. Where several are possible these are
// choices of the schedule.
uint32_t choose_read(Loc* loc, bool seq_cst);    // of the store that a load returns
uint32_t choose_modify(Loc* loc, bool seq_cst);  // of the store that a read-modify-write returns
uint32_t choose_write(Loc* loc, bool seq_cst);   // that a store is to have
// Of the store that a compare-exchange returns: one that holds `expected` it modifies, any other it
// reads. `failure_seq_cst`: the order of a mere read.
uint32_t choose_compare(Loc* loc, uint64_t expected, bool seq_cst, bool failure_seq_cst);

Store& store_of_age(Loc* loc, uint32_t age);
// A new store by the current thread, of that age, with an empty `release`. The store that it comes
// after is kept: it is the one of age + 1 now. REQUIRES: age 0, or one that was chosen.
Store& insert_store(Loc* loc, uint32_t age, uint64_t value, bool seq_cst, bool modifies);
void mark_seen(Loc* loc, Store& store, bool seq_cst);
// Whether the current thread has seen the latest store; true if nothing is known of the object.
bool latest_is_seen(const Loc* loc);
void seq_cst_fence();

}  // namespace sched

#endif  // LASTPUT_SCHED_MEMORY_H_
