// SPDX-License-Identifier: Apache-2.0
// Allocations that fail now and then, in the calls that must cope: those of operator new without exceptions.
#ifndef LASTPUT_STRESS_ALLOCATION_FAULTS_H_
#define LASTPUT_STRESS_ALLOCATION_FAULTS_H_

#include "targets/random.h"

namespace stress {

// From here to the end of the block, on this thread: one of its first allocations without exceptions fails, if the generator says so
// (one block in kFaultyBlocks).
class AllocationFaults {
 public:
  static constexpr unsigned kFaultyBlocks = 32;
  explicit AllocationFaults(targets::Random& random) noexcept;
  ~AllocationFaults();
  AllocationFaults(const AllocationFaults&) = delete;
  AllocationFaults& operator=(const AllocationFaults&) = delete;
};

}  // namespace stress

#endif  // LASTPUT_STRESS_ALLOCATION_FAULTS_H_
