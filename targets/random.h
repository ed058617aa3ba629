// SPDX-License-Identifier: Apache-2.0
// The one generator of this folder (splitmix64, Steele et al. 2014: fast, and good for any seed).
#ifndef LASTPUT_TARGETS_RANDOM_H_
#define LASTPUT_TARGETS_RANDOM_H_

#include <cstdint>

namespace targets {

class Random {
 public:
  explicit Random(uint64_t seed) : state_(seed) {}
  uint64_t next() {
    state_ += 0x9e3779b97f4a7c15;
    uint64_t z = state_;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    return z ^ (z >> 31);
  }
  // REQUIRES: n > 0.
  unsigned below(unsigned n) { return static_cast<unsigned>((next() >> 32) * n >> 32); }
  bool one_in(unsigned n) { return below(n) == 0; }

 private:
  uint64_t state_;
};

}  // namespace targets

#endif  // LASTPUT_TARGETS_RANDOM_H_
