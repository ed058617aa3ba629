// SPDX-License-Identifier: Apache-2.0
// PercpuMemory: areas of memory that exist once for each CPU.
//
// Memory comes in chunks of cpus x kStride bytes. An area is a run of 8-byte granules at one offset
// of a chunk, on every CPU: allocate() answers the address for CPU 0, and CPU c finds its own
// kStride * c bytes further. Areas are packed densely; two CPUs never share a cache line. Chunks
// stay until the end, so an address once handed out stays readable.
//
// Thread safety: none of its own; the domain calls it under its lock.
#ifndef PERCPU_CORE_PERCPU_MEMORY_H_
#define PERCPU_CORE_PERCPU_MEMORY_H_

#include <cstddef>
#include <cstdint>

#include "percpu_platform.h"

namespace percpu {
inline namespace PERCPU_PLATFORM {

class PercpuMemory {
 public:
  static constexpr size_t kGranule = 8;                          // bytes
  static constexpr size_t kMaxAreaSize = platform::kStride;      // bytes
  static constexpr size_t kMaxAlignment = platform::kCacheLine;  // bytes

  explicit PercpuMemory(unsigned cpus) noexcept : cpus_(cpus) {}
  // Frees the chunks, whatever they hold.
  ~PercpuMemory();
  PercpuMemory(const PercpuMemory&) = delete;
  PercpuMemory& operator=(const PercpuMemory&) = delete;

  // An area that is all zero on every CPU, or nullptr: out of memory, size 0 or above kMaxAreaSize,
  // an alignment that is no power of two or above kMaxAlignment. MAY BLOCK: in the allocator.
  void* allocate(size_t size, size_t alignment) noexcept;
  // REQUIRES: `area` came from allocate with that size, and was not freed since (checked).
  void free(void* area, size_t size) noexcept;

  size_t used_bytes() const noexcept { return used_granules_ * kGranule; }  // for each CPU

 private:
  struct Chunk;

  Chunk* add_chunk() noexcept;
  void zero(std::byte* area, size_t size) const noexcept;

  const unsigned cpus_;
  size_t used_granules_ = 0;
  Chunk* chunks_ = nullptr;
};

}  // namespace PERCPU_PLATFORM
}  // namespace percpu

#endif  // PERCPU_CORE_PERCPU_MEMORY_H_
