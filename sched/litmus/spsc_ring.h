// SPDX-License-Identifier: Apache-2.0
// A queue of one producer and one consumer in a ring.
// Source: L. Lamport, "Specifying concurrent program modules", TOPLAS 5(2), 1983; with C++ orders.
#ifndef LASTPUT_SCHED_LITMUS_SPSC_RING_H_
#define LASTPUT_SCHED_LITMUS_SPSC_RING_H_

#include <atomic>

#include "sched/litmus/weaken.h"

namespace litmus {

enum class RingDefect {
  kNone,
  kRelaxedTail,      // an item may be seen before it is written
  kRelaxedTailLoad,  // the same, by the consumer's fault
  kRelaxedHead,      // a slot may be written again before it has been read
  kTailTooEarly,     // the item is counted before it is written
  kHeadTooEarly,     // the slot is given back before it is read
  kFullByOne,        // takes a full ring for one with room
};

// `Slot` is int, or std::atomic<int>, whose accesses are then relaxed: no race, and wrong values all
// the same.
template <RingDefect kDefect, class Slot = int>
class SpscRing {
 public:
  // The producer. Whether there was room.
  bool try_push(int value) {
    // relaxed: only the producer writes it.
    const unsigned tail = tail_.load(kRlx);
    // sync[ring_head] acquire: the consumer has read what the slot held.
    const unsigned used = tail - head_.load(kAcq);
    if (used >= kSlots + (kDefect == RingDefect::kFullByOne ? 1 : 0)) return false;
    if (kDefect != RingDefect::kTailTooEarly) write(slots_[tail % kSlots], value);
    // sync[ring_tail] release: the item is written before it is counted.
    tail_.store(tail + 1, relaxed_if(kDefect == RingDefect::kRelaxedTail, kRel));
    if (kDefect == RingDefect::kTailTooEarly) write(slots_[tail % kSlots], value);
    return true;
  }
  // The consumer. Whether there was an item.
  bool try_pop(int* value) {
    // relaxed: only the consumer writes it.
    const unsigned head = head_.load(kRlx);
    // sync[ring_tail] acquire: the item is written.
    if (head == tail_.load(relaxed_if(kDefect == RingDefect::kRelaxedTailLoad, kAcq))) return false;
    if (kDefect != RingDefect::kHeadTooEarly) *value = read(slots_[head % kSlots]);
    // sync[ring_head] release: the item is read before its slot may be written again.
    head_.store(head + 1, relaxed_if(kDefect == RingDefect::kRelaxedHead, kRel));
    if (kDefect == RingDefect::kHeadTooEarly) *value = read(slots_[head % kSlots]);
    return true;
  }

 private:
  static constexpr unsigned kSlots = 2;

  static int read(int slot) { return slot; }
  static void write(int& slot, int value) { slot = value; }
  // relaxed: the indices order the slots.
  static int read(const std::atomic<int>& slot) { return slot.load(kRlx); }
  static void write(std::atomic<int>& slot, int value) { slot.store(value, kRlx); }

  Slot slots_[kSlots] = {};
  std::atomic<unsigned> head_ = 0, tail_ = 0;
};

}  // namespace litmus

#endif  // LASTPUT_SCHED_LITMUS_SPSC_RING_H_
