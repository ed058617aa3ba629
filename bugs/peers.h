// SPDX-License-Identifier: Apache-2.0
// What other ways to search bring on a known bug, beside the fuzzer's.
//
//   plain random   on the engine: new random programs, each under 8 schedules that switch at uniform distances;
//                  no corpus, no mutation, no other strategy (bench/hunt_known_bug.cc). Executions, by the median.
#ifndef LASTPUT_BUGS_PEERS_H_
#define LASTPUT_BUGS_PEERS_H_

#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "bugs/known_bug.h"

namespace bugs {

struct PeerOptions {
  std::filesystem::path build;  // where bin/bugs/NAME/hunt_known_bug is
  std::filesystem::path out;    // for logs
  unsigned seed = 1;            // of the first hunt
  unsigned seeds = 1;
};

// Executions after which plain random gives up.
inline constexpr unsigned kPeerExecutions = 20000;

// A peer's name, and what it brought: executions, ">N" where more than half of the hunts gave up, or why it did
// not run.
std::vector<std::pair<std::string, std::string>> ask_peers(const Hunt& hunt,
                                                           const PeerOptions& options);

// From what hunt_known_bug prints, a line "EXECUTIONS SECONDS" a seed. ERRORS: "" where it is not that.
std::string median_of_hunts(const std::string& lines, unsigned seeds, uint64_t cap);

}  // namespace bugs

#endif  // LASTPUT_BUGS_PEERS_H_
