// SPDX-License-Identifier: Apache-2.0
#include "percpu_memory.h"

#include <bit>
#include <bitset>
#include <cstring>
#include <new>

#include "check.h"

namespace percpu {
inline namespace PERCPU_PLATFORM {
namespace {

constexpr size_t kGranules = platform::kStride / PercpuMemory::kGranule;
constexpr std::align_val_t kChunkAlignment{PercpuMemory::kMaxAlignment};
static_assert(platform::kStride % platform::kCacheLine == 0, "CPUs must not share a cache line");
static_assert(PercpuMemory::kGranule > platform::kFlagMask,
              "an area's address needs free low bits");

constexpr size_t granules(size_t size) {
  return (size + PercpuMemory::kGranule - 1) / PercpuMemory::kGranule;
}

}  // namespace

struct PercpuMemory::Chunk {
  Chunk* next = nullptr;
  std::byte* memory = nullptr;
  size_t free = kGranules;
  std::bitset<kGranules> used;

  // The first run of `count` free granules at a multiple of `step`, or kGranules.
  size_t find(size_t count, size_t step) const noexcept {
    for (size_t start = 0; start + count <= kGranules; start += step) {
      size_t run = 0;
      while (run < count && !used[start + run]) ++run;
      if (run == count) return start;
    }
    return kGranules;
  }
  bool holds(const std::byte* area) const noexcept {
    return area >= memory && area < memory + platform::kStride;
  }
};

PercpuMemory::~PercpuMemory() {
  while (chunks_ != nullptr) {
    Chunk* chunk = chunks_;
    chunks_ = chunk->next;
    ::operator delete(chunk->memory, kChunkAlignment);
    delete chunk;
  }
}

PercpuMemory::Chunk* PercpuMemory::add_chunk() noexcept {
  Chunk* chunk = new (std::nothrow) Chunk;
  if (chunk == nullptr) return nullptr;
  void* memory = ::operator new(cpus_* platform::kStride, kChunkAlignment, std::nothrow);
  if (memory == nullptr) {
    delete chunk;
    return nullptr;
  }
  chunk->memory = static_cast<std::byte*>(memory);
  chunk->next = chunks_;
  chunks_ = chunk;
  return chunk;
}

void* PercpuMemory::allocate(size_t size, size_t alignment) noexcept {
  if (size == 0 || size > kMaxAreaSize) return nullptr;
  if (!std::has_single_bit(alignment) || alignment > kMaxAlignment) return nullptr;
  const size_t count = granules(size);
  const size_t step = granules(alignment);
  size_t start = kGranules;
  Chunk* chunk = chunks_;
  for (; chunk != nullptr; chunk = chunk->next) {
    if (chunk->free < count) continue;
    start = chunk->find(count, step);
    if (start != kGranules) break;
  }
  if (chunk == nullptr) {
    chunk = add_chunk();
    if (chunk == nullptr) return nullptr;
    start = 0;
  }
  for (size_t i = 0; i < count; ++i) chunk->used.set(start + i);
  chunk->free -= count;
  used_granules_ += count;
  std::byte* area = chunk->memory + start * kGranule;
  zero(area, count * kGranule);
  return area;
}

void PercpuMemory::free(void* area, size_t size) noexcept {
  std::byte* const address = static_cast<std::byte*>(area);
  Chunk* chunk = chunks_;
  while (chunk != nullptr && !chunk->holds(address)) chunk = chunk->next;
  PERCPU_CHECK(chunk != nullptr);
  const size_t start = static_cast<size_t>(address - chunk->memory) / kGranule;
  const size_t count = granules(size);
  for (size_t i = 0; i < count; ++i) {
    PERCPU_CHECK(chunk->used[start + i]);  // freed twice
    chunk->used.reset(start + i);
  }
  chunk->free += count;
  used_granules_ -= count;
}

void PercpuMemory::zero(std::byte* area, size_t size) const noexcept {
  for (unsigned cpu = 0; cpu < cpus_; ++cpu) std::memset(area + cpu * platform::kStride, 0, size);
}

}  // namespace PERCPU_PLATFORM
}  // namespace percpu
