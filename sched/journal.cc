// SPDX-License-Identifier: Apache-2.0
#include "sched/journal.h"

#include <sys/mman.h>

#include <cstdio>

#include "sched/fatal.h"
#include "sched/shadow.h"

namespace sched {
namespace {

struct Entry {
  uint64_t* granule;
  uint64_t before;
};
// An execution that writes globals more often than this is undone only in part, and says so.
constexpr size_t kMaxEntries = 1u << 20;
Entry* entries;
size_t count;

}  // namespace

void journal_setup() {
  if (entries != nullptr) return;
  void* p = mmap(nullptr, kMaxEntries * sizeof(Entry), PROT_READ | PROT_WRITE,
                 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  SCHED_CHECK(p != MAP_FAILED, "no address space for the journal");
  entries = static_cast<Entry*>(p);
}

void journal_reset() {
  count = 0;
}

void journal_write(uintptr_t address, size_t size) {
  if (!in_image(address)) return;
  for (uintptr_t a = address & ~uintptr_t{7}; a < address + size && count < kMaxEntries; a += 8) {
    auto* granule = reinterpret_cast<uint64_t*>(a);
    entries[count++] = {granule, *granule};
  }
}

void journal_undo() {
  if (count == kMaxEntries)
    fprintf(
        stderr,
        "lastput: an execution that was abandoned had written globals more than %zu times; not all "
        "of them are as they were before it\n",
        kMaxEntries);
  while (count != 0) {
    --count;
    *entries[count].granule = entries[count].before;
  }
}

}  // namespace sched
