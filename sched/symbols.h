// SPDX-License-Identifier: Apache-2.0
// Names of the executable's variables, static ones too: the dynamic linker knows only what is exported.
#ifndef LASTPUT_SCHED_SYMBOLS_H_
#define LASTPUT_SCHED_SYMBOLS_H_

#include <cstdint>
#include <string>

namespace sched {

// "counter", "table+16", demangled; "" where no variable is known. Reads the program file when first asked.
// REQUIRES: the engine is inactive.
std::string variable_at(uintptr_t address);

}  // namespace sched

#endif  // LASTPUT_SCHED_SYMBOLS_H_
