// SPDX-License-Identifier: Apache-2.0
// What a fuzzing run counts and says about itself.
#ifndef LASTPUT_TARGETS_STATISTICS_H_
#define LASTPUT_TARGETS_STATISTICS_H_

#include <array>
#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

namespace targets {

// About how many different values were added: HyperLogLog (Flajolet et al. 2007), error about 1.6 %.
class DistinctCounter {
 public:
  void add(uint64_t value);
  uint64_t estimate() const;

 private:
  static constexpr unsigned kBits = 12;
  std::array<uint8_t, 1u << kBits> registers_ = {};
};

// Edges of the covered code that any execution so far has reached. The engine clears the counters before
// each input, so they are collected after each.
class EdgeCounter {
 public:
  void collect();
  size_t reached() const { return reached_; }
  static size_t known();  // 0: nothing here is covered

 private:
  std::vector<uint8_t> seen_;
  size_t reached_ = 0;
};

struct Statistics {
  bool on_engine =
      true;  // else there are no points, and what is cut off and interleaved is not known
  std::chrono::steady_clock::time_point start = std::chrono::steady_clock::now();
  uint64_t inputs = 0;
  uint64_t executions = 0;
  uint64_t points = 0;
  uint64_t cut_off = 0;          // executions that spent their step budget
  uint64_t operations = 0;       // of decoded programs, once an execution
  uint64_t dropped = 0;          // ... that their threads might not apply
  uint64_t records_dropped = 0;  // while decoding
  DistinctCounter interleavings;
  EdgeCounter edges;

  double seconds() const;
  double per_second(uint64_t count) const;
  // "12345 executions, 45000/s, 9.2 M points/s, 512 of 800 edges, ..."
  std::string progress() const;
  // Lines for a person; the last is "executions: N".
  std::string summary() const;
};

}  // namespace targets

#endif  // LASTPUT_TARGETS_STATISTICS_H_
