// SPDX-License-Identifier: Apache-2.0
// The scenario of rcuref: four lists, one of each form, whose elements are found by readers, held, put, taken off and replaced.
//
//   R1 R2 R4  by free: once, nobody's hands hold the element, all writes are seen
//   R6 R7 U1  readers see no age beyond kUnlisted       R9 U5 when all are parked, everything is freed
#ifndef LASTPUT_STRESS_LIST_SOAK_H_
#define LASTPUT_STRESS_LIST_SOAK_H_

#include <memory>

#include "stress/scenario.h"

namespace stress {

std::unique_ptr<Scenario> make_list_soak(const Setup& setup);

}  // namespace stress

#endif  // LASTPUT_STRESS_LIST_SOAK_H_
