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

// The core says std::nothrow where it copes. The linker sends those calls here (--wrap in CMakeLists.txt): the runtimes of sanitizers have
// operators of their own, which cannot be replaced one by one.
extern "C" {
void* __real__ZnwmRKSt9nothrow_t(size_t size, const std::nothrow_t& tag) noexcept;
void* __real__ZnwmSt11align_val_tRKSt9nothrow_t(size_t size, std::align_val_t alignment,
                                                const std::nothrow_t& tag) noexcept;

void* __wrap__ZnwmRKSt9nothrow_t(size_t size, const std::nothrow_t& tag) noexcept {
  return stress::fails() ? nullptr : __real__ZnwmRKSt9nothrow_t(size, tag);
}
void* __wrap__ZnwmSt11align_val_tRKSt9nothrow_t(size_t size, std::align_val_t alignment,
                                                const std::nothrow_t& tag) noexcept {
  return stress::fails() ? nullptr
                         : __real__ZnwmSt11align_val_tRKSt9nothrow_t(size, alignment, tag);
}
}
