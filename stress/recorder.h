// SPDX-License-Identifier: Apache-2.0
// The flight recorder: each thread's last operations, with the time at which they began. A ring has one writer, and no lock; it
// may be read at any time, when the entry that is being written may be torn. The rings are a file mapped into memory, so that
// they outlive whatever ends the process; or plain memory where no file can be had.
#ifndef LASTPUT_STRESS_RECORDER_H_
#define LASTPUT_STRESS_RECORDER_H_

#include <array>
#include <atomic>
#include <cstdint>
#include <string>
#include <vector>

#include "targets/program.h"

#if defined(__x86_64__)
#include <x86intrin.h>
#else
#include <chrono>
#endif

namespace stress {

// Ticks of a clock that all CPUs share.
inline uint64_t ticks() noexcept {
#if defined(__x86_64__)
  return __rdtsc();
#else
  return static_cast<uint64_t>(std::chrono::steady_clock::now().time_since_epoch().count());
#endif
}

struct Recorded {
  uint64_t at = 0;  // ticks
  targets::OpCode code = targets::OpCode::kYield;
  unsigned object = 0;    // below 2^16
  uint64_t argument = 0;  // modulo 2^32
  bool answered = false;  // the call has returned with an answer
  bool answer = false;
};

class Ring {
 public:
  static constexpr unsigned kEntries = 2048;

  void begin(targets::OpCode code, unsigned object, uint64_t argument = 0) noexcept {
    const uint64_t index = next_.load(std::memory_order_relaxed);
    Entry& entry = entries_[index % kEntries];
    // relaxed (all of it): one writer; a reader takes what it finds.
    entry.at.store(ticks(), std::memory_order_relaxed);
    entry.what.store(static_cast<uint64_t>(code) | uint64_t{object & 0xffff} << 8 | argument << 32,
                     std::memory_order_relaxed);
    next_.store(index + 1, std::memory_order_relaxed);
  }
  // Of the operation that has begun last.
  void answer(bool yes) noexcept {
    Entry& entry = entries_[(next_.load(std::memory_order_relaxed) - 1) % kEntries];
    const uint64_t what = entry.what.load(std::memory_order_relaxed);
    entry.what.store(what | kAnswered | (yes ? kYes : 0), std::memory_order_relaxed);
  }
  uint64_t recorded() const noexcept { return next_.load(std::memory_order_relaxed); }
  // The last ones, the oldest first; at most `most`.
  std::vector<Recorded> last(unsigned most) const;

 private:
  struct Entry {
    std::atomic<uint64_t> at;
    std::atomic<uint64_t> what;
  };
  static constexpr uint64_t kAnswered = uint64_t{1} << 24;
  static constexpr uint64_t kYes = uint64_t{1} << 25;

  alignas(128) std::atomic<uint64_t> next_;
  std::array<Entry, kEntries> entries_;
};

class Recorder {
 public:
  // So many rings in the file at `path`, which is made anew; "": in memory.
  Recorder(unsigned rings, const std::string& path);
  ~Recorder();
  Recorder(const Recorder&) = delete;
  Recorder& operator=(const Recorder&) = delete;

  Ring& ring(unsigned index) { return rings_[index]; }
  unsigned size() const { return count_; }
  // Why the rings are no file, or "".
  const std::string& obstacle() const { return obstacle_; }
  const std::string& path() const { return path_; }

 private:
  bool map_file();

  const unsigned count_;
  std::string path_, obstacle_;
  Ring* rings_ = nullptr;
};

// "  +0.000012 ms  tryget 3: yes": the last operations of a ring, one a line, times since `origin`.
std::string recorded_text(const Ring& ring, unsigned most, uint64_t origin, double ticks_per_us);

}  // namespace stress

#endif  // LASTPUT_STRESS_RECORDER_H_
