// SPDX-License-Identifier: Apache-2.0
#include "sched/sched.h"
#include "targets/program.h"
#include "targets/runtime.h"

namespace targets::runtime {

void begin_op(uint32_t index) {
  sched::begin_op(index);
}
void name_next_thread(const char* name) {
  sched::name_next_thread(name);
}
void name_thread(const char*) {}  // has its name from before it began
void name_object(const void* address, size_t size, const char* name) {
  sched::name_object(address, size, name);
}
unsigned enough_yields() {
  return 2000;
}
uint64_t scan_interval_ns() {
  return 1'000'000'000;
}
void fail_allocation(uint32_t n) {
  static_assert(kMaxFailAllocation == sched::kMaxFailAllocation);
  sched::fail_allocation(n);
}
void note(const char* text) {
  sched::note(text);
}
void fail(const char* guarantee, const char* message) {
  sched::fail(guarantee, message);
}

}  // namespace targets::runtime
