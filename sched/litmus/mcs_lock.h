// SPDX-License-Identifier: Apache-2.0
// A queue lock: each waiter spins on a word of its own.
// Source: J. M. Mellor-Crummey and M. L. Scott, "Algorithms for scalable synchronization on
// shared-memory multiprocessors", TOCS 9(1), 1991, section 2.4.
#ifndef LASTPUT_SCHED_LITMUS_MCS_LOCK_H_
#define LASTPUT_SCHED_LITMUS_MCS_LOCK_H_

#include <atomic>
#include <memory>
#include <thread>

#include "sched/litmus/weaken.h"

namespace litmus {

enum class McsDefect {
  kNone,
  kRelaxedHandover,  // what was done inside is not ordered before who waited
  kRelaxedRelease,   // nor before who finds the queue empty
  kRelaxedArrival,   // nor who finds it empty after it
  kRelaxedLink,      // the holder may write to a node that is not made yet
  kForgetsLate,      // takes an empty `next` for an empty queue: a late waiter waits for ever
};

template <McsDefect kDefect>
class McsLock {
  struct Node {
    std::atomic<Node*> next = nullptr;
    std::atomic<bool> waits = true;
  };

 public:
  // One acquisition: locked while it lives.
  class Guard {
   public:
    explicit Guard(McsLock& lock) : lock_(lock) {
      // sync[mcs_queue] acq_rel: who finds the queue empty sees what its last holder did; who finds
      // this node before its own finds it made.
      Node* const before =
          lock.tail_.exchange(node_.get(), kDefect == McsDefect::kRelaxedArrival ? kRel : kAcqRel);
      if (before == nullptr) return;
      // sync[mcs_link] release: the holder finds this node made, before it writes to it.
      before->next.store(node_.get(), relaxed_if(kDefect == McsDefect::kRelaxedLink, kRel));
      // sync[mcs_handover] acquire: what the holder did inside is visible.
      while (node_->waits.load(kAcq)) std::this_thread::yield();
    }
    Guard(const Guard&) = delete;
    Guard& operator=(const Guard&) = delete;
    ~Guard() {
      // sync[mcs_link] acquire: the next node is made.
      Node* next = node_->next.load(kAcq);
      if (next == nullptr) {
        Node* mine = node_.get();
        // sync[mcs_queue] release: what was done inside is visible to who finds the queue empty.
        // relaxed on failure: the link tells who is next.
        if (lock_.tail_.compare_exchange_strong(
                mine, nullptr, relaxed_if(kDefect == McsDefect::kRelaxedRelease, kRel), kRlx))
          return;
        if (kDefect == McsDefect::kForgetsLate) return;
        // sync[mcs_link] acquire: as above.
        while ((next = node_->next.load(kAcq)) == nullptr) std::this_thread::yield();
      }
      // sync[mcs_handover] release: what was done inside is visible to who waits.
      next->waits.store(false, relaxed_if(kDefect == McsDefect::kRelaxedHandover, kRel));
    }

   private:
    McsLock& lock_;
    // On the heap: compilers leave out the instrumentation of what a function writes to its own
    // variables before others can know of them.
    const std::unique_ptr<Node> node_ = std::make_unique<Node>();
  };

 private:
  std::atomic<Node*> tail_ = nullptr;
};

}  // namespace litmus

#endif  // LASTPUT_SCHED_LITMUS_MCS_LOCK_H_
