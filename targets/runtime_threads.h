// SPDX-License-Identifier: Apache-2.0
// Real threads: what a program meets there beside its own steps, and where its threads stand.
#ifndef LASTPUT_TARGETS_RUNTIME_THREADS_H_
#define LASTPUT_TARGETS_RUNTIME_THREADS_H_

#include <cstdint>
#include <string>
#include <vector>

namespace targets::runtime {

// Before each execution, by its main thread, which starts so many threads. They wait for each other, a moment at most,
// so that they meet at all; and spin, or yield, before some of their operations, as the seed has it.
// Without it, or with seed 0: neither. ORDERING: none, as relaxed as the rest of the harness.
void begin_execution(uint64_t seed, unsigned threads);

struct Place {
  std::string thread;  // "main", "T1"; of another thread of the core "a worker"
  uint32_t op = 0;     // as begin_op numbers it
};
// Of the calling thread.
Place here();
// Of main and each thread of the execution that has begun, as far as it can be told from outside.
std::vector<Place> places();

// Called instead of words and abort() where a guarantee is broken, on the thread that saw it. Must not return.
extern void (*on_broken)(const char* guarantee, const char* message);

// Null if the core counts in percpu memory; else why it does not.
const char* why_no_sections();

}  // namespace targets::runtime

#endif  // LASTPUT_TARGETS_RUNTIME_THREADS_H_
