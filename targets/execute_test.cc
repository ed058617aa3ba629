// SPDX-License-Identifier: Apache-2.0
// Programs under the engine: a right core is never accused, and an input always says the same.
#include "targets/execute.h"

#include <dlfcn.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <mutex>
#include <thread>

#include "targets/generate.h"
#include "targets/harness.h"
#include "targets/runtime.h"

namespace targets {
namespace {

uint64_t from_environment(const char* name, uint64_t otherwise) {
  const char* text = std::getenv(name);
  return text != nullptr ? std::strtoull(text, nullptr, 10) : otherwise;
}

std::string text_of(const Program& program, const ExecuteResult& result) {
  return print(make_artifact(kPercpuRefTarget, "", program, result.failure.failure,
                             result.failure.recording));
}

std::string stacks_of(const ExecuteResult& result) {
  std::string text;
  for (const sched::Stack& stack : result.failure.failure.stacks) {
    text += stack.title + "\n";
    for (uintptr_t pc : stack.pcs) {
      Dl_info info;
      const bool found = dladdr(reinterpret_cast<void*>(pc), &info) != 0;
      text += std::string("  ") + (found && info.dli_sname ? info.dli_sname : "?") + " +" +
              std::to_string(found ? pc - reinterpret_cast<uintptr_t>(info.dli_fbase) : pc) + "\n";
    }
  }
  return text;
}

TEST(Execute, RandomProgramsAreClean) {
  const uint64_t programs = from_environment("EXECUTE_PROGRAMS", 4000);
  Random random(from_environment("EXECUTE_SEED", 1));
  uint64_t executions = 0, steps = 0, cut_off = 0, operations = 0, dropped = 0;
  for (uint64_t i = 0; i < programs; ++i) {
    const Program program = generate_program(random, Kind::kConcurrent);
    const ExecuteResult result = execute(run_program, program, {});
    ASSERT_FALSE(result.failed) << text_of(program, result) << stacks_of(result);
    executions += result.executions;
    steps += result.steps;
    cut_off += result.cut_off;
    operations += operation_count(program);
    dropped += operations_dropped();
  }
  std::printf("%llu executions, %llu points, %llu cut off; of %llu operations %llu dropped\n",
              static_cast<unsigned long long>(executions), static_cast<unsigned long long>(steps),
              static_cast<unsigned long long>(cut_off), static_cast<unsigned long long>(operations),
              static_cast<unsigned long long>(dropped));
  EXPECT_LT(cut_off * 100, executions);
}

TEST(Execute, RandomSequencesAgreeWithTheModel) {
  const uint64_t programs = from_environment("EXECUTE_PROGRAMS", 4000);
  Random random(from_environment("EXECUTE_SEED", 1));
  for (uint64_t i = 0; i < programs; ++i) {
    const Program program = generate_program(random, Kind::kSequential);
    const ExecuteResult result = execute(run_sequential, program, {});
    ASSERT_FALSE(result.failed) << text_of(program, result) << stacks_of(result);
  }
}

uint64_t trace_of(const Program& program) {
  std::vector<uint8_t> bytes;
  const sched::Options options = schedule_options(program, 0, &bytes);
  return execute_once(run_program, program, options).trace_hash;
}

TEST(Execute, OneInputHasOneTrace) {
  Random random(5);
  const Program program = generate_program(random, Kind::kConcurrent);
  const uint64_t trace = trace_of(program);
  for (int i = 0; i < 10000; ++i) ASSERT_EQ(trace_of(program), trace);
}

// What a fresh process says, and what one says that has run other things before.
TEST(Execute, TracesAreEqualAcrossProcessesAndAfterOthers) {
  Random random(6);
  std::vector<Program> programs;
  for (int i = 0; i < 50; ++i) programs.push_back(generate_program(random, Kind::kConcurrent));
  std::vector<uint64_t> here;
  for (const Program& program : programs) here.push_back(trace_of(program));
  for (size_t i = programs.size(); i-- > 0;) ASSERT_EQ(trace_of(programs[i]), here[i]);
  int pipe_ends[2];
  ASSERT_EQ(pipe(pipe_ends), 0);
  const pid_t child = fork();
  if (child == 0) {
    std::vector<uint64_t> there;
    for (const Program& program : programs) there.push_back(trace_of(program));
    const ssize_t size = static_cast<ssize_t>(there.size() * sizeof there[0]);
    _exit(write(pipe_ends[1], there.data(), static_cast<size_t>(size)) == size ? 0 : 1);
  }
  close(pipe_ends[1]);
  std::vector<uint64_t> there(programs.size());
  size_t got = 0;
  while (got < there.size() * sizeof there[0]) {
    const ssize_t n = read(pipe_ends[0], reinterpret_cast<char*>(there.data()) + got,
                           there.size() * sizeof there[0] - got);
    if (n <= 0) break;
    got += static_cast<size_t>(n);
  }
  close(pipe_ends[0]);
  int status = 0;
  waitpid(child, &status, 0);
  EXPECT_EQ(status, 0);
  EXPECT_EQ(there, here);
}

// Loses an update under some schedules. Not instrumented: its locks are its scheduling points.
void lose_an_update(const Program&) {
  std::mutex mutex;
  int value = 0;
  const auto add = [&] {
    std::unique_lock lock(mutex);
    const int before = value;
    lock.unlock();
    lock.lock();
    value = before + 1;
  };
  std::thread other(add);
  add();
  other.join();
  if (value != 2) runtime::fail("G6", "an update is lost");
}

TEST(Execute, AnArtifactFailsAgainAfterPrintAndParse) {
  Program program;
  program.schedules = kMaxSchedules;
  program.interval = 3;
  ExecuteResult found;
  for (program.seed = 1; !found.failed && program.seed < 100; ++program.seed)
    found = execute(lose_an_update, program, {});
  ASSERT_TRUE(found.failed);
  const Artifact artifact =
      make_artifact(kPercpuRefTarget, "", program, found.failure.failure, found.failure.recording);
  Artifact parsed;
  ParseError error;
  ASSERT_TRUE(parse(print(artifact), &parsed, &error)) << error.to_string();
  const ExecuteResult again = execute_artifact(lose_an_update, parsed, {});
  ASSERT_TRUE(again.failed);
  EXPECT_EQ(again.executions, 1u);
  EXPECT_EQ(again.failure.failure.guarantee, "G6");
  EXPECT_EQ(again.failure.trace_hash, found.failure.trace_hash);
}

}  // namespace
}  // namespace targets
