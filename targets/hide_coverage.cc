// SPDX-License-Identifier: Apache-2.0
// Keeps the coverage counters out of the engine's sight. clang before 15 instruments the increments of
// inline 8-bit counters as if the program had written them: the engine would see data races on them,
// and undo them at the end of each execution. The linker's --wrap sends the one-byte accesses here
// first; the jump keeps the return address that the engine takes for the place of the access.
#include <cstdint>

extern "C" {

extern uint8_t __start___sancov_cntrs[] __attribute__((weak, visibility("hidden")));
extern uint8_t __stop___sancov_cntrs[] __attribute__((weak, visibility("hidden")));

void __real___tsan_read1(void* address);
void __real___tsan_write1(void* address);

}  // extern "C"

namespace {

inline bool is_counter(const void* address) {
  return reinterpret_cast<uintptr_t>(address) -
             reinterpret_cast<uintptr_t>(__start___sancov_cntrs) <
         static_cast<uintptr_t>(__stop___sancov_cntrs - __start___sancov_cntrs);
}

}  // namespace

extern "C" {

void __wrap___tsan_read1(void* address) {
  if (is_counter(address)) return;
  [[clang::musttail]] return __real___tsan_read1(address);
}

void __wrap___tsan_write1(void* address) {
  if (is_counter(address)) return;
  [[clang::musttail]] return __real___tsan_write1(address);
}

}  // extern "C"
