// SPDX-License-Identifier: Apache-2.0
#include "sched/debugger.h"

volatile uint64_t lastput_stop_at = 0;

extern "C" {

[[gnu::noinline]] void lastput_stopped_at_step(uint64_t index) {
  asm volatile("" ::"r"(index) : "memory");
}
[[gnu::noinline]] void lastput_stopped_at_failure() {
  asm volatile("" ::: "memory");
}
}
