// SPDX-License-Identifier: Apache-2.0
#include "stress/allocation_faults.h"

#include <cstddef>
#include <new>

#include "stress/tally.h"

namespace stress {
namespace {

thread_local unsigned fails_in = 0;  // allocations; 0: none fails
constexpr unsigned kFirst = 3;

bool fails() noexcept {
  if (fails_in == 0 || --fails_in != 0) return false;
  count(Stat::kFailedAllocations);
  return true;
}

}  // namespace

AllocationFaults::AllocationFaults(targets::Random& random) noexcept {
  fails_in = random.one_in(kFaultyBlocks) ? 1 + random.below(kFirst) : 0;
}
AllocationFaults::~AllocationFaults() {
  fails_in = 0;
}

}  // namespace stress

// The core says std::nothrow where it copes. These two are all that is replaced: what they answer is freed as ever.
void* operator new(size_t size, const std::nothrow_t&) noexcept {
  if (stress::fails()) return nullptr;
  try {
    return ::operator new(size);
  } catch (const std::bad_alloc&) {
    return nullptr;
  }
}
void* operator new(size_t size, std::align_val_t alignment, const std::nothrow_t&) noexcept {
  if (stress::fails()) return nullptr;
  try {
    return ::operator new(size, alignment);
  } catch (const std::bad_alloc&) {
    return nullptr;
  }
}
