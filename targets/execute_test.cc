// SPDX-License-Identifier: Apache-2.0
// Programs under the engine: a right core is never accused, and an input always says the same.
#include "targets/execute.h"

#include <dlfcn.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <mutex>
#include <set>
#include <thread>
#include <vector>

#include "targets/codec.h"
#include "targets/generate.h"
#include "targets/harness.h"
#include "targets/runtime.h"

namespace targets {
namespace {

uint64_t from_environment(const char* name, uint64_t otherwise) {
  const char* text = std::getenv(name);
  return text != nullptr ? std::strtoull(text, nullptr, 10) : otherwise;
}

std::string text_of(const Program& program, const ExecuteResult& result,
                    Kind kind = Kind::kPercpuRef) {
  return print(make_artifact(kind_info(kind).name, "", program, result.failure.failure,
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

void expect_clean(Kind kind) {
  const uint64_t programs = from_environment("EXECUTE_PROGRAMS", 4000);
  Random random(from_environment("EXECUTE_SEED", 1));
  uint64_t executions = 0, steps = 0, cut_off = 0, operations = 0, dropped = 0;
  for (uint64_t i = 0; i < programs; ++i) {
    const Program program = generate_program(random, kind);
    const ExecuteResult result = execute(run_program, program, {});
    ASSERT_FALSE(result.failed) << text_of(program, result, kind) << stacks_of(result);
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

TEST(Execute, RandomProgramsAreClean) {
  for (const KindInfo& info : kKinds)
    if (is_concurrent(info.kind)) expect_clean(info.kind);
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

// An area and a reference go with an element: release runs in the RCU callback that frees it, and frees its object by another.
TEST(Execute, ElementsLetGoOfWhatTheyCarry) {
  Program program = smallest_program(Kind::kMixed);
  program.schedules = kMaxSchedules;
  program.interval = 5;
  program.refs[0].release = ReleaseAction::kFree;
  program.refs[0].tokens[0] = 1;
  program.pools[0].high = 1;
  program.lists[0].form = ListForm::kTryget;
  program.threads = {{{OpCode::kListInsertRef, 0, 0},
                      {OpCode::kPoolFill, 0, 1},
                      {OpCode::kAreaAlloc, 0, 0},
                      {OpCode::kListInsertArea, 0, 0},
                      {OpCode::kListRead, 0, 0},
                      {OpCode::kListTrygetLive, 0, 1},
                      {OpCode::kKill, 0, 0},
                      {OpCode::kPutAll, 0, 0},
                      {OpCode::kFindTryget, 0, 0},
                      {OpCode::kPutAll, 0, 0},
                      {OpCode::kListRemove, 0, 0},
                      {OpCode::kListRemove, 0, 0},
                      {OpCode::kBarrier, 0, 0}}};
  ASSERT_FALSE(check(program, Kind::kMixed));
  const ExecuteResult result = execute(run_program, program, {});
  EXPECT_FALSE(result.failed) << text_of(program, result, Kind::kMixed);
  EXPECT_EQ(operations_dropped(), 0u);
}

uint64_t trace_of(const Program& program) {
  std::vector<uint8_t> bytes;
  const sched::Options options = schedule_options(program, 0, &bytes);
  return execute_once(run_program, program, options).trace_hash;
}

TEST(Execute, OneInputHasOneTrace) {
  Random random(5);
  const Program program = generate_program(random, Kind::kPercpuRef);
  const uint64_t trace = trace_of(program);
  for (int i = 0; i < 10000; ++i) ASSERT_EQ(trace_of(program), trace);
}

// All schedules of an input in one number.
uint64_t traces_of(const Program& program) {
  uint64_t traces = 0;
  ExecuteOptions options;
  options.on_execution_context = &traces;
  options.on_execution = [](const sched::Result& result, void* context) {
    auto& all = *static_cast<uint64_t*>(context);
    all = (all ^ result.trace_hash) * 0x9E3779B97F4A7C15u + result.steps;
  };
  execute(run_program, program, options);
  return traces;
}

// Input number `i`: a program as the mutator makes them, or what any bytes say; one of four has pools or
// lists, and one of 16 all parts.
Program input(uint64_t i) {
  Random random(i);
  const Kind kind = i % 8 == 3    ? Kind::kPercpuPool
                    : i % 8 == 7  ? Kind::kRcuref
                    : i % 16 == 5 ? Kind::kMixed
                                  : Kind::kPercpuRef;
  if (!random.one_in(4)) return generate_program(random, kind);
  std::vector<uint8_t> bytes(random.below(200));
  for (uint8_t& byte : bytes) byte = static_cast<uint8_t>(random.next());
  if (!bytes.empty()) bytes[0] = kCodecVersion;
  return decode(bytes, kind).program;
}

// One process runs them forwards, another one backwards, so that each input comes after others than
// there. EXECUTE_TRACES: how many inputs (default 25,000; the test that takes long has a million).
TEST(Execute, TracesAreEqualAcrossProcessesAndAfterOthers) {
  const uint64_t inputs = from_environment("EXECUTE_TRACES", 25000);
  void* const shared = mmap(nullptr, inputs * sizeof(uint64_t), PROT_READ | PROT_WRITE,
                            MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  ASSERT_NE(shared, MAP_FAILED);
  auto* const backwards = static_cast<uint64_t*>(shared);
  const pid_t child = fork();
  if (child == 0) {
    for (uint64_t i = inputs; i-- > 0;) backwards[i] = traces_of(input(i));
    _exit(0);
  }
  std::vector<uint64_t> forwards;
  for (uint64_t i = 0; i < inputs; ++i) forwards.push_back(traces_of(input(i)));
  int status = 0;
  waitpid(child, &status, 0);
  EXPECT_EQ(status, 0);
  for (uint64_t i = 0; i < inputs; ++i) ASSERT_EQ(forwards[i], backwards[i]) << "input " << i;
  const std::set<uint64_t> different(forwards.begin(), forwards.end());
  EXPECT_GT(different.size(), inputs / 2);
  munmap(shared, inputs * sizeof(uint64_t));
}

// Loses an update under some schedules.
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
      make_artifact("percpu_ref", "", program, found.failure.failure, found.failure.recording);
  Artifact parsed;
  ParseError error;
  ASSERT_TRUE(parse(print(artifact), &parsed, &error)) << error.to_string();
  const ExecuteResult again = execute_artifact(lose_an_update, parsed, {});
  ASSERT_TRUE(again.failed);
  EXPECT_EQ(again.executions, 1u);
  EXPECT_EQ(again.failure.failure.guarantee, "G6");
  EXPECT_EQ(again.failure.trace_hash, found.failure.trace_hash);
}

// Both see nothing of the other only where a load may return a stale store.
void buffers_stores(const Program&) {
  std::atomic<int> mine = 0, yours = 0;
  int seen_here = 1, seen_there = 1;
  std::thread other([&] {
    yours.store(1, std::memory_order_relaxed);
    seen_there = mine.load(std::memory_order_relaxed);
  });
  mine.store(1, std::memory_order_relaxed);
  seen_here = yours.load(std::memory_order_relaxed);
  other.join();
  if (seen_here == 0 && seen_there == 0) runtime::fail("G6", "neither saw the other");
}

// The first failure among 100 programs, or a clean result.
ExecuteResult search(Body body, Memory memory, Program* program) {
  program->schedules = kMaxSchedules;
  program->interval = 3;
  ExecuteOptions options;
  options.memory = memory;
  ExecuteResult result;
  for (program->seed = 1; program->seed <= 100; ++program->seed)
    if (result = execute(body, *program, options); result.failed) break;
  return result;
}

TEST(Execute, SequentialMemoryHidesWhatNeedsAStaleLoad) {
  Program program;
  EXPECT_TRUE(search(buffers_stores, Memory::kWeak, &program).failed);
  EXPECT_FALSE(search(buffers_stores, Memory::kSequential, &program).failed);
  EXPECT_TRUE(search(lose_an_update, Memory::kSequential, &program).failed);
}

// Loses one of four increments, with loads on the way that have a choice under weak memory.
void loses_an_increment(const Program&) {
  std::atomic<int> value = 0;
  const auto add = [&] {
    for (int i = 0; i < 2; ++i) {
      const int before = value.load(std::memory_order_relaxed);
      value.store(before + 1, std::memory_order_relaxed);
    }
  };
  std::thread other(add);
  add();
  other.join();
  if (value != 4) runtime::fail("G6", "an increment is lost");
}

// Under the other memory the choices would not be at the points that the schedule names.
TEST(Execute, AnArtifactCarriesItsMemory) {
  for (const Memory memory : {Memory::kWeak, Memory::kSequential}) {
    Program program;
    const ExecuteResult found = search(loses_an_increment, memory, &program);
    ASSERT_TRUE(found.failed);
    Artifact artifact =
        make_artifact("percpu_ref", "", program, found.failure.failure, found.failure.recording);
    artifact.memory = memory;
    Artifact parsed;
    ParseError error;
    ASSERT_TRUE(parse(print(artifact), &parsed, &error)) << error.to_string();
    const ExecuteResult again = execute_artifact(loses_an_increment, parsed, {});
    ASSERT_TRUE(again.failed);
    EXPECT_EQ(again.failure.failure.trace_hash, found.failure.failure.trace_hash);
  }
}

}  // namespace
}  // namespace targets
