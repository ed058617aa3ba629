// SPDX-License-Identifier: Apache-2.0
// One thread of calls, illegal ones too, against a model that is an integer and a few flags.
#include "targets/fuzzer_support.h"
#include "targets/harness.h"
#include "targets/text.h"

extern "C" int LLVMFuzzerInitialize(int* argc, char*** argv) {
  targets::fuzzer_initialize(targets::kSequentialTarget, *argc, *argv);
  return 0;
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static constexpr targets::FuzzTarget kTarget = {
      targets::Kind::kSequential, targets::run_sequential, targets::operations_dropped};
  return targets::fuzzer_test_one_input(kTarget, data, size);
}

extern "C" size_t LLVMFuzzerCustomMutator(uint8_t* data, size_t size, size_t max_size,
                                          unsigned seed) {
  return targets::fuzzer_mutate(targets::Kind::kSequential, data, size, max_size, seed);
}
