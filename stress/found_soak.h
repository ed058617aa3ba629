// SPDX-License-Identifier: Apache-2.0
// The scenarios of short-lived refs that readers find: entries are listed in slots, found under RCU, taken by tryget_live, used and
// dropped; they are taken off the list by who replaces them, or by their own release, and freed at the end of the pipe.
//
//   G1 G2 M1  by release: nobody's hands hold the entry         G4  no tryget_live that follows a confirm
//   U1        readers see no age beyond kReleased                G3 M2  when all are parked, everything is freed
#ifndef LASTPUT_STRESS_FOUND_SOAK_H_
#define LASTPUT_STRESS_FOUND_SOAK_H_

#include <memory>

#include "stress/scenario.h"

namespace stress {

struct FoundMix {
  bool killed = true;    // entries that somebody kills
  bool managed = false;  // entries that the manager releases; both: half of them each
  bool cargo =
      false;  // an entry holds an area of a pool, and a reference of a ref that changes its mode
};
std::unique_ptr<Scenario> make_found_soak(const Setup& setup, const FoundMix& mix);

}  // namespace stress

#endif  // LASTPUT_STRESS_FOUND_SOAK_H_
