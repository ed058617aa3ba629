// SPDX-License-Identifier: Apache-2.0
#include "percpu_memory.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <functional>
#include <new>
#include <utility>

namespace percpu {
inline namespace PERCPU_PLATFORM {
namespace {

constexpr size_t kGranules = platform::kStride / PercpuMemory::kGranule;
constexpr size_t kMaxStep = PercpuMemory::kMaxAlignment / PercpuMemory::kGranule;
constexpr size_t kSteps = std::bit_width(kMaxStep);  // 1, 2, 4, ... kMaxStep granules
constexpr std::align_val_t kChunkAlignment{PercpuMemory::kMaxAlignment};
static_assert(platform::kStride % platform::kCacheLine == 0, "CPUs must not share a cache line");
static_assert(PercpuMemory::kGranule > platform::kFlagMask,
              "an area's address needs free low bits");

constexpr size_t granules(size_t size) {
  return PercpuMemory::bytes(size) / PercpuMemory::kGranule;
}
constexpr size_t round_up(size_t position, size_t step) {
  return (position + step - 1) & ~(step - 1);
}

// A bit for each granule of a chunk.
class Bits {
 public:
  bool operator[](size_t i) const noexcept { return (words_[i / kWordBits] >> i % kWordBits) & 1; }
  void set(size_t i) noexcept { words_[i / kWordBits] |= uint64_t{1} << i % kWordBits; }
  void reset(size_t i) noexcept { words_[i / kWordBits] &= ~(uint64_t{1} << i % kWordBits); }
  // The first position from `from` on whose bit is `value`, or kGranules.
  size_t next(bool value, size_t from) const noexcept {
    uint64_t mask = ~uint64_t{0} << from % kWordBits;
    for (size_t word = from / kWordBits; word < kWords; ++word) {
      const uint64_t found = (value ? words_[word] : ~words_[word]) & mask;
      if (found != 0) return word * kWordBits + static_cast<size_t>(std::countr_zero(found));
      mask = ~uint64_t{0};
    }
    return kGranules;
  }

 private:
  static constexpr size_t kWordBits = 64;
  static constexpr size_t kWords = kGranules / kWordBits;
  static_assert(kGranules % kWordBits == 0);
  uint64_t words_[kWords] = {};
};

}  // namespace

struct PercpuMemory::Chunk {
  std::byte* memory = nullptr;
  Chunk* before = nullptr;  // that was made before it
  uint64_t priority = 0;    // the tree
  Chunk* lower = nullptr;
  Chunk* higher = nullptr;
  Chunk* previous = nullptr;  // the list, while a granule is free
  Chunk* next = nullptr;
  size_t free = kGranules;
  // No multiple of 1, 2, 4, ... granules before it is free.
  size_t first_free[kSteps] = {};
  Bits used;
  Bits starts;  // where areas begin

  // The first run of `count` free granules at a multiple of `step`, or kGranules.
  size_t find(size_t count, size_t step) noexcept {
    size_t& first = first_free[std::countr_zero(step)];
    first = next_free(first, step);
    for (size_t start = first; start + count <= kGranules;) {
      const size_t end = used.next(true, start);
      if (end >= start + count) return start;
      start = next_free(round_up(end, step), step);
    }
    return kGranules;
  }
  // The first free multiple of `step` from `position`, itself one, on; or kGranules.
  size_t next_free(size_t position, size_t step) const noexcept {
    while (position < kGranules && used[position]) {
      position = round_up(used.next(false, position), step);
    }
    return position;
  }
  void take(size_t start, size_t count) noexcept {
    starts.set(start);
    for (size_t i = start; i < start + count; ++i) used.set(i);
    free -= count;
  }
  void give_back(size_t start, size_t count) noexcept {
    starts.reset(start);
    for (size_t i = start; i < start + count; ++i) used.reset(i);
    free += count;
    for (size_t& first : first_free) first = std::min(first, start & ~(kMaxStep - 1));
  }
  // Granules of the area that begins at `start`; 0: none does.
  size_t count_at(size_t start) const noexcept {
    if (!starts[start]) return 0;
    return std::min(used.next(false, start), starts.next(true, start + 1)) - start;
  }
  bool is_below(const Chunk* other) const noexcept { return std::less<>()(memory, other->memory); }
  size_t index(const void* area) const noexcept {
    return static_cast<size_t>(static_cast<const std::byte*>(area) - memory) / kGranule;
  }
};

PercpuMemory::~PercpuMemory() {
  while (chunks_ != nullptr) {
    Chunk* const chunk = chunks_;
    chunks_ = chunk->before;
    ::operator delete(chunk->memory, kChunkAlignment);
    delete chunk;
  }
}

bool PercpuMemory::possible(size_t size, size_t alignment) noexcept {
  return size - 1 < kMaxAreaSize && std::has_single_bit(alignment) && alignment <= kMaxAlignment;
}

void* PercpuMemory::allocate(size_t size, size_t alignment) noexcept {
  if (!possible(size, alignment)) return nullptr;
  std::unique_lock<std::mutex> lock(mutex_);
  void* area = take(size, alignment);
  if (area == nullptr) {
    lock.unlock();
    Chunk* const chunk = new_chunk();
    if (chunk == nullptr) return nullptr;
    lock.lock();
    add(chunk);
    area = take(size, alignment);
  }
  lock.unlock();
  zero(area, size);
  return area;
}

void* PercpuMemory::take(size_t size, size_t alignment) noexcept {
  const size_t count = granules(size);
  for (unsigned tries = 0; first_ != nullptr && tries < kTries; ++tries) {
    Chunk* const chunk = first_;
    const size_t start = chunk->find(count, granules(alignment));
    if (start != kGranules) {
      chunk->take(start, count);
      if (chunk->free == 0) unlist(chunk);
      used_granules_ += count;
      return chunk->memory + start * kGranule;
    }
    unlist(chunk);
    list_last(chunk);
  }
  return nullptr;
}

PercpuMemory::Chunk* PercpuMemory::new_chunk() const noexcept {
  Chunk* chunk = new (std::nothrow) Chunk;
  if (chunk == nullptr) return nullptr;
  void* memory = ::operator new(cpus_* platform::kStride, kChunkAlignment, std::nothrow);
  if (memory == nullptr) {
    delete chunk;
    return nullptr;
  }
  chunk->memory = static_cast<std::byte*>(memory);
  return chunk;
}

// A treap: a search tree by address in which no chunk is below one with a lower priority. These are
// as good as random, so the tree is as flat as one that was filled in random order, wherever the
// allocator puts chunks.
void PercpuMemory::add(Chunk* chunk) noexcept {
  chunk->priority = ++chunk_count_ * uint64_t{0x9e3779b97f4a7c15};
  chunk->before = chunks_;
  chunks_ = chunk;
  list_first(chunk);

  Chunk** place = &tree_;
  while (*place != nullptr && (*place)->priority >= chunk->priority) {
    place = chunk->is_below(*place) ? &(*place)->lower : &(*place)->higher;
  }
  Chunk* rest = std::exchange(*place, chunk);  // goes below the chunk, split in two
  Chunk** lower = &chunk->lower;
  Chunk** higher = &chunk->higher;
  while (rest != nullptr) {
    if (chunk->is_below(rest)) {
      *higher = rest;
      higher = &rest->lower;
      rest = rest->lower;
    } else {
      *lower = rest;
      lower = &rest->higher;
      rest = rest->higher;
    }
  }
  *lower = *higher = nullptr;
}

// The chunk whose memory of CPU 0 holds the address, if there is one.
PercpuMemory::Chunk* PercpuMemory::chunk_of(const void* area) const noexcept {
  Chunk* chunk = tree_;
  while (chunk != nullptr) {
    if (std::less<>()(area, chunk->memory)) {
      chunk = chunk->lower;
    } else if (std::less<>()(area, chunk->memory + platform::kStride)) {
      return chunk;
    } else {
      chunk = chunk->higher;
    }
  }
  return nullptr;
}

size_t PercpuMemory::free(void* area) noexcept {
  std::lock_guard<std::mutex> lock(mutex_);
  Chunk* const chunk = chunk_of(area);
  if (chunk == nullptr || reinterpret_cast<uintptr_t>(area) % kGranule != 0) return 0;
  const size_t start = chunk->index(area);
  const size_t count = chunk->count_at(start);
  if (count == 0) return 0;
  if (chunk->free == 0) list_first(chunk);
  chunk->give_back(start, count);
  used_granules_ -= count;
  return count * kGranule;
}

size_t PercpuMemory::used_bytes() const noexcept {
  std::lock_guard<std::mutex> lock(mutex_);
  return used_granules_ * kGranule;
}

size_t PercpuMemory::total_bytes() const noexcept {
  std::lock_guard<std::mutex> lock(mutex_);
  return chunk_count_ * platform::kStride;
}

void PercpuMemory::list_first(Chunk* chunk) noexcept {
  chunk->previous = nullptr;
  chunk->next = first_;
  (first_ != nullptr ? first_->previous : last_) = chunk;
  first_ = chunk;
}

void PercpuMemory::list_last(Chunk* chunk) noexcept {
  chunk->previous = last_;
  chunk->next = nullptr;
  (last_ != nullptr ? last_->next : first_) = chunk;
  last_ = chunk;
}

void PercpuMemory::unlist(Chunk* chunk) noexcept {
  (chunk->previous != nullptr ? chunk->previous->next : first_) = chunk->next;
  (chunk->next != nullptr ? chunk->next->previous : last_) = chunk->previous;
}

void PercpuMemory::zero(void* area, size_t size) const noexcept {
  for (unsigned cpu = 0; cpu < cpus_; ++cpu) {
    std::memset(static_cast<std::byte*>(area) + cpu * platform::kStride, 0, bytes(size));
  }
}

}  // namespace PERCPU_PLATFORM
}  // namespace percpu
