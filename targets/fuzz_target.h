// SPDX-License-Identifier: Apache-2.0
// The entry points of a fuzz target: for THING_fuzzer.cc, which defines LASTPUT_TARGET, its name, first.
#ifndef LASTPUT_TARGETS_FUZZ_TARGET_H_
#define LASTPUT_TARGETS_FUZZ_TARGET_H_

#include "targets/fuzzer_support.h"
#include "targets/harness.h"

constexpr targets::Kind kKind = targets::find_kind(LASTPUT_TARGET)->kind;

extern "C" int LLVMFuzzerInitialize(int* argc, char*** argv) {
  static constexpr targets::Harness kHarness = {
      targets::is_concurrent(kKind) ? targets::run_program : targets::run_sequential,
      targets::operations_dropped, targets::abilities};
  targets::fuzzer_initialize(kKind, kHarness, *argc, *argv);
  return 0;
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  return targets::fuzzer_test_one_input(data, size);
}

extern "C" size_t LLVMFuzzerCustomMutator(uint8_t* data, size_t size, size_t max_size,
                                          unsigned seed) {
  return targets::fuzzer_mutate(data, size, max_size, seed);
}

extern "C" size_t LLVMFuzzerCustomCrossOver(const uint8_t* data, size_t size, const uint8_t* other,
                                            size_t other_size, uint8_t* out, size_t max_size,
                                            unsigned seed) {
  return targets::fuzzer_cross({data, size}, {other, other_size}, out, max_size, seed);
}

#endif  // LASTPUT_TARGETS_FUZZ_TARGET_H_
