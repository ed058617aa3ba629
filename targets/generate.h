// SPDX-License-Identifier: Apache-2.0
// Random programs that are worth running: for tests, soaks, and as material for a mutator.
#ifndef LASTPUT_TARGETS_GENERATE_H_
#define LASTPUT_TARGETS_GENERATE_H_

#include "targets/program.h"
#include "targets/random.h"

namespace targets {

// Any of kKinds.
Kind generate_kind(Random& random);

// A valid program. Biased to what makes the core work: several threads on one ref, references
// handed out at the start, one kill or switch among many gets and puts.
Program generate_program(Random& random, Kind kind);

// One operation for `thread`, in range, not necessarily legal.
Operation generate_operation(Random& random, const Program& program, unsigned thread);

}  // namespace targets

#endif  // LASTPUT_TARGETS_GENERATE_H_
