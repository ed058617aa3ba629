// SPDX-License-Identifier: Apache-2.0
#ifndef LASTPUT_SCHED_DEMANGLE_H_
#define LASTPUT_SCHED_DEMANGLE_H_

#include <string>

namespace sched {

// A symbol of C++ as it is written there; any other as it is (that of a variable "b" is no type bool).
// REQUIRES: the engine is inactive.
std::string demangled(const std::string& symbol);

}  // namespace sched

#endif  // LASTPUT_SCHED_DEMANGLE_H_
