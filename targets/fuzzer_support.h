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
//                                     the report, the command that replays it, SUMMARY:; exit code 77 (on the
//                                     engine by abort() on the stack of the thread that failed; on real threads the
//                                     crash file is the target's own: fuzzer_real.cc)
//   any end                         numbers as JSON in the file that $LASTPUT_REPORT names
//   each execution                  one more in the file of eight bytes that $LASTPUT_EXECUTIONS names
#ifndef LASTPUT_TARGETS_FUZZER_SUPPORT_H_
#define LASTPUT_TARGETS_FUZZER_SUPPORT_H_

#include <cstddef>
#include <cstdint>
#include <span>

#include "targets/abilities.h"
#include "targets/program.h"

namespace targets {

// What runs a program. Passed in, so that what stands here is compiled once, whatever count is linked.
struct Harness {
  void (*body)(const Program&);
  unsigned (*operations_dropped)();  // by the last execution
  const Abilities& (*abilities)();   // programs are made to fit them
};
// From LLVMFuzzerInitialize. `harness` stays.
void fuzzer_initialize(Kind kind, const Harness& harness, int argc, char** argv);

// From LLVMFuzzerTestOneInput; returns what that should.
int fuzzer_test_one_input(const uint8_t* data, size_t size);

// From LLVMFuzzerCustomMutator: changes `data` as mutate.h says, by the weights there, or of $LASTPUT_MUTATIONS.
// Returns the new size, at most max_size.
size_t fuzzer_mutate(uint8_t* data, size_t size, size_t max_size, unsigned seed);

// From LLVMFuzzerCustomCrossOver: splices the programs into `out`, as often as the weights say. Returns its size;
// 0: not this time.
size_t fuzzer_cross(std::span<const uint8_t> one, std::span<const uint8_t> other, uint8_t* out,
                    size_t max_size, unsigned seed);

}  // namespace targets

#endif  // LASTPUT_TARGETS_FUZZER_SUPPORT_H_
