// SPDX-License-Identifier: Apache-2.0
// The rounds of a night, made beforehand from a seed: cells (a scenario under a sanitizer on a platform by a compiler; a fuzz
// target on the engine or on real threads), each as often as its weight says.
#ifndef LASTPUT_STRESS_NIGHTLY_PLAN_H_
#define LASTPUT_STRESS_NIGHTLY_PLAN_H_

#include <cstdint>
#include <string>
#include <vector>

namespace nightly {

struct Cell {
  std::string name;     // "stress/pool/thread/linux/clang", "fuzz/managed/engine"
  std::string command;  // of ./lastput, but for time, seed and threads
  unsigned weight = 1;
  bool soaks = true;  // else it fuzzes
};

struct Wishes {
  uint64_t seed = 1;
  unsigned seconds = 8 * 3600;         // all rounds together
  std::vector<std::string> scenarios;  // of ./lastput stress
  std::vector<std::string> targets;    // of ./lastput fuzz
  std::vector<std::string> platforms = {"linux", "portable"};
  std::string only;   // cells whose name has this in it
  std::string bug;    // "": the core as it is
  std::string clang;  // the compiler of all but the cells of g++; "": as ./lastput chooses
  bool has_gcc = true;
};

struct Round {
  unsigned number = 0;  // from 1
  unsigned seconds = 0;
  std::string cell;
  std::string command;  // of ./lastput, whole
};

struct Plan {
  std::vector<Cell> cells;
  std::vector<Round> rounds;  // soaks first
};

// Every cell has a round before any has a second one; then the next is that with the fewest rounds for its weight (stride
// scheduling: Waldspurger, Weihl 1995). So counts come close to the proportions of the weights. Which comes first among equals is
// drawn by weight: a night too short for all cells has mostly the heavy ones. The same wishes make the same plan.
Plan make_plan(const Wishes& wishes);

}  // namespace nightly

#endif  // LASTPUT_STRESS_NIGHTLY_PLAN_H_
