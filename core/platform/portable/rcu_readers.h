// SPDX-License-Identifier: Apache-2.0
// RcuReaders of the portable platform: on reader counts.
#ifndef PERCPU_CORE_PLATFORM_PORTABLE_RCU_READERS_H_
#define PERCPU_CORE_PLATFORM_PORTABLE_RCU_READERS_H_

#include "percpu_platform.h"
//
#include "../counted_rcu_readers.h"

#endif  // PERCPU_CORE_PLATFORM_PORTABLE_RCU_READERS_H_
