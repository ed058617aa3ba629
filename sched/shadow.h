// SPDX-License-Identifier: Apache-2.0
// What the engine knows about each 8-byte granule of memory: who read and wrote it last, whether it
// is live heap, and the synchronisation state of an atomic or a lock that lies in it.
//
//   window    addresses                             shadow
//   --------  ------------------------------------  ------------------------------------------
//   world     kWorldBase: heap arena, fiber stacks  direct-mapped; heap part wiped per execution
//   image     .data/.bss of the executable          direct-mapped
//   other     everything else                       hashed, forgotten at each execution
//
// Data races: precise to the byte. A cell holds one write and one read epoch with byte masks; what
// does not fit (shared readers, mixed sizes) moves into an Extra from a pool.
#ifndef LASTPUT_SCHED_SHADOW_H_
#define LASTPUT_SCHED_SHADOW_H_

#include <cstddef>
#include <cstdint>

#include "sched/clock.h"
#include "sched/memory.h"

namespace sched {

inline constexpr uintptr_t kWorldBase = 0x200000000000;  // free under ASan's layout too
inline constexpr size_t kHeapBytes = 64u << 20;
inline constexpr size_t kStackBytes = 8u << 20;  // room for one; how much of it is used: fiber.h
inline constexpr size_t kWorldBytes = kHeapBytes + kMaxThreads * kStackBytes;

inline constexpr uint8_t kHeapFreed = 0xff;  // Cell::heap; 0 = never allocated, 1..8 = valid bytes

struct Cell {
  Epoch write, read;              // last write, last read
  uint8_t write_mask, read_mask;  // bytes of the granule that they touched
  uint8_t heap;
  uint8_t unused;
  uint16_t loc, extra;  // pool indices, valid only if the entry points back here; 0 = none
};
static_assert(sizeof(Cell) == 16);

// An atomic object or a lock: who touched it atomically, and what its next reader may see.
struct Loc {
  Cell* cell;
  uintptr_t address;
  uint16_t next;  // other locs of the same granule
  uint16_t sync;  // locks and their like: index of their state (sync.h); 0 = none
  uint8_t size;   // bytes
  bool touched;   // reads/writes below hold something
  Clock reads[kMaxThreads], writes[kMaxThreads];
  uint32_t store_count;  // atomics: stores so far; the last kHistory of them are kept
  uint32_t
      newest_plain;  // index of the newest that no read-modify-write made; 0: the first, or none
  uint32_t notifications;  // those of libc++ (libcxx.h), which waiters count
  uint8_t stale_run[kMaxThreads];
  Store stores[kHistory];
};

struct Extra {
  Cell* cell;
  Epoch write[8];
  Clock read[kMaxThreads][8];
  // The clock and bytes of each thread's latest read: a repetition needs no look at the rest.
  Clock latest_read[kMaxThreads];
  uint8_t latest_mask[kMaxThreads];
};

inline constexpr unsigned kMaxLocs = 1u << 14;
inline constexpr unsigned kMaxExtras = 1u << 14;

struct Shadow {
  Cell* world;
  Cell* image;
  uintptr_t image_base;
  size_t image_bytes;
  Loc* locs;
  Extra* extras;
  uint32_t loc_count, extra_count;  // of this execution; entry 0 is unused
};
extern Shadow shadow;

// Maps the windows; once a process.
void shadow_setup();
// Forgets the last execution, but for its heap.
void shadow_reset();
// Forgets [from, to) of the heap, as offsets.
void shadow_forget_heap(size_t from, size_t to);
// Forgets [from, to) of what is neither heap, stacks nor globals: addresses.
void shadow_forget_elsewhere(uintptr_t from, uintptr_t to);
// Forgets everything, so that clocks may start over.
void shadow_wipe();

Cell* other_cell(uintptr_t address);

inline bool in_heap(uintptr_t address) {
  return address - kWorldBase < kHeapBytes;
}
inline bool in_world(uintptr_t address) {
  return address - kWorldBase < kWorldBytes;
}
inline bool in_image(uintptr_t address) {
  return address - shadow.image_base < shadow.image_bytes;
}

inline Cell* cell_of(uintptr_t address) {
  if (uintptr_t offset = address - kWorldBase; __builtin_expect(offset < kWorldBytes, 1))
    return &shadow.world[offset >> 3];
  if (uintptr_t offset = address - shadow.image_base; offset < shadow.image_bytes)
    return &shadow.image[offset >> 3];
  return other_cell(address);
}

Loc* loc_slow(Cell* cell, uintptr_t address, unsigned size);
// The loc of the atomic or lock at `address`, made on first use.
inline Loc* loc_of(Cell* cell, uintptr_t address, unsigned size) {
  uint32_t i = cell->loc;
  if (__builtin_expect(i != 0 && i <= shadow.loc_count, 1)) {
    Loc* loc = &shadow.locs[i];
    if (__builtin_expect(loc->cell == cell && loc->address == address, 1)) return loc;
  }
  return loc_slow(cell, address, size);
}
// The first loc in the granule, or null.
inline Loc* locs_in(Cell* cell) {
  uint32_t i = cell->loc;
  if (i == 0 || i > shadow.loc_count || shadow.locs[i].cell != cell) return nullptr;
  return &shadow.locs[i];
}

// Checks of one access of `size` bytes within one granule, and its record. Fail the execution.
void check_read(Cell* cell, uintptr_t address, unsigned size);
void check_write(Cell* cell, uintptr_t address, unsigned size, bool is_free);
[[noreturn]] void bad_heap_access(Cell* cell, uintptr_t address, unsigned size, bool writes);

inline void check_heap(Cell* cell, uintptr_t address, unsigned size, bool writes) {
  if (__builtin_expect(cell->heap != 8, 0) && in_heap(address) &&
      (cell->heap == kHeapFreed || (address & 7) + size > cell->heap))
    bad_heap_access(cell, address, size, writes);
}

}  // namespace sched

#endif  // LASTPUT_SCHED_SHADOW_H_
