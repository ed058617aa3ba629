// SPDX-License-Identifier: Apache-2.0
// The scenarios of long-lived refs, told apart by what their workers do how often.
//
//   G1 G2 G7  by release itself: who holds what is summed there
//   G3 G6     when all are parked: the last of all references releases, and no other
//   G4        confirm is numbered; G5: tryget cannot fail for who holds a reference
#ifndef LASTPUT_STRESS_REF_SOAK_H_
#define LASTPUT_STRESS_REF_SOAK_H_

#include <memory>
#include <vector>

#include "stress/scenario.h"
#include "targets/program.h"

namespace stress {

struct RefMix {
  // References that are taken at once, where `huge`: below 2^(kHugeBits + 1). Counters wrap, their sum does not:
  // kMaxWorkers times what each may hold is below 2^63.
  static constexpr unsigned kHugeBits = 56;
  struct Weight {
    targets::OpCode code;
    unsigned of_256;
  };
  std::vector<Weight> weights;  // what is left of 256: get and put
  bool kills = false;
  bool huge = false;
  bool handlers = false;  // signal handlers take and drop references, too

  uint64_t most_held() const { return huge ? uint64_t{1} << kHugeBits : 1 << 20; }
};
static_assert(kMaxWorkers <= 32, "sum of what all may hold");

std::unique_ptr<Scenario> make_ref_soak(const Setup& setup, const RefMix& mix);

}  // namespace stress

#endif  // LASTPUT_STRESS_REF_SOAK_H_
