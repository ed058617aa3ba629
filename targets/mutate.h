// SPDX-License-Identifier: Apache-2.0
// Mutations that know what a program is. Bytes alone reach the interesting programs late: several
// threads must share a ref, hold references, and one of them kill or switch.
#ifndef LASTPUT_TARGETS_MUTATE_H_
#define LASTPUT_TARGETS_MUTATE_H_

#include "targets/program.h"
#include "targets/random.h"

namespace targets {

// Changes a few things of a valid program, which stays valid. Same generator, same changes.
void mutate_program(Random& random, Kind kind, Program& program);

}  // namespace targets

#endif  // LASTPUT_TARGETS_MUTATE_H_
