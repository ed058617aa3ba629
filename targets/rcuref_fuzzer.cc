// SPDX-License-Identifier: Apache-2.0
// Lists of the four rcuref forms: readers, removers and updaters at once, grace periods and callbacks.
#define LASTPUT_TARGET "rcuref"
#include "targets/fuzz_target.h"
