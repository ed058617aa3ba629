// SPDX-License-Identifier: Apache-2.0
#include "stress/allocation_faults.h"

#include <cstddef>
#include <cstdlib>
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

void* allocate(size_t size, size_t alignment) noexcept {
  if (size == 0) size = 1;
  if (alignment <= alignof(std::max_align_t)) return std::malloc(size);
  return std::aligned_alloc(alignment, (size + alignment - 1) / alignment * alignment);
}
void* allocate_or_throw(size_t size, size_t alignment) {
  void* const memory = allocate(size, alignment);
  if (memory == nullptr) throw std::bad_alloc();
  return memory;
}

}  // namespace

AllocationFaults::AllocationFaults(targets::Random& random) noexcept {
  fails_in = random.one_in(kFaultyBlocks) ? 1 + random.below(kFirst) : 0;
}
AllocationFaults::~AllocationFaults() {
  fails_in = 0;
}

}  // namespace stress

// The core says std::nothrow where it copes.
void* operator new(size_t size, const std::nothrow_t&) noexcept {
  return stress::fails() ? nullptr : stress::allocate(size, 0);
}
void* operator new(size_t size, std::align_val_t alignment, const std::nothrow_t&) noexcept {
  return stress::fails() ? nullptr : stress::allocate(size, static_cast<size_t>(alignment));
}
void* operator new(size_t size) {
  return stress::allocate_or_throw(size, 0);
}
void* operator new(size_t size, std::align_val_t alignment) {
  return stress::allocate_or_throw(size, static_cast<size_t>(alignment));
}
void operator delete(void* memory) noexcept {
  std::free(memory);
}
void operator delete(void* memory, size_t) noexcept {
  std::free(memory);
}
void operator delete(void* memory, std::align_val_t) noexcept {
  std::free(memory);
}
void operator delete(void* memory, size_t, std::align_val_t) noexcept {
  std::free(memory);
}
