// SPDX-License-Identifier: Apache-2.0
// What failed on real threads has a program, and no schedule: looks for one on the engine.
#ifndef LASTPUT_REPLAY_HAND_OVER_H_
#define LASTPUT_REPLAY_HAND_OVER_H_

#include <cstdint>
#include <string>

#include "replay/load.h"
#include "targets/execute.h"

namespace replay {

// Whether it was made on real threads, and nobody has found a schedule yet.
bool needs_schedule(const Loaded& loaded);

struct FoundSchedule {
  uint64_t executions = 0;  // of the engine, until then
  bool failed = false;
  const char* how = "";                             // which search found it
  targets::Memory memory = targets::Memory::kWeak;  // that it was found under
  sched::Result failure;                            // with its recording
};
// Random schedules for half of the time, then every execution within the bounds of verify/: two preemptions under sequential
// consistency, one preemption and one stale load under weak memory. Its order depends on nothing but the artifact;
// `seconds` is when it gives up.
FoundSchedule find_schedule(const targets::Artifact& artifact, targets::Body body, double seconds);

// The program that ran it on real threads, as `build` of the artifact tells it:
// "build/tsan/bin/real/linux/bugs/NAME/percpu_ref_fuzzer".
std::string real_program(const std::string& build, const std::string& bug,
                         const std::string& target);

}  // namespace replay

#endif  // LASTPUT_REPLAY_HAND_OVER_H_
