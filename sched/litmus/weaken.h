// SPDX-License-Identifier: Apache-2.0
// How the algorithms of this folder are broken: each is a template over an enum of its defects, where
// kNone is the published algorithm and each other value takes away one thing that it needs. Nothing
// here knows of the engine: this is ordinary C++20.
#ifndef LASTPUT_SCHED_LITMUS_WEAKEN_H_
#define LASTPUT_SCHED_LITMUS_WEAKEN_H_

#include <atomic>

namespace litmus {

inline constexpr auto kRlx = std::memory_order_relaxed;
inline constexpr auto kAcq = std::memory_order_acquire;
inline constexpr auto kRel = std::memory_order_release;
inline constexpr auto kAcqRel = std::memory_order_acq_rel;
inline constexpr auto kSc = std::memory_order_seq_cst;

constexpr std::memory_order relaxed_if(bool defect, std::memory_order right) {
  return defect ? kRlx : right;
}
inline void fence_unless(bool defect, std::memory_order order) {
  if (!defect) std::atomic_thread_fence(order);
}

}  // namespace litmus

#endif  // LASTPUT_SCHED_LITMUS_WEAKEN_H_
