// SPDX-License-Identifier: Apache-2.0
// PercpuMemory: areas of memory that exist once for each CPU.
//
// Memory comes in chunks of cpus x kStride bytes. An area is a run of 8-byte granules at one offset
// of a chunk, on every CPU: allocate() answers the address for CPU 0, and CPU c finds its own
// kStride * c bytes further. Areas are packed densely; two CPUs never share a cache line. Chunks
// stay until the end, so an address once handed out stays readable.
//
// Cost. Chunks with a free granule are on a list; an area comes from the first of them that has
// room. A chunk that has none goes to the list's end, and after kTries such chunks a new one is made,
// so the number of areas does not matter. free finds the chunk in a tree.
//
// Thread safety: any thread may call anything at any time. The lock is never held while memory is
// asked for or zeroed, and nothing is locked inside it.
#ifndef PERCPU_CORE_PERCPU_MEMORY_H_
#define PERCPU_CORE_PERCPU_MEMORY_H_

#include <cstddef>
#include <cstdint>
#include <mutex>

#include "percpu_platform.h"

namespace percpu {
inline namespace PERCPU_PLATFORM {

class PercpuMemory {
 public:
  struct Chunk;

  static constexpr size_t kGranule = 8;                          // bytes
  static constexpr size_t kMaxAreaSize = platform::kStride;      // bytes
  static constexpr size_t kMaxAlignment = platform::kCacheLine;  // bytes

  explicit PercpuMemory(unsigned cpus) noexcept : cpus_(cpus) {}
  // Frees the chunks, whatever they hold.
  ~PercpuMemory();
  PercpuMemory(const PercpuMemory&) = delete;
  PercpuMemory& operator=(const PercpuMemory&) = delete;

  // Whether there can be such an area: size 1 to kMaxAreaSize, alignment a power of two up to
  // kMaxAlignment.
  static bool possible(size_t size, size_t alignment) noexcept;
  // What an area of that size takes on each CPU.
  static constexpr size_t bytes(size_t size) noexcept {
    return (size + kGranule - 1) / kGranule * kGranule;
  }

  // An area that is all zero on every CPU, or nullptr: out of memory, or not possible. MAY BLOCK:
  // in the allocator.
  void* allocate(size_t size, size_t alignment) noexcept;

  // Ends the area that begins at `area`, which may be any address, and answers what it took on each
  // CPU; 0: none begins there.
  size_t free(void* area) noexcept;

  // For each CPU: what areas take, and all of it.
  size_t used_bytes() const noexcept;
  size_t total_bytes() const noexcept;

  // Around a fork (fork_watch.h).
  void lock_for_fork() noexcept { mutex_.lock(); }
  void unlock_after_fork() noexcept { mutex_.unlock(); }

 private:
  static constexpr unsigned kTries = 16;

  // An area, not zeroed; nullptr: no chunk has room. REQUIRES (this, add and chunk_of): the lock.
  void* take(size_t size, size_t alignment) noexcept;
  // A chunk for add, or nullptr.
  Chunk* new_chunk() const noexcept;
  // From here on take finds it first.
  void add(Chunk* chunk) noexcept;
  void zero(void* area, size_t size) const noexcept;
  Chunk* chunk_of(const void* area) const noexcept;
  void list_first(Chunk* chunk) noexcept;
  void list_last(Chunk* chunk) noexcept;
  void unlist(Chunk* chunk) noexcept;

  const unsigned cpus_;
  mutable std::mutex mutex_;  // guards all that follows
  size_t used_granules_ = 0;
  size_t chunk_count_ = 0;
  Chunk* chunks_ = nullptr;  // all of them
  Chunk* tree_ = nullptr;    // the same, by address
  Chunk* first_ = nullptr;   // the list of those with a free granule
  Chunk* last_ = nullptr;
};

}  // namespace PERCPU_PLATFORM
}  // namespace percpu

#endif  // PERCPU_CORE_PERCPU_MEMORY_H_
