// SPDX-License-Identifier: Apache-2.0
// What covered code calls, for programs that have no fuzzing engine to call: nothing happens.
#include <cstdint>

extern "C" {

void __sanitizer_cov_8bit_counters_init(uint8_t*, uint8_t*) {}
void __sanitizer_cov_pcs_init(const uintptr_t*, const uintptr_t*) {}
void __sanitizer_cov_trace_pc_guard_init(uint32_t*, uint32_t*) {}
void __sanitizer_cov_trace_pc_guard(uint32_t*) {}

}  // extern "C"
