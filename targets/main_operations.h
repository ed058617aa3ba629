// SPDX-License-Identifier: Apache-2.0
// What main does around a concurrent program, step by step: the operations that failures, recordings
// and schedules name for it.
#ifndef LASTPUT_TARGETS_MAIN_OPERATIONS_H_
#define LASTPUT_TARGETS_MAIN_OPERATIONS_H_

#include <cstdint>

namespace targets {

// Append only: schedules in artifacts are anchored to the numbers.
enum MainOperation : uint32_t { kOpDomain = 1, kOpInit, kOpStart, kOpJoin, kOpEnd, kOpDestroy };

inline constexpr const char* kMainOperationWords[] = {
    "",
    "make the domain",
    "make what is shared",
    "start the threads",
    "join the threads",
    "end what is shared",
    "destroy the domain",
};

// The domain's workers, as recordings and schedules name it.
inline constexpr const char* kWorkerName = "worker";
inline constexpr const char* kRefillerName = "refiller";  // of pools
inline constexpr const char* kRcuName = "rcu";
// Its manager's thread.
inline constexpr const char* kManagerName = "manager";

}  // namespace targets

#endif  // LASTPUT_TARGETS_MAIN_OPERATIONS_H_
