// SPDX-License-Identifier: Apache-2.0
// One thread of calls, illegal ones too, against a model that is an integer and a few flags.
#define LASTPUT_TARGET "sequential"
#include "targets/fuzz_target.h"
