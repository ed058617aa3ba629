// SPDX-License-Identifier: Apache-2.0
// Growth: what a number of equal things takes from the allocator, divided by their number.
#ifndef LASTPUT_BENCH_GROWTH_H_
#define LASTPUT_BENCH_GROWTH_H_

#include <malloc.h>

#include <cstddef>

namespace bench {

inline constexpr size_t kThings = 100'000;

// REQUIRES: nothing is freed meanwhile that was there before.
class Growth {
 public:
  double bytes_of_one() const noexcept {
    return static_cast<double>(allocated_bytes() - before_) / kThings;
  }

 private:
  static size_t allocated_bytes() noexcept {
    const struct mallinfo2 info = mallinfo2();
    return info.uordblks + info.hblkhd;
  }

  const size_t before_ = allocated_bytes();
};

}  // namespace bench

#endif  // LASTPUT_BENCH_GROWTH_H_
