// SPDX-License-Identifier: Apache-2.0
#include "verify/verify.h"

#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <new>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "targets/artifact.h"
#include "targets/build_info.h"
#include "targets/execute.h"
#include "targets/failure_report.h"
#include "targets/harness.h"

namespace verify {
namespace {

using targets::Artifact;
using targets::Memory;

// What the processes share. Nothing here orders what they report: the parent reads it when all have ended.
struct Shared {
  std::atomic<uint32_t> next = 0;  // task to be taken
  std::atomic<bool> failed = false;
  std::atomic<uint64_t> executions = 0, distinct = 0, complete = 0, cut_off = 0;
};

struct Task {
  const SmallProgram* program;
  Memory memory;
};

double now() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

// In one write, so that lines of several processes do not mix.
void say(const std::string& text) {
  for (size_t done = 0; done < text.size();) {
    const ssize_t n = write(STDOUT_FILENO, text.data() + done, text.size() - done);
    if (n <= 0) return;
    done += static_cast<size_t>(n);
  }
}

const char* memory_word(Memory memory) {
  return memory == Memory::kWeak ? "weak" : "sc";
}

sched::Bounds bounds_of(const Settings& s, Memory memory) {
  sched::Bounds bounds;
  const bool weak = memory == Memory::kWeak;
  bounds.preemptions = weak ? s.weak_preemptions : s.preemptions;
  bounds.stale = weak ? s.stale : 0;
  return bounds;
}

sched::Options run_options(const targets::Program& program, Memory memory) {
  sched::Options options;
  options.weak_memory = memory == Memory::kWeak;
  options.fail_allocation = program.fail_allocation;
  options.fails_allocations = targets::has_operation(program, targets::OpCode::kFailAllocation, 0);
  options.plain_points = program.plain_points;
  return options;
}

void run_body(void* program) {
  targets::run_program(*static_cast<targets::Program*>(program));
}

std::string tell(const sched::ExhaustiveResult& r) {
  if (r.failure.verdict == sched::Verdict::kFailed) return "FAILED";
  if (!r.complete) return "CUT OFF by " + r.gave_up;
  const std::string met = sched::describe(r.met);
  return met.empty() ? "right" : "right; beyond the bounds: " + met;
}

std::string replay_command(const std::string& path) {
  return targets::replay_command(path.empty() ? "FILE" : path);
}

// The report, the artifact, the command that replays it; the exit code.
int tell_failure(const Task& task, const sched::Result& failed, const std::string& prefix) {
  const targets::Program& program = task.program->artifact.program;
  const std::string& target = task.program->artifact.target;
  Artifact artifact = targets::make_artifact(target, targets::built_with_bug(), program,
                                             failed.failure, failed.recording);
  artifact.build = targets::build_name();
  artifact.memory = task.memory;
  std::string text = absl::StrCat(
      "\n", targets::failure_report(failed.failure, failed.recording, program, artifact.kind()),
      "\n");
  if (failed.failure.kind == sched::FailureKind::kLimit) {
    say(text +
        "verify: this program does what the engine does not control; see FUZZING.md, Limits\n");
    return kBroken;
  }
  const std::string path = targets::write_artifact(prefix, artifact);
  say(absl::StrCat(text, "replay: ", replay_command(path), "\n",
                   targets::failure_summary(target, failed.failure), "\n"));
  return kFound;
}

int run_task(const Task& task, const Settings& s, double start, Shared& shared) {
  targets::Program program = task.program->artifact.program;
  sched::ExhaustiveOptions options;
  options.bounds = bounds_of(s, task.memory);
  options.run = run_options(program, task.memory);
  options.stop = [](void* p) { return static_cast<Shared*>(p)->failed.load(); };
  options.stop_context = &shared;
  const double began = now();
  if (s.seconds != 0) options.bounds.seconds = std::max(0.001, start + s.seconds - began);
  const sched::ExhaustiveResult r = sched::explore_all(run_body, &program, options);
  shared.executions += r.executions;
  shared.distinct += r.distinct;
  ++(r.complete ? shared.complete : shared.cut_off);
  if (r.gave_up == "stopped") return kClean;
  say(absl::StrFormat("%-34s %-4s  %7d executions, %6d distinct, %5.1f s  %s\n", task.program->name,
                      memory_word(task.memory), r.executions, r.distinct, now() - began, tell(r)));
  if (r.failure.verdict != sched::Verdict::kFailed)
    return r.gave_up.starts_with("a failure") ? kBroken : kClean;
  if (shared.failed.exchange(true)) return kClean;  // another process tells its own
  return tell_failure(task, r.failure, s.prefix);
}

int work(const std::vector<Task>& tasks, const Settings& s, double start, Shared& shared) {
  int code = kClean;
  while (!shared.failed) {
    const uint32_t i = shared.next++;
    if (i >= tasks.size()) break;
    if (const int c = run_task(tasks[i], s, start, shared); c != kClean) code = c;
  }
  return code;
}

// The worst of what the children ended with.
int wait_for(const std::vector<pid_t>& children) {
  int code = kClean;
  for (pid_t child : children) {
    int status = 0;
    waitpid(child, &status, 0);
    const int own = WIFEXITED(status) ? WEXITSTATUS(status) : kBroken;
    if (!WIFEXITED(status)) say("verify: a process ended in a way that cannot be seen from here\n");
    code = std::max(code, own);
  }
  return code;
}

std::string bounds_text(const Settings& s) {
  std::vector<std::string> lines;
  for (const Memory memory : {Memory::kSequential, Memory::kWeak}) {
    if (!(memory == Memory::kWeak ? s.weak : s.sc)) continue;
    sched::Options run;
    run.weak_memory = memory == Memory::kWeak;
    lines.push_back(absl::StrCat("  ", memory_word(memory), ": ",
                                 sched::describe_bounds(bounds_of(s, memory), run)));
  }
  return absl::StrJoin(lines, "\n") + "\n";
}

void tell_end(const std::vector<SmallProgram>& programs, const Settings& s, const Shared& shared,
              int code) {
  const uint64_t n = shared.executions;
  if (code == kClean && shared.cut_off == 0)
    say(absl::StrFormat(
        "all %d executions of %s are right, %d of them distinct, within\n%s", n,
        programs.size() == 1 ? programs[0].name : absl::StrCat(programs.size(), " programs"),
        shared.distinct.load(), bounds_text(s)));
  else if (code == kClean)
    say(absl::StrFormat(
        "NOT COMPLETE: %d of %d searches were cut off; no failure in %d executions\n",
        shared.cut_off.load(), shared.cut_off + shared.complete, n));
  say(absl::StrFormat("executions: %d\n", n));
}

}  // namespace

int verify_all(const std::vector<SmallProgram>& programs, const Settings& s) {
  std::vector<Task> tasks;
  for (const SmallProgram& program : programs) {
    if (s.sc) tasks.push_back({&program, Memory::kSequential});
    if (s.weak) tasks.push_back({&program, Memory::kWeak});
  }
  void* memory =
      mmap(nullptr, sizeof(Shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) return kBroken;
  Shared& shared = *new (memory) Shared;
  const double start = now();
  std::vector<pid_t> children;
  for (unsigned i = 0; i < s.jobs; ++i) {
    const pid_t child = fork();
    if (child == 0) _exit(work(tasks, s, start, shared));
    if (child > 0) children.push_back(child);
  }
  if (children.empty()) {
    std::fprintf(stderr, "verify: no process could be started\n");
    return kBroken;
  }
  const int code = wait_for(children);
  tell_end(programs, s, shared, code);
  return code;
}

}  // namespace verify
