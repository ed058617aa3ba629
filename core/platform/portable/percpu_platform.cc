// SPDX-License-Identifier: Apache-2.0
#include "percpu_platform.h"

#include <algorithm>
#include <thread>

namespace percpu {
inline namespace PERCPU_PLATFORM {
namespace platform {
namespace {

// More CPUs than this only cost memory: the index is a thread's number, not where it runs.
constexpr unsigned kMaxDefaultCpus = 64;

}  // namespace

unsigned default_cpus() noexcept {
  return std::clamp(std::thread::hardware_concurrency(), 1U, kMaxDefaultCpus);
}

}  // namespace platform
}  // namespace PERCPU_PLATFORM
}  // namespace percpu
