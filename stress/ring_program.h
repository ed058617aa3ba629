// SPDX-License-Identifier: Apache-2.0
// A soak's last operations as a program that the engine can search: what each worker did last to the refs that were used most, in
// the text form that ./lastput replay and verify take. Not the failure itself: the workers held more than a program hands out, and what
// came before is left out. But often enough the same calls, few enough for every interleaving.
#ifndef LASTPUT_STRESS_RING_PROGRAM_H_
#define LASTPUT_STRESS_RING_PROGRAM_H_

#include <string>
#include <vector>

#include "stress/recorder.h"
#include "targets/program.h"

namespace stress {

inline constexpr unsigned kProgramOperations = 12;  // of each thread

// A valid program of target percpu_ref; no operations: the rings have none of refs.
targets::Program program_of(const std::vector<const Ring*>& rings, uint64_t seed);
// Its text, as an artifact of a failure on real threads; "" where it has no operations.
std::string program_text(const targets::Program& program, const std::string& guarantee,
                         const std::string& message);

}  // namespace stress

#endif  // LASTPUT_STRESS_RING_PROGRAM_H_
