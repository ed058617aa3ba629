// SPDX-License-Identifier: Apache-2.0
// Mutual exclusion of two threads with loads and stores alone.
// Source: G. L. Peterson, "Myths about the mutual exclusion problem", IPL 12(3), 1981.
#ifndef LASTPUT_SCHED_LITMUS_PETERSON_H_
#define LASTPUT_SCHED_LITMUS_PETERSON_H_

#include <atomic>
#include <thread>

#include "sched/litmus/weaken.h"

namespace litmus {

enum class PetersonDefect {
  kNone,
  kAcquireRelease,  // both may miss the other's wish: store buffering
  kTurnBeforeWish,  // gives way first: then both may find that it is the other who waits
};

template <PetersonDefect kDefect>
class Peterson {
 public:
  // `me` is 0 or 1, here and below.
  void lock(unsigned me) {
    const unsigned other = 1 - me;
    // sync[peterson] seq_cst: of the two that wish, one sees the other's wish and both see the same
    // last turn; otherwise both enter.
    if (kDefect == PetersonDefect::kTurnBeforeWish) turn_.store(other, kStore);
    wishes_[me].store(true, kStore);
    if (kDefect != PetersonDefect::kTurnBeforeWish) turn_.store(other, kStore);
    while (wishes_[other].load(kLoad) && turn_.load(kLoad) == other) std::this_thread::yield();
  }
  void unlock(unsigned me) { wishes_[me].store(false, kStore); }

 private:
  static constexpr bool kOrdered = kDefect != PetersonDefect::kAcquireRelease;
  static constexpr std::memory_order kStore = kOrdered ? kSc : kRel;
  static constexpr std::memory_order kLoad = kOrdered ? kSc : kAcq;

  std::atomic<bool> wishes_[2] = {false, false};
  std::atomic<unsigned> turn_ = 0;
};

}  // namespace litmus

#endif  // LASTPUT_SCHED_LITMUS_PETERSON_H_
