// SPDX-License-Identifier: Apache-2.0
// One contender hunts the known bug that this program is linked with: random programs, a few schedules
// each, until one of the guarantees breaks that the bug is to break.
//
//   hunt_known_bug CONTENDER CAP TARGET GUARANTEES SEED...
//     TARGET      as in the patch: what the programs have
//     GUARANTEES  as in the patch: "G6 G2"
//   prints a line for each seed: executions (CAP + 1: none found), seconds
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <string>

#include "bench/contenders.h"
#include "targets/execute.h"
#include "targets/generate.h"
#include "targets/harness.h"

namespace {

constexpr uint32_t kSchedules = 8;  // of a program; what the first shows is known to the others

bool expected(const std::string& guarantees, const sched::Result& result) {
  return result.verdict == sched::Verdict::kFailed &&
         (" " + guarantees + " ").find(" " + result.failure.guarantee + " ") != std::string::npos;
}

uint64_t hunt(const bench::Contender& contender, uint64_t cap, targets::Kind kind,
              const std::string& guarantees, uint64_t seed) {
  targets::Random random(seed);
  sched::Profile profile;
  uint64_t executions = 0;
  while (executions < cap) {
    const targets::Program program = targets::generate_program(random, kind);
    for (uint32_t index = 0; index < kSchedules && executions < cap; ++index) {
      sched::Options options;
      options.seed = random.next();
      options.plain_points = program.plain_points;
      options.fail_allocation = program.fail_allocation;
      if (index == 0)
        options.learn = &profile;
      else
        options.profile = &profile;
      contender.prepare(index, options);
      ++executions;
      if (expected(guarantees, targets::execute_once(targets::run_program, program, options)))
        return executions;
    }
  }
  return cap + 1;
}

}  // namespace

int main(int argc, char** argv) {
  const bench::Contender* contender = argc < 6 ? nullptr : bench::find_contender(argv[1]);
  const uint64_t cap = argc < 6 ? 0 : std::strtoull(argv[2], nullptr, 10);
  const targets::KindInfo* kind = argc < 6 ? nullptr : targets::find_kind(argv[3]);
  if (contender == nullptr || cap == 0 || kind == nullptr || !targets::is_concurrent(kind->kind)) {
    std::fprintf(stderr, "usage: hunt_known_bug CONTENDER CAP TARGET GUARANTEES SEED...\n");
    return 1;
  }
  for (int i = 5; i < argc; ++i) {
    const std::clock_t begin = std::clock();
    const uint64_t executions =
        hunt(*contender, cap, kind->kind, argv[4], std::strtoull(argv[i], nullptr, 10));
    std::printf("%llu %.6f\n", static_cast<unsigned long long>(executions),
                static_cast<double>(std::clock() - begin) / CLOCKS_PER_SEC);
    std::fflush(stdout);
  }
  return 0;
}
