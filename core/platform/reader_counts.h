// SPDX-License-Identifier: Apache-2.0
// ReaderCounts: who is reading, counted for each CPU and phase, and a wait until those who were
// reading have stopped. The percpu sections of the portable platform are one instance; RCU readers,
// which may be long and must not hold up sections, are another.
//
// Each CPU has two counts. A reader picks the current phase, raises the count of its CPU and phase,
// and in the end lowers that very count, wherever it runs by then. So each count by itself is 0 or
// more, and one that is seen 0 says that whoever had raised it has left. A wait sees each of them 0
// once; nothing more is needed, whichever phase a reader picked. The phases are for progress alone:
// readers that begin after the flip raise the other count, so a stream of them cannot hold up a
// wait for ever.
//
// A wait misses a reader only if it loads the count before the reader raises it. What a reader must
// then see is each user's own matter: two seq_cst operations (the sections) or two seq_cst fences
// (RCU), one between raising and looking, one between changing and waiting.
//
// "CPU" is a number below cpus(), nothing more: any thread may use any.
#ifndef PERCPU_CORE_PLATFORM_READER_COUNTS_H_
#define PERCPU_CORE_PLATFORM_READER_COUNTS_H_

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>

#ifndef PERCPU_PLATFORM
#error "include percpu_platform.h, which names the platform"
#endif

namespace percpu {
inline namespace PERCPU_PLATFORM {
namespace platform {

// A number of the calling thread's own, handed out in turn.
unsigned thread_number() noexcept;

class ReaderCounts {
 public:
  using CpuIndex = unsigned (*)(void* context);
  using Count = std::atomic<uint64_t>;

  // REQUIRES: 1 <= cpus. ERRORS: std::bad_alloc. No index: thread_number().
  ReaderCounts(unsigned cpus, CpuIndex cpu_index, void* cpu_index_context);
  ReaderCounts(const ReaderCounts&) = delete;
  ReaderCounts& operator=(const ReaderCounts&) = delete;

  unsigned cpus() const noexcept { return cpus_; }
  unsigned current_cpu() const noexcept {
    const unsigned index = cpu_index_ == nullptr ? thread_number() : cpu_index_(cpu_index_context_);
    return index < cpus_ ? index : index % cpus_;
  }

  // Begins a reader. What it answers is for leave. REQUIRES: cpu < cpus().
  Count& enter(unsigned cpu) noexcept {
    // relaxed: either phase is right, see above.
    const unsigned phase = phase_.load(std::memory_order_relaxed);
    Count& readers = slots_[cpu].readers[phase];
    // sync[section] seq_cst: the raised count comes before a section's load of the word in the one
    // total order; otherwise a grace period and a section can miss each other.
    readers.fetch_add(1, std::memory_order_seq_cst);
    return readers;
  }
  static void leave(Count& readers) noexcept {
    // sync[leave] release: what the reader did, and its thread before, is visible to the wait that
    // finds the count 0; otherwise release misses writes made before a put (G7), and an RCU
    // callback frees what is still being read (U1).
    readers.fetch_sub(1, std::memory_order_release);
  }

  // Returns when every reader has left that the first loads of this call can see.
  // REQUIRES: one caller at a time, itself no reader. MAY BLOCK: gives way at first, then sleeps,
  // longer and longer.
  void wait_for_readers() noexcept;

 private:
  static constexpr size_t kCacheLine = 64;
  struct alignas(kCacheLine) Slot {
    Count readers[2] = {};
  };

  void wait_for_readers_of(unsigned phase) noexcept;

  const std::unique_ptr<Slot[]> slots_;
  std::atomic<unsigned> phase_ = 0;
  const unsigned cpus_;
  const CpuIndex cpu_index_;
  void* const cpu_index_context_;
};

}  // namespace platform
}  // namespace PERCPU_PLATFORM
}  // namespace percpu

#endif  // PERCPU_CORE_PLATFORM_READER_COUNTS_H_
