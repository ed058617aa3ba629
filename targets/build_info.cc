// SPDX-License-Identifier: Apache-2.0
#include "targets/build_info.h"

namespace targets {

const char* built_with_bug() {
  return LASTPUT_BUG;
}

const char* build_name() {
  return LASTPUT_BUILD ", " __VERSION__;
}

}  // namespace targets
