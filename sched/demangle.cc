// SPDX-License-Identifier: Apache-2.0
#include "sched/demangle.h"

#include <cxxabi.h>

#include <cstdlib>

namespace sched {

std::string demangled(const std::string& symbol) {
  if (!symbol.starts_with("_Z")) return symbol;
  int status = 0;
  char* plain = abi::__cxa_demangle(symbol.c_str(), nullptr, nullptr, &status);
  std::string text = status == 0 ? plain : symbol;
  free(plain);
  return text;
}

}  // namespace sched
