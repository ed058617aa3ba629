// SPDX-License-Identifier: Apache-2.0
// One program on the queue, under ten thousand schedules or those of --executions=N.
#include <sched/search.h>

#include "queue_program.h"

int main(int argc, char** argv) {
  using enum Op;
  const Program program = {{kPush, kPush, kPop}, {kPush, kPop, kPop}, {kPop, kPush}};
  return sched::search_main(argc, argv, [&] { Run{program}(); });
}
