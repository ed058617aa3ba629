// SPDX-License-Identifier: Apache-2.0
// Mutual exclusion of two threads, where who must give way steps back; with fences only.
// Source: T. J. Dekker's algorithm, in E. W. Dijkstra, "Cooperating sequential processes" (EWD 123).
#ifndef LASTPUT_SCHED_LITMUS_DEKKER_H_
#define LASTPUT_SCHED_LITMUS_DEKKER_H_

#include <atomic>
#include <thread>

#include "sched/litmus/weaken.h"

namespace litmus {

enum class DekkerDefect {
  kNone,
  kNoFences,        // both may miss the other's wish
  kNoFenceOfOne,    // one fence of the two orders nothing
  kNoAgainFence,    // who wishes again after stepping back needs the fence again
  kNoReleaseFence,  // what was done inside is not ordered before who comes next
  kNoAcquireFence,  // nor what the next does after it
  kTurnAfterFence,  // the turns are in no order: one may wait for ever for a turn that is past
};

template <DekkerDefect kDefect>
class Dekker {
 public:
  // `me` is 0 or 1, here and below.
  void lock(unsigned me) {
    const unsigned other = 1 - me;
    wish(me,
         kDefect == DekkerDefect::kNoFences || (kDefect == DekkerDefect::kNoFenceOfOne && me == 1));
    // relaxed: the fences order all that is loaded and stored in here.
    while (wishes_[other].load(kRlx)) {
      if (turn_.load(kRlx) == me) {
        std::this_thread::yield();
        continue;
      }
      wishes_[me].store(false, kRlx);
      while (turn_.load(kRlx) != me) std::this_thread::yield();
      wish(me, kDefect == DekkerDefect::kNoFences || kDefect == DekkerDefect::kNoAgainFence);
    }
    // sync[dekker_section] acquire: what the other did inside is visible.
    fence_unless(kDefect == DekkerDefect::kNoAcquireFence, kAcq);
  }
  void unlock(unsigned me) {
    // relaxed: the fence puts it before the next one's turn.
    if (kDefect != DekkerDefect::kTurnAfterFence) turn_.store(1 - me, kRlx);
    // sync[dekker_section] release: what was done inside is visible to who finds no wish any more.
    fence_unless(kDefect == DekkerDefect::kNoReleaseFence, kRel);
    if (kDefect == DekkerDefect::kTurnAfterFence) turn_.store(1 - me, kRlx);
    wishes_[me].store(false, kRlx);
  }

 private:
  void wish(unsigned me, bool without_fence) {
    wishes_[me].store(true, kRlx);
    // sync[dekker] seq_cst: of two that wish, the later fence's thread sees the other's wish;
    // otherwise both enter.
    fence_unless(without_fence, kSc);
  }

  std::atomic<bool> wishes_[2] = {false, false};
  std::atomic<unsigned> turn_ = 0;
};

}  // namespace litmus

#endif  // LASTPUT_SCHED_LITMUS_DEKKER_H_
