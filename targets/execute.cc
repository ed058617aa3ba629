// SPDX-License-Identifier: Apache-2.0
#include "targets/execute.h"

#include "targets/random.h"

namespace targets {
namespace {

struct Call {
  Body body;
  const Program* program;
};

void run_call(void* argument) {
  const Call& call = *static_cast<const Call*>(argument);
  call.body(*call.program);
}

}  // namespace

sched::Options schedule_options(const Program& program, unsigned index,
                                std::vector<uint8_t>* bytes) {
  sched::Options options;
  Random random(uint64_t{program.seed} << 32 | index);
  options.seed = random.next();
  // Else none are wanted beyond those given.
  if (index != 0 && program.interval != 0) sched::mix_strategies(index, &options);
  if (options.strategy == sched::Strategy::kRandom) options.mean_interval = program.interval;
  options.plain_points = program.plain_points;
  options.fail_allocation = program.fail_allocation;
  bytes->clear();
  if (index == 0) {
    for (const Preemption& preemption : program.preemptions)
      bytes->insert(bytes->end(), {preemption.points, preemption.thread});
  }
  options.bytes = *bytes;
  return options;
}

sched::Result execute_once(Body body, const Program& program, const sched::Options& options) {
  Call call{body, &program};
  return sched::run(run_call, &call, options);
}

namespace {

// Adds one execution to the result; returns false when it failed.
bool add_execution(Body body, const Program& program, sched::Options& schedule, unsigned index,
                   const ExecuteOptions& options, ExecuteResult& result) {
  schedule.explain = true;
  schedule.weak_memory = options.memory == Memory::kWeak;
  schedule.on_failure = options.on_failure;
  schedule.on_failure_context = options.on_failure_context;
  schedule.record_plain = options.record_plain;
  schedule.os_threads = schedule.record_always = options.for_debugger;
  sched::Result one = execute_once(body, program, schedule);
  ++result.executions;
  result.steps += one.steps;
  result.cut_off += one.verdict == sched::Verdict::kCutOff;
  result.failed = one.verdict == sched::Verdict::kFailed;
  if (options.on_execution != nullptr) options.on_execution(one, options.on_execution_context);
  if (result.failed) {
    result.schedule = index;
    result.failure = std::move(one);
  }
  return !result.failed;
}

}  // namespace

ExecuteResult execute(Body body, const Program& program, const ExecuteOptions& options) {
  ExecuteResult result;
  std::vector<uint8_t> bytes;
  sched::Profile profile;  // of the first schedule, for the others
  for (unsigned index = 0; index < program.schedules; ++index) {
    sched::Options schedule = schedule_options(program, index, &bytes);
    if (index != 0)
      schedule.profile = &profile;
    else if (program.schedules > 1)
      schedule.learn = &profile;
    if (!add_execution(body, program, schedule, index, options, result)) break;
  }
  return result;
}

ExecuteResult execute_artifact(Body body, const Artifact& artifact, const ExecuteOptions& given) {
  ExecuteOptions options = given;
  options.memory = artifact.memory;
  if (!artifact.has_schedule) return execute(body, artifact.program, options);
  ExecuteResult result;
  std::vector<uint8_t> bytes;
  sched::Options schedule = schedule_options(artifact.program, 0, &bytes);
  schedule.bytes = {};
  schedule.choices = &artifact.schedule;
  add_execution(body, artifact.program, schedule, 0, options, result);
  return result;
}

Artifact make_artifact(const std::string& target, const std::string& bug, const Program& program,
                       const sched::Failure& failure, const sched::Recording& recording) {
  Artifact artifact;
  artifact.target = target;
  artifact.bug = bug;
  artifact.guarantee = failure.guarantee;
  artifact.message = failure.message;
  artifact.program = program;
  artifact.program.schedules = 1;
  artifact.program.preemptions.clear();
  artifact.has_schedule = true;
  artifact.schedule = recording.choices;
  artifact.steps = failure.steps;
  artifact.hash = failure.trace_hash;
  return artifact;
}

}  // namespace targets
