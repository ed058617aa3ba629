// SPDX-License-Identifier: Apache-2.0
#include "stress/recorder.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <new>

namespace stress {

std::vector<Recorded> Ring::last(unsigned most) const {
  std::vector<Recorded> found;
  const uint64_t end = recorded();
  // The oldest entry may be overwritten just now.
  const uint64_t kept = std::min<uint64_t>({end, most, kEntries - 1});
  for (uint64_t index = end - kept; index != end; ++index) {
    const Entry& entry = entries_[index % kEntries];
    const uint64_t what = entry.what.load(std::memory_order_relaxed);
    found.push_back({entry.at.load(std::memory_order_relaxed),
                     static_cast<targets::OpCode>(what & 0x7f),
                     static_cast<unsigned>(what >> 8 & 0xffff), what >> 32, (what & kAnswered) != 0,
                     (what & kYes) != 0});
  }
  return found;
}

Recorder::Recorder(unsigned rings, const std::string& path) : count_(rings), path_(path) {
  const size_t bytes = count_ * sizeof(Ring);
  if (!path_.empty() && map_file()) return;
  path_.clear();
  void* const memory =
      mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) throw std::bad_alloc();
  rings_ = static_cast<Ring*>(memory);
}

// All of its blocks are there before it is mapped: a full disk is told here, and not by SIGBUS later.
bool Recorder::map_file() {
  const size_t bytes = count_ * sizeof(Ring);
  const int file = open(path_.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
  struct stat kind = {};
  int error = file < 0 || fstat(file, &kind) != 0 ? errno : 0;
  if (error == 0)
    error = S_ISREG(kind.st_mode) ? posix_fallocate(file, 0, static_cast<off_t>(bytes)) : EINVAL;
  void* memory = MAP_FAILED;
  if (error == 0) {
    memory = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    if (memory == MAP_FAILED) error = errno;
  }
  if (error != 0) {
    obstacle_ = path_ + ": " + std::strerror(error);
    // What has been allocated of it goes back; a file that cannot be cut is no worse than one that cannot be written.
    if (S_ISREG(kind.st_mode) && ftruncate(file, 0) != 0) obstacle_ += "; it cannot be cut, either";
  }
  if (file >= 0) close(file);
  if (error != 0) return false;
  rings_ = static_cast<Ring*>(memory);
  return true;
}

Recorder::~Recorder() {
  munmap(rings_, count_ * sizeof(Ring));
}

std::string recorded_text(const Ring& ring, unsigned most, uint64_t origin, double ticks_per_us) {
  std::string text;
  for (const Recorded& entry : ring.last(most)) {
    const targets::OpInfo* info = targets::find_operation(static_cast<unsigned>(entry.code));
    char line[160];
    std::snprintf(line, sizeof line, "  %14.3f us  %s %u",
                  static_cast<double>(entry.at - origin) / ticks_per_us,
                  info == nullptr ? "?" : info->name, entry.object);
    text += line;
    if (entry.argument != 0) text += " " + std::to_string(entry.argument);
    if (entry.answered) text += entry.answer ? ": yes" : ": no";
    text += "\n";
  }
  return text;
}

}  // namespace stress
