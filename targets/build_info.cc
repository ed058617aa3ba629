// SPDX-License-Identifier: Apache-2.0
#include "targets/build_info.h"

namespace targets {

const char* built_with_bug() {
  return LASTPUT_BUG;
}

const char* build_name() {
#if SCHED_ASAN
  return "explore-asan, " __VERSION__;
#else
  return "explore, " __VERSION__;
#endif
}

}  // namespace targets
