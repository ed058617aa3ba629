// SPDX-License-Identifier: Apache-2.0
// What a reference count under test can do, and programs that ask no more of it (ref_under_test.h).
#ifndef LASTPUT_TARGETS_ABILITIES_H_
#define LASTPUT_TARGETS_ABILITIES_H_

#include <array>

#include "targets/program.h"

namespace targets {

struct Abilities {
  bool own_core = true;  // all of them, and managers, pools, lists, misuse
  std::array<bool, kOperationNumbers> lacks = {};  // by OpCode; of own_core: none
  constexpr bool has(OpCode code) const { return !lacks[static_cast<size_t>(code)]; }
};

// What came of the init of a count.
enum class Begun : uint8_t { kLives, kNoMemory, kRefused };

// Changes the program to one that calls nothing that is lacking: such operations go, and flags, releases and
// endings become the nearest ones that are there. A count without kill is atomic, and ends put_only: where a program
// kills, it puts the initial reference.
// ENSURES: check(*program, Kind::kPercpuRef) finds nothing; a second time changes nothing. Programs of own_core
// stay as they are. REQUIRES: check() finds nothing.
// Returns how many operations went.
unsigned fit(const Abilities& abilities, Program* program);

}  // namespace targets

#endif  // LASTPUT_TARGETS_ABILITIES_H_
