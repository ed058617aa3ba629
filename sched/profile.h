// SPDX-License-Identifier: Apache-2.0
// What an execution with Options::learn tells of the program: Profile.
#ifndef LASTPUT_SCHED_PROFILE_H_
#define LASTPUT_SCHED_PROFILE_H_

#include "sched/engine.h"

namespace sched {

// The object's first byte; the engine's own objects, which stand for the ends of threads, are none.
inline uintptr_t granule_of(const Intent& intent) {
  const uintptr_t granule = intent.address & ~uintptr_t{7};
  return granule - reinterpret_cast<uintptr_t>(&g) < sizeof g ? 0 : granule;
}
inline constexpr uint32_t kMostObjects = 384;  // what comes later is not counted

void profile_reset();
// The current thread is about to do this.
void profile_access(const Intent& intent);
// Into *g.options.learn. REQUIRES: the engine inactive.
void profile_take(uint64_t points);

}  // namespace sched

#endif  // LASTPUT_SCHED_PROFILE_H_
