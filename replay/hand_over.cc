// SPDX-License-Identifier: Apache-2.0
#include "replay/hand_over.h"

#include <chrono>
#include <sstream>
#include <utility>

#include "sched/exhaustive.h"
#include "sched/watchdog.h"

namespace replay {
namespace {

using targets::Memory;

constexpr const char* kReal = "real";
constexpr uint8_t kInterval =
    8;  // mean number of points between preemptions where the program has none

double now() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

struct Call {
  targets::Body body;
  const targets::Program* program;
};

void run_call(void* context) {
  const Call& call = *static_cast<const Call*>(context);
  call.body(*call.program);
}

// The execution that ends was watched; so is the next one.
void watch_next(const sched::Result&, void*) {
  sched::watchdog_watch();
}

void search_random(const targets::Artifact& artifact, targets::Body body, double until,
                   FoundSchedule& found) {
  targets::Program program = artifact.program;
  targets::ExecuteOptions options;
  options.memory = found.memory = artifact.memory;
  options.on_execution = watch_next;
  for (uint32_t round = 0; !found.failed && (round == 0 || now() < until); ++round) {
    targets::ExecuteResult result = targets::execute(body, program, options);
    found.executions += result.executions;
    found.failed = result.failed;
    found.failure = std::move(result.failure);
    // First as it was given.
    program.preemptions.clear();
    program.schedules = targets::kMaxSchedules;
    if (program.interval == 0) program.interval = kInterval;
    ++program.seed;
  }
  found.how = "a random schedule";
}

void search_all(const targets::Artifact& artifact, targets::Body body, Memory memory, double until,
                FoundSchedule& found) {
  Call call{body, &artifact.program};
  const bool weak = memory == Memory::kWeak;
  sched::ExhaustiveOptions options;
  options.bounds.preemptions = weak ? 1 : 2;
  options.bounds.stale = weak ? 1 : 0;
  options.bounds.seconds = until - now();
  options.run.weak_memory = weak;
  options.run.fail_allocation = artifact.program.fail_allocation;
  options.run.plain_points = artifact.program.plain_points;
  options.on_execution = watch_next;
  if (options.bounds.seconds <= 0) return;
  sched::ExhaustiveResult result = sched::explore_all(run_call, &call, options);
  found.executions += result.executions;
  found.failed = result.failure.verdict == sched::Verdict::kFailed;
  found.failure = std::move(result.failure);
  found.memory = memory;
  found.how = "the search of every execution within bounds";
}

}  // namespace

bool needs_schedule(const Loaded& loaded) {
  const std::string& build = loaded.raw ? loaded.sidecar.build : loaded.artifact.build;
  return !loaded.artifact.has_schedule && build.starts_with(kReal);
}

FoundSchedule find_schedule(const targets::Artifact& artifact, targets::Body body, double seconds) {
  const double start = now();
  FoundSchedule found;
  sched::watchdog_watch();
  if (!is_concurrent(artifact.kind())) seconds = 0;  // it has one execution
  search_random(artifact, body, start + seconds / 2, found);
  if (!found.failed)
    search_all(artifact, body, Memory::kSequential, start + seconds * 3 / 4, found);
  if (!found.failed && artifact.memory == Memory::kWeak)
    search_all(artifact, body, Memory::kWeak, start + seconds, found);
  return found;
}

std::string real_program(const std::string& build, const std::string& bug,
                         const std::string& target) {
  std::istringstream words(build.substr(0, build.find(',')));
  std::string real, preset, platform;
  words >> real >> preset >> platform;
  return "build/" + preset + "/bin/real/" + platform + (bug.empty() ? "" : "/bugs/" + bug) + "/" +
         target + "_fuzzer";
}

}  // namespace replay
