// SPDX-License-Identifier: Apache-2.0
// A work-stealing deque: its owner pushes and takes at the bottom, thieves steal at the top.
// Source: D. Chase and Y. Lev, "Dynamic circular work-stealing deque", SPAA 2005; the fences of
// N. M. Lê, A. Pop, A. Cohen and F. Zappa Nardelli, "Correct and efficient work-stealing for weak
// memory models", PPoPP 2013. The array does not grow here.
#ifndef LASTPUT_SCHED_LITMUS_CHASE_LEV_H_
#define LASTPUT_SCHED_LITMUS_CHASE_LEV_H_

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "sched/litmus/weaken.h"

namespace litmus {

enum class ChaseLevDefect {
  kNone,
  kNoTakeFence,          // the owner may miss a steal, and the thief the take: one item goes twice
  kNoStealFence,         // the thief may see a new top with an old bottom: the same
  kNoPushFence,          // an item may be seen before it is written
  kRelaxedBottomLoad,    // the same, by the thief's fault
  kBottomBeforeItem,     // the item is counted before it is put
  kLastWithoutContest,   // the owner takes the last item without a compare-exchange
  kStealWithoutContest,  // the thief stores the top
};

template <ChaseLevDefect kDefect, class T, size_t kSlots>
class ChaseLevDeque {
 public:
  // The owner. REQUIRES: fewer than kSlots items.
  void push(T* item) {
    // relaxed: only the owner writes it.
    const int64_t bottom = bottom_.load(kRlx);
    if (kDefect != ChaseLevDefect::kBottomBeforeItem) slot(bottom).store(item, kRlx);
    // sync[deque_item] release: the item is written and put before it is counted.
    fence_unless(kDefect == ChaseLevDefect::kNoPushFence, kRel);
    bottom_.store(bottom + 1, kRlx);
    if (kDefect == ChaseLevDefect::kBottomBeforeItem) slot(bottom).store(item, kRlx);
  }

  // The owner. The item pushed last; null if there is none.
  T* take() {
    // relaxed here and below: the fence orders the bottom before the top.
    const int64_t bottom = bottom_.load(kRlx) - 1;
    bottom_.store(bottom, kRlx);
    // sync[deque] seq_cst: either the thief sees the lower bottom, or the owner the higher top;
    // otherwise both get the item.
    fence_unless(kDefect == ChaseLevDefect::kNoTakeFence, kSc);
    int64_t top = top_.load(kRlx);
    T* item = top <= bottom ? slot(bottom).load(kRlx) : nullptr;
    if (top == bottom && kDefect != ChaseLevDefect::kLastWithoutContest) {
      // sync[deque] seq_cst: as published; who advances the top has the last item.
      if (!top_.compare_exchange_strong(top, top + 1, kSc, kRlx)) item = nullptr;
    }
    if (top >= bottom) bottom_.store(bottom + 1, kRlx);
    return item;
  }

  // Anybody. The item pushed first; null if there is none, or another was faster.
  T* steal() {
    // sync[deque] acquire: a bottom at least as new as what the thief before saw.
    int64_t top = top_.load(kAcq);
    // sync[deque] seq_cst: see take.
    fence_unless(kDefect == ChaseLevDefect::kNoStealFence, kSc);
    // sync[deque_item] acquire: the item is put and written.
    const int64_t bottom =
        bottom_.load(relaxed_if(kDefect == ChaseLevDefect::kRelaxedBottomLoad, kAcq));
    if (top >= bottom) return nullptr;
    // relaxed: who loses the contest drops what it has read.
    T* const item = slot(top).load(kRlx);
    if (kDefect == ChaseLevDefect::kStealWithoutContest) {
      // sync[deque] release: in place of the exchange's.
      top_.store(top + 1, kRel);
      return item;
    }
    // sync[deque] seq_cst: as published; who advances the top has the item.
    return top_.compare_exchange_strong(top, top + 1, kSc, kRlx) ? item : nullptr;
  }

 private:
  std::atomic<T*>& slot(int64_t i) { return slots_[static_cast<size_t>(i) % kSlots]; }

  std::atomic<int64_t> top_ = 0, bottom_ = 0;
  std::atomic<T*> slots_[kSlots] = {};
};

}  // namespace litmus

#endif  // LASTPUT_SCHED_LITMUS_CHASE_LEV_H_
