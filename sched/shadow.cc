// SPDX-License-Identifier: Apache-2.0
#include "sched/shadow.h"

#include <elf.h>
#include <link.h>
#include <sys/mman.h>

#include <cstring>

#include "sched/engine.h"
#include "sched/fatal.h"
#include "sched/hot.h"
#include "sched/recorder.h"

namespace sched {

Shadow shadow;

namespace {

// Granules outside the windows: open addressing, forgotten at each execution.
struct OtherCell {
  uintptr_t granule;
  uint32_t execution;
  Cell cell;
};
constexpr uint32_t kOtherCells = 1u << 14;
OtherCell* others;
uint32_t execution;
uint32_t other_count;

template <class T>
T* map_pages(size_t bytes) {
  void* p = mmap(nullptr, bytes, PROT_READ | PROT_WRITE,
                 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  SCHED_CHECK(p != MAP_FAILED, "no address space for shadow memory");
  return static_cast<T*>(p);
}

int find_image(dl_phdr_info* info, size_t, void*) {
  uintptr_t low = UINTPTR_MAX, high = 0;
  for (int i = 0; i < info->dlpi_phnum; ++i) {
    const auto& p = info->dlpi_phdr[i];
    if (p.p_type != PT_LOAD) continue;
    uintptr_t start = info->dlpi_addr + p.p_vaddr;
    if (start < low) low = start;
    if (start + p.p_memsz > high) high = start + p.p_memsz;
  }
  shadow.image_base = low & ~uintptr_t{7};
  shadow.image_bytes = high - shadow.image_base;
  return 1;  // the first is the executable
}

bool stale(Epoch e) {
  return epoch_clock(e) < g.base;
}

// Moves the cell's record into an Extra, byte by byte.
Extra* inflate(Cell* cell) {
  if (shadow.extra_count + 1 >= kMaxExtras)
    fail_execution(FailureKind::kLimit, "",
                   "too many bytes shared between threads for one execution");
  uint32_t i = ++shadow.extra_count;
  Extra* x = &shadow.extras[i];
  memset(x, 0, sizeof *x);
  x->cell = cell;
  cell->extra = static_cast<uint16_t>(i);
  for (unsigned b = 0; b < 8; ++b) {
    if (cell->write_mask >> b & 1) x->write[b] = cell->write;
    if (cell->read_mask >> b & 1) x->read[epoch_thread(cell->read)][b] = epoch_clock(cell->read);
  }
  return x;
}

// A plain access against the atomics in its granule.
void check_against_atomics(Cell* cell, uintptr_t address, unsigned size, bool writes,
                           bool is_free) {
  for (Loc* loc = locs_in(cell); loc != nullptr;
       loc = loc->next ? &shadow.locs[loc->next] : nullptr) {
    if (!loc->touched || loc->address >= address + size || loc->address + loc->size <= address)
      continue;
    for (uint32_t t = 0; t < g.thread_count; ++t) {
      if (t == g.current) continue;
      if (loc->writes[t] > g.self->clock.at[t])
        race(address, size, writes ? "write" : "read", make_epoch(t, loc->writes[t]),
             "atomic write", is_free);
      if (writes && loc->reads[t] > g.self->clock.at[t])
        race(address, size, "write", make_epoch(t, loc->reads[t]), "atomic read", is_free);
    }
    if (writes) loc->store_count = 0;  // a new object begins here
  }
}

void check_extra_write(Extra* x, uintptr_t address, unsigned size, bool is_free) {
  unsigned first = address & 7;
  for (unsigned b = first; b < first + size; ++b) {
    if (x->write[b] != 0 && unordered(x->write[b]))
      race(address, size, "write", x->write[b], "write", is_free);
    for (uint32_t t = 0; t < g.thread_count; ++t)
      if (t != g.current && x->read[t][b] > g.self->clock.at[t])
        race(address, size, "write", make_epoch(t, x->read[t][b]), "read", is_free);
    x->write[b] = g.epoch;
  }
}

void check_extra_read(Extra* x, uintptr_t address, unsigned size) {
  unsigned first = address & 7;
  Clock now = epoch_clock(g.epoch);
  for (unsigned b = first; b < first + size; ++b) {
    if (x->write[b] != 0 && unordered(x->write[b]))
      race(address, size, "read", x->write[b], "write", false);
    x->read[g.current][b] = now;
  }
  x->latest_read[g.current] = now;
  x->latest_mask[g.current] = static_cast<uint8_t>(mask_of(address, size));
}

}  // namespace

void race(uintptr_t address, unsigned size, const char* mine, Epoch other, const char* theirs,
          bool is_free) {
  fail_race(address, size, mine, epoch_thread(other), theirs, is_free);
}

void check_extra_atomic(Extra* x, uintptr_t address, unsigned size, bool writes) {
  const char* mine = writes ? "atomic write" : "atomic read";
  unsigned first = address & 7;
  for (unsigned b = first; b < first + size; ++b) {
    if (x->write[b] != 0 && unordered(x->write[b]))
      race(address, size, mine, x->write[b], "write", false);
    for (uint32_t t = 0; writes && t < g.thread_count; ++t)
      if (t != g.current && x->read[t][b] > g.self->clock.at[t])
        race(address, size, mine, make_epoch(t, x->read[t][b]), "read", false);
  }
}

void touch(Loc* loc) {
  memset(loc->reads, 0, sizeof loc->reads);
  memset(loc->writes, 0, sizeof loc->writes);
  loc->touched = true;
}

void shadow_setup() {
  if (shadow.world != nullptr) return;
  void* world = mmap(reinterpret_cast<void*>(kWorldBase), kWorldBytes, PROT_READ | PROT_WRITE,
                     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED_NOREPLACE, -1, 0);
  SCHED_CHECK(world == reinterpret_cast<void*>(kWorldBase),
              "the engine's address range is taken (0x200000000000)");
  dl_iterate_phdr(find_image, nullptr);
  shadow.world = map_pages<Cell>(kWorldBytes / 8 * sizeof(Cell));
  shadow.image = map_pages<Cell>((shadow.image_bytes / 8 + 1) * sizeof(Cell));
  shadow.locs = map_pages<Loc>(kMaxLocs * sizeof(Loc));
  shadow.extras = map_pages<Extra>(kMaxExtras * sizeof(Extra));
  others = map_pages<OtherCell>(kOtherCells * sizeof(OtherCell));
}

void shadow_forget_heap(size_t from, size_t to) {
  memset(static_cast<void*>(shadow.world + from / 8), 0, (to - from + 32) / 8 * sizeof(Cell));
}

void shadow_reset() {
  shadow.loc_count = 0;
  shadow.extra_count = 0;
  ++execution;
  other_count = 0;
}

void shadow_forget_elsewhere(uintptr_t from, uintptr_t to) {
  if (other_count == 0) return;
  for (uint32_t i = 0; i < kOtherCells; ++i) {
    OtherCell& o = others[i];
    if (o.execution == execution && o.granule >= from >> 3 && o.granule < to >> 3) o.cell = {};
  }
}

void shadow_wipe() {
  madvise(shadow.world, kWorldBytes / 8 * sizeof(Cell), MADV_DONTNEED);
  madvise(shadow.image, (shadow.image_bytes / 8 + 1) * sizeof(Cell), MADV_DONTNEED);
}

Cell* other_cell(uintptr_t address) {
  uintptr_t granule = address >> 3;
  uint32_t i = static_cast<uint32_t>(granule * 0x9E3779B97F4A7C15u >> 50);
  for (;; i = (i + 1) & (kOtherCells - 1)) {
    OtherCell& o = others[i];
    if (o.execution != execution) {
      if (++other_count > kOtherCells / 2)
        fail_execution(FailureKind::kLimit, "", "too much memory outside heap, stacks and globals");
      o = {granule, execution, {}};
      return &o.cell;
    }
    if (o.granule == granule) return &o.cell;
  }
}

Loc* loc_slow(Cell* cell, uintptr_t address, unsigned size) {
  uint16_t* link = &cell->loc;
  if (locs_in(cell) != nullptr) {
    while (*link != 0) {
      Loc* loc = &shadow.locs[*link];
      if (loc->address == address) return loc;
      link = &loc->next;
    }
  }
  if (shadow.loc_count + 1 >= kMaxLocs)
    fail_execution(FailureKind::kLimit, "", "too many atomics and locks for one execution");
  uint32_t i = ++shadow.loc_count;
  *link = static_cast<uint16_t>(i);
  Loc* loc = &shadow.locs[i];
  loc->cell = cell;
  loc->address = address;
  loc->next = 0;
  loc->size = static_cast<uint8_t>(size);
  loc->sync = 0;
  loc->store_count = 0;
  loc->notifications = 0;
  memset(loc->stale_run, 0, sizeof loc->stale_run);
  loc->touched = false;
  return loc;
}

void check_read(Cell* cell, uintptr_t address, unsigned size) {
  unsigned mask = mask_of(address, size);
  Epoch me = g.epoch;
  if ((cell->read == me && (cell->read_mask & mask) == mask) ||
      (cell->write == me && (cell->write_mask & mask) == mask))
    return;  // recorded already, since nothing was released in between
  if (cell->loc != 0) check_against_atomics(cell, address, size, false, false);
  Extra* x = extra_of(cell);
  if (x != nullptr && x->latest_read[g.current] == epoch_clock(me) &&
      (x->latest_mask[g.current] & mask) == mask)
    return;
  if (x == nullptr) {
    if ((cell->write_mask & mask) != 0 && unordered(cell->write))
      race(address, size, "read", cell->write, "write", false);
    Epoch old = cell->read;
    bool covered = (cell->read_mask & ~mask) == 0;
    if (cell->read_mask == 0 || stale(old) ||
        (covered && (epoch_thread(old) == g.current || g.self->clock.knows(old)))) {
      cell->read = me;
      cell->read_mask = static_cast<uint8_t>(mask);
      return;
    }
    if (old == me) {
      cell->read_mask = static_cast<uint8_t>(cell->read_mask | mask);
      return;
    }
    x = inflate(cell);
  }
  check_extra_read(x, address, size);
  cell->read = me;  // from here on only a cache for the test above
  cell->read_mask = static_cast<uint8_t>(mask);
}

void check_write(Cell* cell, uintptr_t address, unsigned size, bool is_free) {
  unsigned mask = mask_of(address, size);
  Epoch me = g.epoch;
  if (cell->write == me && (cell->write_mask & mask) == mask && cell->loc == 0 && !is_free &&
      (cell->read_mask == 0 || cell->read == me || stale(cell->read)) && cell->extra == 0)
    return;
  if (cell->loc != 0) check_against_atomics(cell, address, size, true, is_free);
  Extra* x = extra_of(cell);
  if (x == nullptr) {
    if ((cell->write_mask & mask) != 0 && unordered(cell->write))
      race(address, size, "write", cell->write, "write", is_free);
    if ((cell->read_mask & mask) != 0 && unordered(cell->read))
      race(address, size, "write", cell->read, "read", is_free);
    Epoch old = cell->write;
    if (cell->write_mask == 0 || stale(old) || (cell->write_mask & ~mask) == 0) {
      cell->write = me;
      cell->write_mask = static_cast<uint8_t>(mask);
      return;
    }
    if (old == me) {
      cell->write_mask = static_cast<uint8_t>(cell->write_mask | mask);
      return;
    }
    x = inflate(cell);
  }
  check_extra_write(x, address, size, is_free);
  cell->write = me;
  cell->write_mask = static_cast<uint8_t>(mask);
}

void bad_heap_access(Cell* cell, uintptr_t address, unsigned size, bool writes) {
  fail_heap(address, size, writes, cell->heap == kHeapFreed);
}

}  // namespace sched
