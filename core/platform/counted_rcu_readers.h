// SPDX-License-Identifier: Apache-2.0
// RcuReaders on ReaderCounts: RCU in plain C++20.
//
// Why a grace period waits for every reader that matters: a reader raises its count, then comes its
// fence, then it loads pointers; who unlinks stores to a pointer, then comes the grace period's
// fence, then the loads of the counts. One of the fences is first in the one total order. If it is
// the reader's, the grace period sees the raised count, and waits (U1); if it is the grace
// period's, the reader sees the pointer changed (U2). Violated, a reader looks at what was freed.
//
// Fences rather than operations, because the operations in question are the program's. Thread
// sanitizers lose nothing by it: what they have to know, that a reader's end comes before the grace
// period's, is told by operations (sync[leave]).
#ifndef PERCPU_CORE_PLATFORM_COUNTED_RCU_READERS_H_
#define PERCPU_CORE_PLATFORM_COUNTED_RCU_READERS_H_

#include <atomic>

#include "reader_counts.h"

namespace percpu {
inline namespace PERCPU_PLATFORM {
namespace platform {

// The RCU readers of one domain.
class RcuReaders {
 public:
  // REQUIRES: 1 <= cpus. ERRORS: std::bad_alloc.
  RcuReaders(unsigned cpus, ReaderCounts::CpuIndex cpu_index, void* cpu_index_context)
      : counts_(cpus, cpu_index, cpu_index_context) {}

  // Begins a reader. What it answers is for leave.
  void* enter() noexcept {
    ReaderCounts::Count& entered = counts_.enter(counts_.current_cpu());
    // sync[reader] seq_cst: the raised count comes before the reader's loads in the one total
    // order; otherwise a grace period and a reader miss each other.
    std::atomic_thread_fence(std::memory_order_seq_cst);
    return &entered;
  }
  void leave(void* entered) noexcept {
    ReaderCounts::leave(*static_cast<ReaderCounts::Count*>(entered));
  }
  // Returns when every reader has left that entered before the call. MAY BLOCK.
  // REQUIRES: one caller at a time, itself no reader.
  void wait_for_grace_period() noexcept {
    // sync[reader] seq_cst: what was unlinked before comes before the loads of the counts; see
    // above.
    std::atomic_thread_fence(std::memory_order_seq_cst);
    counts_.wait_for_readers();
  }

  // For fork_watch.h. Each domain has counts of its own, without a lock. In a child, counts that
  // threads of the parent have raised stay raised: there, no grace period of that domain ends.
  static void hold_for_fork() noexcept {}
  static void resume_after_fork(bool /*in_child*/) noexcept {}
  static bool available() noexcept { return true; }

 private:
  ReaderCounts counts_;
};

}  // namespace platform
}  // namespace PERCPU_PLATFORM
}  // namespace percpu

#endif  // PERCPU_CORE_PLATFORM_COUNTED_RCU_READERS_H_
