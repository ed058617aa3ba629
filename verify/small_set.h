// SPDX-License-Identifier: Apache-2.0
// The programs that `./lastput verify` runs where none is given: the smallest that make each mode of a ref
// meet kill, resurrect, reinit and switches. Two threads of up to four operations, and three of up to two.
#ifndef LASTPUT_VERIFY_SMALL_SET_H_
#define LASTPUT_VERIFY_SMALL_SET_H_

#include <string>
#include <vector>

#include "targets/text.h"

namespace verify {

struct SmallProgram {
  std::string name;
  targets::Artifact artifact;
};
// In a fixed order. Each is legal (targets/program.h).
std::vector<SmallProgram> small_set();

}  // namespace verify

#endif  // LASTPUT_VERIFY_SMALL_SET_H_
