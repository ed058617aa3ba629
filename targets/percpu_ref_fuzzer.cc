// SPDX-License-Identifier: Apache-2.0
// percpu reference counts: a concurrent program and its interleavings, on the deterministic engine.
#include "targets/fuzzer_support.h"
#include "targets/harness.h"
#include "targets/text.h"

extern "C" int LLVMFuzzerInitialize(int* argc, char*** argv) {
  targets::fuzzer_initialize(targets::kPercpuRefTarget, *argc, *argv);
  return 0;
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static constexpr targets::FuzzTarget kTarget = {targets::Kind::kConcurrent, targets::run_program,
                                                  targets::operations_dropped};
  return targets::fuzzer_test_one_input(kTarget, data, size);
}

extern "C" size_t LLVMFuzzerCustomMutator(uint8_t* data, size_t size, size_t max_size,
                                          unsigned seed) {
  return targets::fuzzer_mutate(targets::Kind::kConcurrent, data, size, max_size, seed);
}
