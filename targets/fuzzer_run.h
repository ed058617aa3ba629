// SPDX-License-Identifier: Apache-2.0
// One fuzzing run, as its parts share it: fuzzer_support.cc does what all runs do; what runs the programs is
// chosen at link time: fuzzer_engine.cc (the deterministic engine) or fuzzer_real.cc (real threads).
#ifndef LASTPUT_TARGETS_FUZZER_RUN_H_
#define LASTPUT_TARGETS_FUZZER_RUN_H_

#include <cstdint>
#include <span>
#include <string>

#include "targets/fuzzer_options.h"
#include "targets/fuzzer_support.h"
#include "targets/mutate.h"
#include "targets/statistics.h"
#include "targets/text.h"

namespace targets {

struct FuzzerRun {
  Kind kind = Kind::kPercpuRef;
  FuzzerOptions options;
  Statistics statistics;
  Mix mix{};
  uint64_t* shared_executions = nullptr;  // $LASTPUT_EXECUTIONS, or none
  // The input that is running.
  std::span<const uint8_t> input;
  const Program* program = nullptr;
  unsigned schedule = 0;  // of the program
  const Harness* harness = nullptr;

  const char* target() const { return kind_info(kind).name; }
};

// An execution of run.program has ended.
void count_execution(FuzzerRun& run);

// The running execution has failed: counts it, writes `artifact` (target, bug, build and memory are filled in) and what
// stands beside libFuzzer's input, and prints `report`, the command that goes on, and `summary`.
void tell_failure(FuzzerRun& run, const std::string& report, Artifact artifact,
                  const std::string& summary);

// --- What runs programs ---------------------------------------------------------------------------------------

// Once, before the first line is printed. What it prints may end the process.
void runner_start(FuzzerRun& run);
// Where programs run, for the first line: ", on real threads: ..."; "" for the engine.
std::string runner_words();
// What chose the schedule that runs.
std::string runner_strategy(const FuzzerRun& run);
// All executions of run.program. Does not return from one that fails.
void runner_execute(FuzzerRun& run);

}  // namespace targets

#endif  // LASTPUT_TARGETS_FUZZER_RUN_H_
