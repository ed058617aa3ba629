// SPDX-License-Identifier: Apache-2.0
// The least that a restartable sequence can do: add to a table that is indexed by CPU. No flags are
// looked at, and nobody can ever know the sum.
#ifndef LASTPUT_BENCH_BARE_RSEQ_H_
#define LASTPUT_BENCH_BARE_RSEQ_H_

#include <sys/rseq.h>

#include <cstddef>
#include <cstdint>
#include <memory>

#include "core/domain.h"

namespace bench {

class BareRseqCount {
 public:
  static constexpr bool kNeedsSections = true;

  void pair() noexcept {
    add(1);
    add(-1);
  }

 private:
  static constexpr unsigned kShift = 15;

  [[gnu::always_inline]] void add(int64_t n) noexcept {
    asm volatile(
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
        shlq %[shift], %%rax
        addq %[n], (%[table], %%rax)
      2:
        .pushsection __rseq_failure, "ax?"
        .byte 0x0f, 0xb9, 0x3d
        .long 0x53053053
      4:
        jmp 5b
        .popsection
        )"
        :
        : [rseq] "r"(__rseq_offset), [table] "r"(counter_), [shift] "i"(kShift), [n] "er"(n)
        : "rax", "cc", "memory");
  }

  // One table for all counts, as percpu memory is.
  static std::byte* table() {
    static const auto memory =
        std::make_unique<std::byte[]>(size_t{percpu::platform::default_cpus()} << kShift);
    return memory.get();
  }

  static inline size_t next_ = 0;

  std::byte* const counter_ = table() + next_++ * 8 % (size_t{1} << kShift);
};

}  // namespace bench

#endif  // LASTPUT_BENCH_BARE_RSEQ_H_
