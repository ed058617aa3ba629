// SPDX-License-Identifier: Apache-2.0
// CounterRef: a counter in percpu memory, as an atomic: std::atomic_ref, or as much of it as the core
// needs where the C++ library has none (libc++ before version 19).
#ifndef PERCPU_CORE_PLATFORM_COUNTER_REF_H_
#define PERCPU_CORE_PLATFORM_COUNTER_REF_H_

#include <atomic>
#include <cstdint>

#ifndef PERCPU_PLATFORM
#error "include percpu_platform.h, which names the platform"
#endif

namespace percpu {
inline namespace PERCPU_PLATFORM {
namespace platform {

#if defined(__cpp_lib_atomic_ref)
using CounterRef = std::atomic_ref<uint64_t>;
#else
// By what the compilers of that library offer to make one.
class CounterRef {
 public:
  explicit CounterRef(uint64_t& counter) noexcept : counter_(&counter) {}

  uint64_t load(std::memory_order order) const noexcept {
    return __atomic_load_n(counter_, static_cast<int>(order));
  }
  void store(uint64_t value, std::memory_order order) const noexcept {
    __atomic_store_n(counter_, value, static_cast<int>(order));
  }
  uint64_t fetch_add(uint64_t n, std::memory_order order) const noexcept {
    return __atomic_fetch_add(counter_, n, static_cast<int>(order));
  }

 private:
  uint64_t* counter_;
};
#endif

}  // namespace platform
}  // namespace PERCPU_PLATFORM
}  // namespace percpu

#endif  // PERCPU_CORE_PLATFORM_COUNTER_REF_H_
