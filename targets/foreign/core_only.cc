// SPDX-License-Identifier: Apache-2.0
// What the harness does with the core alone, and no program of another count asks for: calls of misuse, and
// sequential programs. Takes the place of misuse_calls.cc and sequential.cc.
#include <cstdlib>

#include "targets/actor.h"
#include "targets/harness.h"

namespace targets {

bool Actor::misuse(const Operation&) {
  std::abort();
}
bool Actor::misuse_start() {
  std::abort();
}

void run_sequential(const Program&) {
  std::abort();
}

}  // namespace targets
