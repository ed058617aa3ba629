// SPDX-License-Identifier: Apache-2.0
// Pools of percpu areas: fills, refills, takers and empties at once, and who has which area.
#define LASTPUT_TARGET "percpu_pool"
#include "targets/fuzz_target.h"
