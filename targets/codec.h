// SPDX-License-Identifier: Apache-2.0
// Programs as bytes: what a fuzzer mutates.
//
//   byte     holds (missing bytes are 0; bits not named are not read)
//   0        version, 1 or 2. No bytes at all: the smallest program. Another version: nothing is read.
//   1        bits 0-1 leftovers (3 = 0), bit 2 plain points; not in version 1, nor in sequential programs:
//            bit 3 misuse, bit 4 slow callbacks
//   2        refs - 1 (mod 3)           3   cpus - 1 (mod 4)       4   threads - 1 (mod 8)
//   5        schedules - 1 (mod 16)     6   interval (mod 64)
//   7        below 192: no failing allocation; else its number is byte - 191
//   8..11    seed of the schedules, little endian
//   12..15   ref 0: flags (bits 0-2, 7), release (3-4), ending (5-6) | controller | tokens of thread
//   t:
//            16 bits little endian, bits 2t and 2t+1
//   16..23   refs 1 and 2, the same
//   24..27   pools: low (bits 0-1), high - low (2-4), size (5-6, of kPoolSizes) | alignment (0-1, of
//            kPoolAlignments), ending (2-3), of the first: whether there is a second (4)
//   28..29   lists: form (bits 0-1), elements (2-3), of the first: whether there is a second (4)
//   30       manager: bit 0 its thread is started, bits 1-3 refs that a run visits - 1
//   31       classes of operations that are left out; not in version 1, nor in sequential programs
//   32..     records of 3 bytes; an incomplete last one is not read
//     b0 < 192    operation b0 mod 128 (version 1: mod 32) | thread (bits 0-2, mod threads), ref, pool or list
//     (bits 3-4, mod what there is) |
//     argument b0 >= 192   preemption: points | thread
//
// Refs, pools and lists are read where the target has them (kKinds).
//
// Records of one size, each naming its thread, keep what an edit does local: no other operation
// moves to another thread or changes its meaning.
//
// GUARANTEES decode(encode(P)) == P for every valid P; check(decode(bytes)) finds nothing, for any
// bytes.
#ifndef LASTPUT_TARGETS_CODEC_H_
#define LASTPUT_TARGETS_CODEC_H_

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "targets/program.h"

namespace targets {

inline constexpr uint8_t kCodecVersion = 2;  // what encode writes
constexpr bool is_known_version(uint8_t version) {
  return version == 1 || version == 2;
}
inline constexpr size_t kSetupBytes = 32;
inline constexpr size_t kRecordBytes = 3;
inline constexpr uint8_t kPreemptionRecord = 192;
inline constexpr size_t kMaxEncodedBytes =
    kSetupBytes + kRecordBytes * (kMaxThreads * kMaxOperations + kMaxPreemptions);

struct Decoded {
  Program program;
  bool unknown_version = false;  // the program is then the smallest one
  unsigned dropped = 0;          // records: unknown operations, too many, or statically illegal
};
// Never fails. A sequential program has one thread, and keeps its illegal operations.
Decoded decode(std::span<const uint8_t> bytes, Kind kind);

// REQUIRES: check(program, ...) finds nothing.
std::vector<uint8_t> encode(const Program& program);

}  // namespace targets

#endif  // LASTPUT_TARGETS_CODEC_H_
