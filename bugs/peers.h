// SPDX-License-Identifier: Apache-2.0
// What other ways to search bring on a known bug, beside the fuzzer's.
//
//   plain random   on the engine: new random programs, each under 8 schedules that switch at uniform distances;
//                  no corpus, no mutation, no other strategy (bench/hunt_known_bug.cc). Executions.
//   plain threads, tsan threads
//                  the fuzz target on real threads (FUZZING.md), without a sanitizer and under ThreadSanitizer: the seeds and
//                  the mutator of the engine's, the machine's interleavings. Executions and seconds until anything fails.
//
// Told are medians over the seeds.
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
  // Beside it, "plain" and "tsan": where bin/real/PLATFORM/bugs/NAME is
  std::filesystem::path out;  // for logs
  unsigned seed = 1;          // of the first hunt
  unsigned seeds = 1;
};

// Executions after which plain random gives up, and seconds after which real threads do.
inline constexpr unsigned kPeerExecutions = 20000;
inline constexpr unsigned kPeerSeconds = 10;

// A peer's name, and what it brought: "EXECUTIONS", or "EXECUTIONS in S s"; ">N" or ">N s" where more than half of the
// hunts gave up; or why it did not run.
std::vector<std::pair<std::string, std::string>> ask_peers(const Hunt& hunt,
                                                           const PeerOptions& options);

// From what hunt_known_bug prints, a line "EXECUTIONS SECONDS" a seed. ERRORS: "" where it is not that.
std::string median_of_hunts(const std::string& lines, unsigned seeds, uint64_t cap);

// From hunts on real threads, one or more; kNotFound executions are more than any other.
std::string median_on_threads(std::vector<Hunt::Again> hunts);

}  // namespace bugs

#endif  // LASTPUT_BUGS_PEERS_H_
