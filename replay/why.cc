// SPDX-License-Identifier: Apache-2.0
#include "replay/why.h"

#include <vector>

#include "targets/failure_report.h"

namespace replay {

sched::Why explain_why(const targets::Artifact& artifact, targets::Body body) {
  std::vector<uint8_t> bytes;
  sched::FailingSchedule failing;
  failing.options = targets::schedule_options(artifact.program, 0, &bytes);
  failing.options.bytes = {};
  failing.options.weak_memory = artifact.memory == targets::Memory::kWeak;
  failing.schedule = artifact.schedule;
  failing.execute = [&](const sched::Options& options) {
    return targets::execute_once(body, artifact.program, options);
  };
  failing.operation = [&](const std::string& thread, uint32_t op) {
    return targets::operation_title(artifact.program, artifact.kind(), thread, op);
  };
  failing.harness = "targets/";
  return sched::explain_why(failing);
}

}  // namespace replay
