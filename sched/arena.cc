// SPDX-License-Identifier: Apache-2.0
#include "sched/arena.h"

#include <algorithm>
#include <cstring>

#include "sched/engine.h"
#include "sched/exploration.h"
#include "sched/recorder.h"

namespace sched {

TextRange library_text;

namespace {

constexpr size_t kRedZone = 16;
constexpr uint32_t kMaxBlocks = 1u << 18;

// The header in front of each payload holds the block's index. It is heap state 0: out of bounds.
struct Header {
  uint64_t block;
  uint64_t magic;
};
constexpr uint64_t kMagic = 0x1a57b10c;

// Freed blocks that an allocation may get, the latest last.
constexpr uint32_t kReusable = 8;

Block blocks[kMaxBlocks];
uint32_t reusable[kReusable];
uint32_t reusable_count;
uint32_t block_count;
// Blocks of fresh memory, by ascending address; one that reuses memory is the latest in a header of these.
uint32_t fresh[kMaxBlocks];
uint32_t fresh_count;
uint32_t live;
uint64_t failing;  // bit i: allocation i + 1 from here on fails

// Fresh memory. In an exhaustive search each thread has a part of its own: an address is the same whoever
// allocates first (then `fresh` is in no order, and only the names of the first report suffer).
struct Part {
  size_t begin, used, end;
};
Part parts[kMaxThreads];
uint32_t part_count;

void divide(uint32_t count) {
  part_count = count;
  for (uint32_t i = 0; i < count; ++i) {
    const size_t begin = kHeapBytes / count * i;
    parts[i] = {begin, begin + kRedZone, kHeapBytes / count * (i + 1)};
  }
}

void mark(uintptr_t address, size_t size, uint8_t state) {
  Cell* cell = cell_of(address);
  for (size_t i = 0; i < size / 8; ++i) cell[i].heap = state;
  if (size % 8 != 0)
    cell[size / 8].heap = state == kHeapFreed ? state : static_cast<uint8_t>(size % 8);
}

Block* block_of(void* pointer) {
  auto* header = static_cast<Header*>(pointer) - 1;
  auto address = reinterpret_cast<uintptr_t>(pointer);
  if (address % 16 != 0 || address - kWorldBase < sizeof(Header) ||
      address - kWorldBase >= kHeapBytes)
    return nullptr;
  if (header->magic != kMagic || header->block >= block_count) return nullptr;
  Block* block = &blocks[header->block];
  return block->address == address ? block : nullptr;
}

void forget_reusable(uint32_t place) {
  --reusable_count;
  memmove(reusable + place, reusable + place + 1, (reusable_count - place) * sizeof *reusable);
}

void remember_reusable(uint32_t block) {
  if (reusable_count == kReusable) forget_reusable(0);
  reusable[reusable_count++] = block;
}

// The address of a freed block that the allocation gets, or 0. What was known of its memory goes:
// it is written by who allocates it, so whoever comes from the life before has a race.
uintptr_t reuse(size_t size, size_t alignment) {
  if (!g.options.reuse || reusable_count == 0) return 0;
  uint32_t places[kReusable], count = 0;
  for (uint32_t i = reusable_count; i-- > 0;) {
    const Block& b = blocks[reusable[i]];
    if (b.size == size && b.address % alignment == 0) places[count++] = i;
  }
  if (count == 0) return 0;
  const uint32_t chosen = choose_departure(Departure::kReuse, departures_up_to(count), kReuseOneIn);
  if (chosen == 0) return 0;
  const uint32_t place = places[chosen - 1];
  const uintptr_t address = blocks[reusable[place]].address;
  forget_reusable(place);
  for (Cell *cell = cell_of(address), *end = cell + (size + 7) / 8; cell != end; ++cell)
    *cell = Cell{g.epoch, 0, 0xff, 0, 0, 0, 0, 0};
  return address;
}

}  // namespace

void arena_reset() {
  failing = 0;
  shadow_reset();
  for (uint32_t i = 0; i < part_count; ++i) shadow_forget_heap(parts[i].begin, parts[i].used);
  divide(g.exploring ? kMaxThreads : 1);
  block_count = 0;
  fresh_count = 0;
  live = 0;
  reusable_count = 0;
}

uint32_t arena_allocations() {
  return block_count;
}
uint32_t arena_live_blocks() {
  return live;
}

void arena_fail(uint32_t n) {
  static_assert(kMaxFailAllocation == 64);
  if (g.exploring) explore_touch(kAllocations, true);
  failing |= uint64_t{1} << (n - 1);
}

void* arena_allocate(size_t size, size_t alignment) {
  if (alignment < 16) alignment = 16;
  Part& part = parts[part_count == 1 ? 0 : g.current];
  size_t offset = (part.used + sizeof(Header) + kRedZone + alignment - 1) & ~(alignment - 1);
  if (block_count >= kMaxBlocks || size > kHeapBytes || offset + size + kRedZone > part.end)
    fail_execution(FailureKind::kLimit, "",
                   "the execution's heap is full (64 MiB, or 262144 blocks)");
  uint32_t number = block_count + 1;
  if (g.exploring && (g.options.fail_allocation != 0 || g.options.fails_allocations))
    explore_touch(kAllocations, true);
  const bool fails = number == g.options.fail_allocation || (failing & 1) != 0;
  failing >>= 1;
  if (fails) {
    blocks[block_count++] = {0, size, number, false};
    return nullptr;
  }
  uintptr_t address = reuse(size, alignment);
  if (address == 0) {
    address = kWorldBase + offset;
    part.used = (offset + size + 7) & ~size_t{7};
    fresh[fresh_count++] = block_count;
  }
  auto* header = reinterpret_cast<Header*>(address) - 1;
  *header = {block_count, kMagic};
  blocks[block_count++] = {address, size, number, true};
  ++live;
  memset(reinterpret_cast<void*>(address), 0xcd, size);
  mark(address, size, 8);
  if (g.recording) record_heap(StepKind::kMalloc, address, size);
  return reinterpret_cast<void*>(address);
}

void arena_free(void* pointer) {
  Block* block = block_of(pointer);
  if (block == nullptr)
    fail_execution(FailureKind::kBadFree, "G8", "free() of a pointer that was not allocated");
  if (!block->live) fail_execution(FailureKind::kBadFree, "G8", "a heap block is freed twice");
  if (g.recording) record_heap(StepKind::kFree, block->address, block->size);
  // A free that is not ordered after every access is a use after free waiting for its schedule.
  for (uintptr_t a = block->address, end = a + block->size; g.races && a < end; a += 8) {
    Cell* cell = cell_of(a);
    if (cell->write != 0 || cell->read != 0 || cell->loc != 0)
      check_write(cell, a, end - a < 8 ? static_cast<unsigned>(end - a) : 8, true);
  }
  mark(block->address, block->size, kHeapFreed);
  remember_reusable(static_cast<uint32_t>(block - blocks));
  block->live = false;
  --live;
}

size_t arena_size(const void* pointer) {
  Block* block = block_of(const_cast<void*>(pointer));
  return block == nullptr ? 0 : block->size;
}

const Block* arena_find(uintptr_t address) {
  const uint32_t* end =
      std::upper_bound(fresh, fresh + fresh_count, address + kRedZone,
                       [](uintptr_t a, uint32_t block) { return a < blocks[block].address; });
  // The last that begins before it, or where that ends too early the one before.
  for (const uint32_t* at = end; at != fresh && at + 2 > end;) {
    const Block& first = blocks[*--at];
    const Block* latest = block_of(reinterpret_cast<void*>(first.address));
    const Block& b = latest != nullptr ? *latest : first;
    if (address < b.address + b.size + kRedZone) return &b;
  }
  return nullptr;
}

const Block* arena_first_live() {
  for (uint32_t i = 0; i < block_count; ++i)
    if (blocks[i].live) return &blocks[i];
  return nullptr;
}

}  // namespace sched
