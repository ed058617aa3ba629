// SPDX-License-Identifier: Apache-2.0
// What every fuzz target does around an input: first line, progress, summary, failure.
//
//   when                            what
//   ------------------------------  -----------------------------------------------------------------
//   start                           one line: target, bug, seed, options
//   about once a second             one line of progress
//   exit, SIGINT, SIGTERM           the summary (last line "executions: N"), exit code 0; nothing is lost,
//                                     because libFuzzer saves what it finds at once
//   failure                         <prefix>failure-<guarantee>-<hash>.lastput, the canonical artifact;
//                                     <prefix>crash-<sha1>.json beside libFuzzer's own crash-<sha1>;
//                                     the report, the command that replays it, SUMMARY:, then abort(),
//                                     on the stack of the thread that failed (exit code 77)
//   any end                         numbers as JSON in the file that $LASTPUT_REPORT names
#ifndef LASTPUT_TARGETS_FUZZER_SUPPORT_H_
#define LASTPUT_TARGETS_FUZZER_SUPPORT_H_

#include <cstddef>
#include <cstdint>

#include "targets/abilities.h"
#include "targets/execute.h"
#include "targets/program.h"

namespace targets {

// What runs a program. Passed in, so that what stands here is compiled once, whatever count is linked.
struct Harness {
  Body body;
  unsigned (*operations_dropped)();  // by the last execution
  const Abilities& (*abilities)();   // programs are made to fit them
};
// From LLVMFuzzerInitialize.
void fuzzer_initialize(Kind kind, const Harness& harness, int argc, char** argv);

// From LLVMFuzzerTestOneInput; returns what that should.
int fuzzer_test_one_input(const uint8_t* data, size_t size);

// From LLVMFuzzerCustomMutator: mutates the program in `data`; every fourth time, the bytes. Of concurrent
// programs three in four are new ones instead. Returns the new size, at most max_size.
size_t fuzzer_mutate(uint8_t* data, size_t size, size_t max_size, unsigned seed);

}  // namespace targets

#endif  // LASTPUT_TARGETS_FUZZER_SUPPORT_H_
