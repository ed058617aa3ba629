// SPDX-License-Identifier: Apache-2.0
// What a call that can fail for a reason outside the program's control answers.
#ifndef PERCPU_CORE_STATUS_H_
#define PERCPU_CORE_STATUS_H_

#include <cstdint>

namespace percpu {

enum class [[nodiscard]] Status : uint8_t{
    kOk,
    kOutOfMemory,      // nothing has changed; the call may be tried again
    kInvalidArgument,  // an argument that is wrong in every state
    kRefused,          // misuse (misuse.h): reported, and nothing has changed
};

constexpr const char* status_name(Status status) noexcept {
  switch (status) {
    case Status::kOk:
      return "ok";
    case Status::kOutOfMemory:
      return "out of memory";
    case Status::kInvalidArgument:
      return "invalid argument";
    case Status::kRefused:
      return "refused";
  }
  return "unknown status";
}

}  // namespace percpu

#endif  // PERCPU_CORE_STATUS_H_
