// SPDX-License-Identifier: Apache-2.0
// managed refs, which a manager ends: a concurrent program and its interleavings, on the deterministic engine.
#define LASTPUT_TARGET "managed"
#include "targets/fuzz_target.h"
