// SPDX-License-Identifier: Apache-2.0
// Programs on the queue that libFuzzer makes, and their schedules. Any bytes are an input:
//
//   byte 0                    threads (1 to 4), and operations of each (1 to 8)
//   byte 1                    seed of the schedule, where its bytes end
//   one byte a thread         its operations, a bit each
//   the rest                  the schedule (Options::bytes)
#include <sched/search.h>

#include <cstddef>

#include "queue_program.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const size_t threads = size > 0 ? 1 + data[0] % 4 : 1;
  if (size < 2 + threads) return -1;  // not for the corpus
  Program program(threads);
  for (size_t i = 0; i < threads; ++i)
    for (unsigned op = 0; op < 1u + data[0] / 4 % 8; ++op)
      program[i].push_back(data[2 + i] >> op & 1 ? Op::kPop : Op::kPush);

  sched::Options options;
  options.seed = data[1];
  options.bytes = {data + 2 + threads, size - 2 - threads};
  sched::run_or_abort([&] { Run{program}(); }, options);
  return 0;
}
