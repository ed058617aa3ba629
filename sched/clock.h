// SPDX-License-Identifier: Apache-2.0
// Vector clocks and epochs: the happens-before order of one execution (FastTrack, Flanagan and
// Freund, PLDI 2009: an access is an epoch, a synchronisation is a join of vectors).
#ifndef LASTPUT_SCHED_CLOCK_H_
#define LASTPUT_SCHED_CLOCK_H_

#include <cstdint>

#include "sched/sched.h"

namespace sched {

// Logical time of one thread; advances at each of its releases. Clocks are never reset between
// executions: every execution starts above all earlier ones, so stale shadow reads as "ordered".
using Clock = uint32_t;
inline constexpr unsigned kClockBits = kMaxThreads == 16 ? 28 : 24;
inline constexpr Clock kClockLimit = 1u << (kClockBits - 1);  // beyond it all shadow is wiped

// Thread and its clock in one word.
using Epoch = uint32_t;
constexpr Epoch make_epoch(uint32_t thread, Clock clock) {
  return thread << kClockBits | clock;
}
constexpr uint32_t epoch_thread(Epoch e) {
  return e >> kClockBits;
}
constexpr Clock epoch_clock(Epoch e) {
  return e & ((1u << kClockBits) - 1);
}
static_assert(kMaxThreads <= 1u << (32 - kClockBits));

struct alignas(64) VectorClock {
  Clock at[kMaxThreads];

  void fill(Clock c) {
    for (Clock& x : at) x = c;
  }
  void join(const VectorClock& o) {
    // Clocks stay below 2^31, so the signed maximum is right; baseline x86-64 has only that
    // compare.
    typedef int32_t Lanes __attribute__((vector_size(16), may_alias));
    auto* a = reinterpret_cast<Lanes*>(at);
    auto* b = reinterpret_cast<const Lanes*>(o.at);
    for (unsigned i = 0; i < kMaxThreads / 4; ++i) a[i] = a[i] > b[i] ? a[i] : b[i];
  }
  bool knows(Epoch e) const { return epoch_clock(e) <= at[epoch_thread(e)]; }
};

}  // namespace sched

#endif  // LASTPUT_SCHED_CLOCK_H_
