// SPDX-License-Identifier: Apache-2.0
// Internal: what the worker that refills pools (refill_worker.h) keeps in each of them.
#ifndef PERCPU_CORE_REFILL_RECORD_H_
#define PERCPU_CORE_REFILL_RECORD_H_

#include <atomic>
#include <cstdint>

#include "percpu_platform.h"

namespace percpu {
inline namespace PERCPU_PLATFORM {

class Pool;

// Guarded by the worker's lock, unless a field says
// otherwise.
struct RefillRecord {
  static constexpr uint32_t kWanted = 1;
  static constexpr uint32_t kHolder = 2;

  std::atomic<uint32_t> state = 0;  // kWanted, and kHolder for each holder; not guarded
  uint64_t round = 0;               // in which it was refilled last
  Pool* previous = nullptr;         // list of the domain's pools
  Pool* next = nullptr;
};

}  // namespace PERCPU_PLATFORM
}  // namespace percpu

#endif  // PERCPU_CORE_REFILL_RECORD_H_
