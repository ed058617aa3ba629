// SPDX-License-Identifier: Apache-2.0
// Counts for the _many operations in one byte: all small ones, and those around powers of two,
// where counters that are too narrow break.
//
//   byte       count
//   0..63      1..64
//   64..113    2^7 .. 2^56
//   114..163   2^7 - 1 .. 2^56 - 1
//   164..255   1..8, again and again (never written by count_to_byte)
#ifndef LASTPUT_TARGETS_COUNT_H_
#define LASTPUT_TARGETS_COUNT_H_

#include <cstdint>
#include <optional>

namespace targets {

inline constexpr unsigned kFirstPower = 7;
inline constexpr unsigned kPowers = 50;

constexpr uint64_t count_from_byte(uint8_t byte) {
  if (byte < 64) return byte + 1u;
  if (byte < 64 + kPowers) return uint64_t{1} << (byte - 64u + kFirstPower);
  if (byte < 64 + 2 * kPowers) return (uint64_t{1} << (byte - 64u - kPowers + kFirstPower)) - 1;
  return (byte - 64u - 2 * kPowers) % 8 + 1;
}

// The smallest byte that stands for `count`; none if no byte does.
constexpr std::optional<uint8_t> count_to_byte(uint64_t count) {
  for (unsigned byte = 0; byte < 256; ++byte)
    if (count_from_byte(static_cast<uint8_t>(byte)) == count) return static_cast<uint8_t>(byte);
  return std::nullopt;
}

}  // namespace targets

#endif  // LASTPUT_TARGETS_COUNT_H_
