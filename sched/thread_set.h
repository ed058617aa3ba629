// SPDX-License-Identifier: Apache-2.0
// A set of logical threads: one word where there are few of them, some words in the wide library.
#ifndef LASTPUT_SCHED_THREAD_SET_H_
#define LASTPUT_SCHED_THREAD_SET_H_

#include <bit>
#include <cstdint>
#include <type_traits>

#include "sched/sched.h"

namespace sched {

class ThreadSet {
 public:
  constexpr ThreadSet() = default;
  static constexpr ThreadSet of(uint32_t thread) {
    ThreadSet set;
    set.add(thread);
    return set;
  }

  constexpr bool empty() const {
    Word any = 0;
    for (const Word w : words_) any |= w;
    return any == 0;
  }
  // Bit n: thread n. REQUIRES: no member above 31.
  constexpr uint32_t bits() const { return static_cast<uint32_t>(words_[0]); }
  constexpr bool has(uint32_t thread) const {
    return (words_[thread / kBits] >> thread % kBits & 1) != 0;
  }
  constexpr void add(uint32_t thread) { words_[thread / kBits] |= mask(thread); }
  constexpr void remove(uint32_t thread) { words_[thread / kBits] &= ~mask(thread); }
  constexpr uint32_t count() const {
    uint32_t n = 0;
    for (const Word w : words_) n += static_cast<uint32_t>(std::popcount(w));
    return n;
  }
  constexpr bool is_single() const { return count() == 1; }

  // The lowest. REQUIRES: not empty.
  constexpr uint32_t first() const {
    uint32_t i = 0;
    while (words_[i] == 0) ++i;
    return i * kBits + static_cast<uint32_t>(std::countr_zero(words_[i]));
  }
  // The n-th, from 0, in ascending order. REQUIRES: n < count().
  constexpr uint32_t nth(uint32_t n) const {
    uint32_t i = 0;
    if constexpr (kWords > 1) {
      for (uint32_t here; (here = static_cast<uint32_t>(std::popcount(words_[i]))) <= n; ++i)
        n -= here;
    }
    Word w = words_[i];
    for (; n != 0; --n) w &= w - 1;
    return i * kBits + static_cast<uint32_t>(std::countr_zero(w));
  }

  constexpr ThreadSet without(uint32_t thread) const {
    ThreadSet set = *this;
    set.remove(thread);
    return set;
  }
  // The members that are higher than `thread`.
  constexpr ThreadSet above(uint32_t thread) const {
    ThreadSet set = *this;
    for (uint32_t i = 0; i < thread / kBits; ++i) set.words_[i] = 0;
    set.words_[thread / kBits] &= ~(mask(thread) | (mask(thread) - 1));
    return set;
  }
  constexpr ThreadSet& operator|=(const ThreadSet& other) {
    for (uint32_t i = 0; i < kWords; ++i) words_[i] |= other.words_[i];
    return *this;
  }
  constexpr ThreadSet operator|(const ThreadSet& other) const {
    ThreadSet set = *this;
    return set |= other;
  }
  constexpr ThreadSet operator&(const ThreadSet& other) const {
    ThreadSet set = *this;
    for (uint32_t i = 0; i < kWords; ++i) set.words_[i] &= other.words_[i];
    return set;
  }
  constexpr bool operator==(const ThreadSet&) const = default;

  // Calls f(thread) for each, in ascending order.
  template <class F>
  constexpr void for_each(F f) const {
    for (uint32_t i = 0; i < kWords; ++i)
      for (Word w = words_[i]; w != 0; w &= w - 1)
        f(i * kBits + static_cast<uint32_t>(std::countr_zero(w)));
  }

 private:
  using Word = std::conditional_t<kMaxThreads <= 32, uint32_t, uint64_t>;
  static constexpr uint32_t kBits = 8 * sizeof(Word);
  static constexpr uint32_t kWords = (kMaxThreads + kBits - 1) / kBits;
  static constexpr Word mask(uint32_t thread) { return Word{1} << thread % kBits; }

  Word words_[kWords] = {};
};

}  // namespace sched

#endif  // LASTPUT_SCHED_THREAD_SET_H_
