// SPDX-License-Identifier: Apache-2.0
// All parts at once: elements that hold refs and areas, refs that readers find, freed a grace period later.
#define LASTPUT_TARGET "mixed"
#include "targets/fuzz_target.h"
