// SPDX-License-Identifier: Apache-2.0
#include <pthread.h>

#include <cstdio>
#include <cstdlib>

#include "targets/runtime.h"

namespace targets::runtime {
namespace {

thread_local uint32_t current_op = 0;

}  // namespace

void begin_op(uint32_t index) {
  current_op = index;
}
void name_next_thread(const char*) {}
void name_thread(const char* name) {
  pthread_setname_np(pthread_self(), name);
}
void name_object(const void*, size_t, const char*) {}
unsigned enough_yields() {
  return 0;
}
uint64_t scan_interval_ns() {
  return 50'000;
}
void fail_allocation(uint32_t) {}
void note(const char*) {}

void fail(const char* guarantee, const char* message) {
  char name[16] = "?";
  pthread_getname_np(pthread_self(), name, sizeof name);
  std::fprintf(stderr,
               "lastput: %s is broken: %s (thread %s, operation %u)\nSUMMARY: lastput: %s (%s)\n",
               guarantee, message, name, current_op, guarantee, message);
  std::abort();
}

}  // namespace targets::runtime
