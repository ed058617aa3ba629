// SPDX-License-Identifier: Apache-2.0
// The portable platform: percpu sections and their grace period in plain C++20.
//
// A section is a reader of ReaderCounts (reader_counts.h): it raises a count of its CPU, loads the
// ref's word, adds, and lowers the count.
//
// Why a grace period waits for every section that matters, in one argument: a section raises its
// count and then loads the word; a switch sets ATOMIC in the word and then loads the count. All
// four are seq_cst, so either the grace period sees the raised count, and waits, or the section
// sees ATOMIC, and does not touch a percpu counter. Violated, a sum misses a section's add: a
// reference is lost (G2) or never released (G3).
//
// Operations rather than fences, because thread sanitizers understand operations.
#ifndef PERCPU_CORE_PLATFORM_PORTABLE_PERCPU_PLATFORM_H_
#define PERCPU_CORE_PLATFORM_PORTABLE_PERCPU_PLATFORM_H_

#include <atomic>
#include <cstddef>
#include <cstdint>

// The inline namespace of everything that depends on the platform: one program may hold several.
#define PERCPU_PLATFORM portable

#include "../counter_ref.h"
#include "../reader_counts.h"

namespace percpu {
inline namespace PERCPU_PLATFORM {
namespace platform {

// The word's low bits belong to the flags: a section counts only where all of them are clear.
inline constexpr uintptr_t kFlagMask = 7;
// Distance in bytes between the same area on neighbouring CPUs. Small: a domain is cheap to make.
inline constexpr size_t kStride = 1024;
inline constexpr size_t kCacheLine = 64;
inline constexpr unsigned kMaxCpus = 4096;
// Whether DomainOptions may choose the number of CPUs and the index.
inline constexpr bool kCpusAreChosen = true;

// A thread that finds a lock taken sleeps at once: C++ has no word for a pause.
inline constexpr unsigned kLockPauses = 0;
inline void pause() noexcept {}  // unreached: kLockPauses is 0

// The CPUs that a domain has unless it is told otherwise.
unsigned default_cpus() noexcept;
// Null if this process counts in percpu memory; else why it does not. Here it always does.
inline const char* why_no_sections() noexcept {
  return nullptr;
}

// The percpu sections of one domain.
class Sections {
 public:
  // REQUIRES: 1 <= cpus <= kMaxCpus. ERRORS: std::bad_alloc. No index: thread_number().
  Sections(unsigned cpus, ReaderCounts::CpuIndex cpu_index, void* cpu_index_context)
      : readers_(cpus, cpu_index, cpu_index_context) {}
  Sections(const Sections&) = delete;
  Sections& operator=(const Sections&) = delete;

  unsigned cpus() const noexcept { return readers_.cpus(); }
  unsigned current_cpu() const noexcept { return readers_.current_cpu(); }

  // One section: loads `word`; if no flag is set in it, adds n to this CPU's counter of the area
  // that the word points to. Answers 0 if it has counted, else the word with the flag(s) that it
  // saw. `sections` may be null where the word has a flag. ORDERING: what precedes is visible after
  // the grace period of any switch whose flag was not seen.
  static uintptr_t add(Sections* sections, const std::atomic<uintptr_t>& word,
                       uint64_t n) noexcept {
    // relaxed: only init writes ABSENT's absence, and it is handed over by the program's own means.
    if (sections == nullptr) [[unlikely]]
      return word.load(std::memory_order_relaxed);
    const unsigned cpu = sections->readers_.current_cpu();
    ReaderCounts::Count& entered = sections->readers_.enter(cpu);
    // sync[section] seq_cst: comes after the raised count in the one total order; otherwise a grace
    // period and a section can miss each other. sync[publish] acquire: the counters of a ref that
    // came back to percpu mode are seen zeroed; otherwise an add is lost.
    uintptr_t seen = word.load(std::memory_order_seq_cst);
    if ((seen & kFlagMask) == 0) [[likely]] {
      // relaxed: the counters are summed only after a grace period, which orders them.
      counter(seen, cpu).fetch_add(n, std::memory_order_relaxed);
      seen = 0;
    }
    ReaderCounts::leave(entered);  // carries the add, and all that the caller did before
    return seen;
  }

  // Returns when every section has ended that did not see a flag set before the call.
  // REQUIRES: one caller at a time, outside any section. MAY BLOCK.
  void wait_for_grace_period() noexcept { readers_.wait_for_readers(); }

  // Edges for sanitizers that cannot see a platform's sections. Here they can.
  static void before_grace_period(const void* /*ref*/) noexcept {}
  static void after_grace_period(const void* /*ref*/) noexcept {}

  // The counter of `cpu` in the 8-byte area at `area`.
  static CounterRef counter(uintptr_t area, unsigned cpu) noexcept {
    return CounterRef(*reinterpret_cast<uint64_t*>(area + cpu * kStride));
  }

 private:
  ReaderCounts readers_;
};

}  // namespace platform
}  // namespace PERCPU_PLATFORM
}  // namespace percpu

#endif  // PERCPU_CORE_PLATFORM_PORTABLE_PERCPU_PLATFORM_H_
