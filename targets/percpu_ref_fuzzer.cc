// SPDX-License-Identifier: Apache-2.0
// percpu reference counts: a concurrent program and its interleavings, on the deterministic engine.
#define LASTPUT_TARGET "percpu_ref"
#include "targets/fuzz_target.h"
