// SPDX-License-Identifier: Apache-2.0
// The linux platform: a percpu section is a restartable sequence (rseq), its grace period a
// membarrier.
//
// A section's instructions lie between two labels that the kernel knows from the thread's rseq
// area. If the thread is preempted, migrated or signalled in between, it goes on at the abort
// handler, which starts over; the add to the counter of this CPU is the last instruction, so either
// all of it has happened, undisturbed on one CPU, or nothing has. The word is loaded inside the
// section.
//
// Grace period: membarrier(PRIVATE_EXPEDITED_RSEQ) makes every section that is running restart, so
// none is left that loaded the word before ATOMIC was set in it. That is the call's promise. That
// its return also orders everything that those threads did before (a put makes writes visible, G7;
// the counters hold all adds, G6) rests on how the kernel does it: it executes a full barrier on
// each CPU that runs a thread of the process, and a context switch is one for the others. The
// stress tests watch this.
//
// The kernel may look at the section that a thread has entered last, long after its end. So code
// with sections in it must not be unloaded (dlclose) while such threads run: -z nodelete.
//
// A thread without rseq, or a process (old kernel or C library, gVisor, valgrind, the tunable
// glibc.pthread.rseq=0, a seccomp filter), has no second kind of section: it counts on the shared
// counter always, which is right in every mode. cpu_id is then not below the limit, or the limit is
// 0. aarch64 and others take that path until somebody writes their section and can test it.
#ifndef PERCPU_CORE_PLATFORM_LINUX_PERCPU_PLATFORM_H_
#define PERCPU_CORE_PLATFORM_LINUX_PERCPU_PLATFORM_H_

#include <atomic>
#include <cstddef>
#include <cstdint>

#if defined(__x86_64__) && __has_include(<sys/rseq.h>)
#include <sys/rseq.h>
#define PERCPU_HAS_RSEQ 1
#else
#define PERCPU_HAS_RSEQ 0
#endif

// Keeps the jump over the path that is not taken out of the one that is. clang guesses right.
#if defined(__clang__)
#define PERCPU_COLD_LABEL
#else
#define PERCPU_COLD_LABEL __attribute__((cold))
#endif

// Sanitizers do not see inline assembly: a TSan build announces the edges that sections make.
#if defined(__SANITIZE_THREAD__)
#define PERCPU_ANNOUNCES_EDGES 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define PERCPU_ANNOUNCES_EDGES 1
#endif
#endif
#ifdef PERCPU_ANNOUNCES_EDGES
extern "C" void __tsan_acquire(void* address);
extern "C" void __tsan_release(void* address);
#endif

// The inline namespace of everything that depends on the platform: one program may hold several.
#define PERCPU_PLATFORM linux_rseq

#include "../counter_ref.h"

namespace percpu {
inline namespace PERCPU_PLATFORM {
namespace platform {

// The word's low bits belong to the flags: a section counts only where all of them are clear.
inline constexpr uintptr_t kFlagMask = 7;
// The flag that add answers where the thread cannot count in percpu memory at all.
inline constexpr uintptr_t kSharedFlag = 1;
// Distance in bytes between the same area on neighbouring CPUs: a power of two, so that a shift
// finds it.
inline constexpr unsigned kStrideShift = 15;
inline constexpr size_t kStride = size_t{1} << kStrideShift;
inline constexpr size_t kCacheLine = 64;
inline constexpr unsigned kMaxCpus = 8192;
// Whether DomainOptions may choose the number of CPUs and the index.
inline constexpr bool kCpusAreChosen = false;

// A thread that finds the domain's lock taken tries again after 1, 2, 4, ... and this many pauses, a
// few microseconds in all, before it sleeps.
inline constexpr unsigned kLockPauses = 64;
inline void pause() noexcept {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  __asm__ volatile("isb");
#endif
}

// Possible CPUs: the largest id that /sys/devices/system/cpu/possible names, plus 1. 1 if unknown.
unsigned default_cpus() noexcept;
// Null if this process counts in percpu memory; else why it does not. Settled by the first domain.
const char* why_no_sections() noexcept;

// What every section asks, one cache line: written once, before the first ref.
struct alignas(kCacheLine) ProcessState {
  uint32_t cpu_limit;  // sections count on CPUs below this; 0: nobody does
};
// Hidden, so that code in the same program reads it directly, and a copy in a shared object of the
// user's is that object's own; in a shared library of the core's it has to be seen from outside.
#ifdef PERCPU_SHARED
__attribute__((visibility("default"))) extern ProcessState process_state;
#else
__attribute__((visibility("hidden"))) extern ProcessState process_state;
#endif

// The percpu sections of one domain.
class Sections {
 public:
  using CpuIndex = unsigned (*)(void*);

  Sections(unsigned cpus, CpuIndex /*cpu_index*/, void* /*cpu_index_context*/) noexcept;
  Sections(const Sections&) = delete;
  Sections& operator=(const Sections&) = delete;

  unsigned cpus() const noexcept { return cpus_; }
  // 0 if it is not known.
  unsigned current_cpu() const noexcept;

  // One section: loads `word`; if no flag is set in it, adds n to this CPU's counter of the area
  // that the word points to. Answers 0 if it has counted, else the word with a flag set. ORDERING:
  // what precedes is visible after the grace period of any switch whose flag was not seen.
  static uintptr_t add(Sections* /*sections*/, const std::atomic<uintptr_t>& word,
                       uint64_t n) noexcept {
    announce_section(&word, static_cast<int64_t>(n) < 0);
    if (add_on_this_cpu(word, n)) [[likely]]
      return 0;
    // relaxed: the flags decide which counter is right, DEAD and ABSENT what the caller is told;
    // the shared counter itself orders what has to be ordered. No flag: the mode has changed since.
    return word.load(std::memory_order_relaxed) | kSharedFlag;
  }

  // Returns when every section has ended or restarted that did not see a flag set before the call.
  // MAY BLOCK.
  void wait_for_grace_period() noexcept;

#ifdef PERCPU_ANNOUNCES_EDGES
  // Two addresses inside the ref, so that a put of one thread does not seem to order another's get.
  static void announce_section(const void* ref, bool put) noexcept {
    char* const address = static_cast<char*>(const_cast<void*>(ref));
    __tsan_acquire(address + 1);
    if (put) __tsan_release(address);  // before the section: after it the ref may be gone
  }
  static void before_grace_period(const void* ref) noexcept {
    __tsan_release(static_cast<char*>(const_cast<void*>(ref)) + 1);
  }
  static void after_grace_period(const void* ref) noexcept {
    __tsan_acquire(const_cast<void*>(ref));
  }
#else
  static void announce_section(const void* /*ref*/, bool /*put*/) noexcept {}
  static void before_grace_period(const void* /*ref*/) noexcept {}
  static void after_grace_period(const void* /*ref*/) noexcept {}
#endif

  // The counter of `cpu` in the 8-byte area at `area`.
  static CounterRef counter(uintptr_t area, unsigned cpu) noexcept {
    return CounterRef(*reinterpret_cast<uint64_t*>(area + cpu * kStride));
  }

 private:
  static bool add_on_this_cpu(const std::atomic<uintptr_t>& word, uint64_t n) noexcept;

  const unsigned cpus_;
};

#if PERCPU_HAS_RSEQ

// Offsets in struct rseq, and the four bytes before an abort handler that tell the kernel it is
// one.
static_assert(offsetof(struct rseq, cpu_id) == 4 && offsetof(struct rseq, rseq_cs) == 8);
static_assert(RSEQ_SIG == 0x53053053);

[[gnu::always_inline]] inline bool Sections::add_on_this_cpu(const std::atomic<uintptr_t>& word,
                                                             uint64_t n) noexcept {
  // sync[section] restartable: from label 1 to label 2, against the membarrier of the grace period.
  // sync[publish] acquire: the load of the word; loads of x86 are.
  // sync[leave] release: the add; stores of x86 are, and the membarrier orders them for the sum.
  // "?" in pushsection keeps the table with the one copy of an inline function that the linker
  // keeps. `inline`: the compiler takes it for one instruction, not for its lines, when it decides
  // what to inline.
  asm inline goto(
      R"(
      .pushsection __rseq_cs, "aw?"
      .balign 32
    3:
      .long 0, 0
      .quad 1f, 2f - 1f, 4f
      .popsection
    5:
      leaq 3b(%%rip), %%rax
      movq %%rax, %%fs:8(%[rseq])
    1:
      movl %%fs:4(%[rseq]), %%eax
      cmpl %[limit], %%eax
      jae %l[shared]
      movq %[word], %%rcx
      shlq %[shift], %%rax
      testb %[flags], %%cl
      jnz %l[shared]
      addq %[n], (%%rcx, %%rax)
    2:
      .pushsection __rseq_failure, "ax?"
      .byte 0x0f, 0xb9, 0x3d
      .long 0x53053053
    4:
      jmp 5b
      .popsection
      )"
      :
      : [rseq] "r"(__rseq_offset), [limit] "m"(process_state.cpu_limit),
        [word] "m"(*reinterpret_cast<const uintptr_t*>(&word)), [shift] "i"(kStrideShift),
        [flags] "i"(kFlagMask), [n] "er"(n)
      : "rax", "rcx", "cc", "memory"
      : shared);
  return true;
shared:
  PERCPU_COLD_LABEL;
  return false;
}

#else

inline bool Sections::add_on_this_cpu(const std::atomic<uintptr_t>& /*word*/,
                                      uint64_t /*n*/) noexcept {
  return false;
}

#endif  // PERCPU_HAS_RSEQ

}  // namespace platform
}  // namespace PERCPU_PLATFORM
}  // namespace percpu

#endif  // PERCPU_CORE_PLATFORM_LINUX_PERCPU_PLATFORM_H_
