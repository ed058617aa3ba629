// SPDX-License-Identifier: Apache-2.0
// A pair of values that readers copy without writing anything, and copy again if it changed.
// Source: H.-J. Boehm, "Can seqlocks get along with programming language memory models?", MSPC 2012.
#ifndef LASTPUT_SCHED_LITMUS_SEQLOCK_H_
#define LASTPUT_SCHED_LITMUS_SEQLOCK_H_

#include <atomic>

#include "sched/litmus/weaken.h"

namespace litmus {

enum class SeqlockDefect {
  kNone,
  kNoAcquireFence,  // the second look at the sequence may be older than the values
  kNoReleaseFence,  // a new value may be seen before the odd sequence
  kRelaxedEnd,      // the even sequence may be seen before the values
  kRelaxedBegin,    // the values may be older than the first look
  kNoSecondLook,    // accepts whatever it copied
  kTakesOdd,        // accepts what is being written
  kOddTooLate,      // the odd sequence is stored after the first value
};

template <SeqlockDefect kDefect>
class Seqlock {
 public:
  struct Values {
    int a, b;
  };

  // REQUIRES: one writer at a time, ordered after the one before.
  void write(int a, int b) {
    // relaxed: only the writer writes it.
    const unsigned even = sequence_.load(kRlx);
    if (kDefect == SeqlockDefect::kOddTooLate) a_.store(a, kRlx);
    // relaxed: the fence puts it before the values.
    sequence_.store(even + 1, kRlx);
    // sync[seqlock_values] release: who has read a value sees the odd sequence, or a later one.
    fence_unless(kDefect == SeqlockDefect::kNoReleaseFence, kRel);
    a_.store(a, kRlx);
    b_.store(b, kRlx);
    // sync[seqlock] release: who sees the even sequence sees the values.
    sequence_.store(even + 2, relaxed_if(kDefect == SeqlockDefect::kRelaxedEnd, kRel));
  }

  // Whether the copy is of one moment.
  bool try_read(Values* copy) {
    // sync[seqlock] acquire: the values are at least as new as this sequence.
    const unsigned before =
        sequence_.load(relaxed_if(kDefect == SeqlockDefect::kRelaxedBegin, kAcq));
    // relaxed: the second look tells whether they belong together.
    *copy = {a_.load(kRlx), b_.load(kRlx)};
    if (kDefect == SeqlockDefect::kNoSecondLook) return before % 2 == 0;
    // sync[seqlock_values] acquire: the second look is at least as new as the values.
    fence_unless(kDefect == SeqlockDefect::kNoAcquireFence, kAcq);
    const unsigned after = sequence_.load(kRlx);
    return before == after && (before % 2 == 0 || kDefect == SeqlockDefect::kTakesOdd);
  }

 private:
  std::atomic<unsigned> sequence_ = 0;
  std::atomic<int> a_ = 0, b_ = 0;
};

}  // namespace litmus

#endif  // LASTPUT_SCHED_LITMUS_SEQLOCK_H_
