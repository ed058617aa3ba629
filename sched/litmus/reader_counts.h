// SPDX-License-Identifier: Apache-2.0
// Readers counted in two phases, and a wait until those that were reading have stopped: then what
// was unlinked before may be freed. The second phase keeps a stream of readers from holding up the
// wait for ever.
// Source: the counter pairs of sleepable RCU (P. E. McKenney, LWN 202847, 2006), on one CPU.
#ifndef LASTPUT_SCHED_LITMUS_READER_COUNTS_H_
#define LASTPUT_SCHED_LITMUS_READER_COUNTS_H_

#include <atomic>
#include <thread>

#include "sched/litmus/weaken.h"

namespace litmus {

enum class ReaderCountsDefect {
  kNone,
  kNoLookBefore,   // looks at the old phase only: misses a reader that took it before it was old
  kNoLookAfter,    // looks at the other phase only: misses readers of this one
  kNoReaderFence,  // the reader may see the old pointer though its count is seen 0
  kNoWriterFence,  // the same, by the writer's fault
  kRelaxedLeave,   // what was read is not ordered before the free
  kRelaxedWait,    // the same, by the writer's fault
  kNoWait,         // frees at once
  kFlagForCount,   // enters by a store: two readers count as one
};

template <ReaderCountsDefect kDefect>
class ReaderCounts {
 public:
  // Begins a reader; what it answers is for leave.
  unsigned enter() {
    // relaxed: either phase is right, since a wait sees both of them 0.
    const unsigned phase = phase_.load(kRlx);
    if (kDefect == ReaderCountsDefect::kFlagForCount)
      counts_[phase].store(1, kRlx);
    else
      counts_[phase].fetch_add(1, kRlx);
    // sync[reader_counts] seq_cst: either the wait sees this count raised, or the reader sees what
    // was changed before the wait; otherwise it reads what is freed.
    fence_unless(kDefect == ReaderCountsDefect::kNoReaderFence, kSc);
    return phase;
  }
  void leave(unsigned phase) {
    // sync[reader_leave] release: what was read is read before a wait finds the count 0.
    constexpr auto kOrder = relaxed_if(kDefect == ReaderCountsDefect::kRelaxedLeave, kRel);
    if (kDefect == ReaderCountsDefect::kFlagForCount)
      counts_[phase].store(0, kOrder);
    else
      counts_[phase].fetch_sub(1, kOrder);
  }

  // Returns when every reader has left that may have seen what was changed before the call.
  // REQUIRES: one caller at a time.
  void wait_for_readers() {
    if (kDefect == ReaderCountsDefect::kNoWait) return;
    // sync[reader_counts] seq_cst: see enter.
    fence_unless(kDefect == ReaderCountsDefect::kNoWriterFence, kSc);
    // relaxed: only the wait writes it, and either phase is right.
    const unsigned phase = phase_.load(kRlx);
    if (kDefect != ReaderCountsDefect::kNoLookBefore) wait_for_phase(1 - phase);
    phase_.store(1 - phase, kRlx);
    if (kDefect != ReaderCountsDefect::kNoLookAfter) wait_for_phase(phase);
  }

 private:
  void wait_for_phase(unsigned phase) {
    // sync[reader_leave] acquire: what readers read is read before what the caller does next.
    while (counts_[phase].load(relaxed_if(kDefect == ReaderCountsDefect::kRelaxedWait, kAcq)) != 0)
      std::this_thread::yield();
  }

  std::atomic<unsigned> counts_[2] = {0, 0};
  std::atomic<unsigned> phase_ = 0;
};

}  // namespace litmus

#endif  // LASTPUT_SCHED_LITMUS_READER_COUNTS_H_
