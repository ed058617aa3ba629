// SPDX-License-Identifier: Apache-2.0
// Compiled for each core that is run on real threads: of which platform it is.
#include "percpu_platform.h"
#include "targets/runtime_threads.h"

const char* targets::runtime::why_no_sections() {
  return percpu::platform::why_no_sections();
}
