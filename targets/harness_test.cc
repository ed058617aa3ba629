// SPDX-License-Identifier: Apache-2.0
// The harness on real threads: a right core is never accused, whatever the program and the timing.
// Run under the sanitizers, on every platform of the core.
#include "targets/harness.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <string>
#include <vector>

#include "targets/generate.h"
#include "targets/text.h"

namespace targets {
namespace {

std::string running;  // what is printed if it aborts

void on_abort(int) {
  [[maybe_unused]] const ssize_t written = write(STDERR_FILENO, running.data(), running.size());
  std::signal(SIGABRT, SIG_DFL);
  std::raise(SIGABRT);
}

void run(const Program& program, Kind kind = Kind::kPercpuRef) {
  Artifact artifact;
  artifact.target = kind_info(kind).name;
  artifact.program = program;
  running = print(artifact);
  run_program(program);
}

std::vector<KindInfo> concurrent_kinds() {
  std::vector<KindInfo> kinds;
  for (const KindInfo& info : kKinds)
    if (is_concurrent(info.kind)) kinds.push_back(info);
  return kinds;
}

class Harness : public testing::Test {
 protected:
  void SetUp() override { std::signal(SIGABRT, on_abort); }
};

// HARNESS_PROGRAMS=n runs more, HARNESS_SEED=n others.
uint64_t from_environment(const char* name, uint64_t otherwise) {
  const char* text = std::getenv(name);
  return text != nullptr ? std::strtoull(text, nullptr, 10) : otherwise;
}

class HarnessOfKind : public Harness, public testing::WithParamInterface<KindInfo> {};

TEST_P(HarnessOfKind, RandomProgramsOnRealThreadsAreClean) {
  const uint64_t programs = from_environment("HARNESS_PROGRAMS", 3000);
  Random random(from_environment("HARNESS_SEED", 1));
  uint64_t operations = 0, dropped = 0;
  for (uint64_t i = 0; i < programs; ++i) {
    const Program program = generate_program(random, GetParam().kind);
    run(program, GetParam().kind);
    operations += operation_count(program);
    dropped += operations_dropped();
  }
  EXPECT_LT(dropped * 4, operations * 3) << "most operations are dropped: the test says little";
  RecordProperty("operations", std::to_string(operations));
  RecordProperty("dropped", std::to_string(dropped));
}

INSTANTIATE_TEST_SUITE_P(Concurrent, HarnessOfKind, testing::ValuesIn(concurrent_kinds()),
                         [](const auto& info) { return std::string(info.param.name); });

TEST_F(Harness, TheSmallestProgram) {
  run(Program{});
}

TEST_F(Harness, RefsThatBeginDeadLiveAfterReinit) {
  Program program;
  program.refs[0].flags = kFlagDead;
  program.threads = {{{OpCode::kReinit, 0, 0},
                      {OpCode::kTryget, 0, 0},
                      {OpCode::kKill, 0, 0},
                      {OpCode::kPutAll, 0, 0},
                      {OpCode::kDrain, 0, 0},
                      {OpCode::kReinit, 0, 0}}};
  run(program);
  EXPECT_EQ(operations_dropped(), 0u);
}

TEST_F(Harness, WhatItMayNotDoIsDroppedAndCounted) {
  Program program;
  program.refs[0].release = ReleaseAction::kFree;
  program.threads = {{{OpCode::kPut, 0, 0},
                      {OpCode::kTryget, 0, 0},
                      {OpCode::kKill, 0, 0},
                      {OpCode::kKill, 0, 0},
                      {OpCode::kIsZero, 0, 0},
                      {OpCode::kTake, 0, 0}}};
  run(program);
  EXPECT_EQ(operations_dropped(), 5u);  // all but the first kill
}

}  // namespace
}  // namespace targets
