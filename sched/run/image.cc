// SPDX-License-Identifier: Apache-2.0
#include "sched/run/image.h"

#include <sys/mman.h>
#include <unistd.h>

#include <cstdint>
#include <cstring>
#include <vector>

#include "sched/fatal.h"
#include "sched/run/marks.h"

namespace sched::program {
namespace {

constexpr uintptr_t kPage = 4096;

// Restored by copying; `saved` empty: by zeroing.
struct Copied {
  char* begin;
  size_t size;
  std::vector<char> saved;
};
struct Mapped {
  char* begin;
  size_t size;
};
std::vector<Copied> copied;
std::vector<Mapped> mapped;

void copy(char* begin, char* end, bool zero) {
  if (begin == end) return;
  copied.push_back({begin, static_cast<size_t>(end - begin), {}});
  if (!zero) copied.back().saved.assign(begin, end);
}

// A file in memory with these bytes.
int file_of(const char* begin, size_t size) {
  int fd = memfd_create("lastput image", MFD_CLOEXEC);
  SCHED_CHECK(fd >= 0, "memfd_create failed");
  for (size_t done = 0; done < size;) {
    ssize_t n = write(fd, begin + done, size - done);
    SCHED_CHECK(n > 0, "no memory for the image of the program's globals");
    done += static_cast<size_t>(n);
  }
  return fd;
}

void map(char* begin, char* end, bool zero) {
  const auto size = static_cast<size_t>(end - begin);
  const int fd = zero ? -1 : file_of(begin, size);
  const int flags = MAP_PRIVATE | MAP_FIXED | MAP_NORESERVE | (zero ? MAP_ANONYMOUS : 0);
  void* p = mmap(begin, size, PROT_READ | PROT_WRITE, flags, fd, 0);
  SCHED_CHECK(p == begin, "cannot map the program's globals");
  if (fd >= 0) close(fd);
  madvise(begin, size, MADV_NOHUGEPAGE);  // one byte written would cost 2 MiB
  mapped.push_back({begin, size});
}

void keep(char* begin, char* end, bool zero) {
  auto* low = reinterpret_cast<char*>((reinterpret_cast<uintptr_t>(begin) + kPage - 1) & -kPage);
  auto* high = reinterpret_cast<char*>(reinterpret_cast<uintptr_t>(end) & -kPage);
  if (static_cast<size_t>(end - begin) <= kCopyBytes || low >= high) return copy(begin, end, zero);
  copy(begin, low, zero);
  map(low, high, zero);
  copy(high, end, zero);
}

}  // namespace

void image_setup() {
  SCHED_CHECK(&sched_run_data_begin[0] <= &sched_run_data_end[0] &&
                  &sched_run_bss_begin[0] <= &sched_run_bss_end[0],
              "the linker did not keep the order of its command line");
  keep(sched_run_data_begin, sched_run_data_end, false);
  keep(sched_run_bss_begin, sched_run_bss_end, true);
}

void image_restore() {
  for (const Copied& c : copied) {
    if (c.saved.empty())
      memset(c.begin, 0, c.size);
    else
      memcpy(c.begin, c.saved.data(), c.size);
  }
  for (const Mapped& m : mapped) madvise(m.begin, m.size, MADV_DONTNEED);
}

}  // namespace sched::program
