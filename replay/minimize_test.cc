// SPDX-License-Identifier: Apache-2.0
#include "replay/minimize.h"

#include <gtest/gtest.h>

#include "replay/minimize_file.h"
#include "replay/toy.h"
#include "sched/long_search.h"

namespace replay {
namespace {

// The first failure, as an artifact with one schedule, by other seeds of the same program.
std::optional<targets::Artifact> failing(targets::Artifact artifact, targets::Body body) {
  for (artifact.program.seed = 1; artifact.program.seed < 200; ++artifact.program.seed) {
    const auto found = targets::execute_artifact(body, artifact, {});
    if (found.failed)
      return targets::make_artifact(artifact.target, "", artifact.program, found.failure.failure,
                                    found.failure.recording);
  }
  return std::nullopt;
}
size_t operations(const targets::Artifact& artifact) {
  return targets::operation_count(artifact.program);
}
bool fails(const targets::Artifact& artifact, targets::Body body) {
  return targets::execute_artifact(body, artifact, {}).failed;
}

const char* const kLong =
    "setup ref flags reinit release reinit\nsetup cpus 3\n"
    "thread T1\n get ref0\n get ref0\n put ref0\n tryget_live ref0\n"
    "thread T2\n get ref0\n kill ref0\n get ref0\n put ref0\n get ref0\n"
    "thread T3\n get ref0\n tryget ref0\n get ref0\n tryget ref0\n get ref0\n";

TEST(Minimize, LeavesTwoOperations) {
  const auto artifact = failing(toy::parse(kLong), toy::window);
  ASSERT_TRUE(artifact);
  const auto small = minimize(*artifact, toy::window, {});
  ASSERT_TRUE(small);
  EXPECT_TRUE(small->complete);
  EXPECT_EQ(operations(small->artifact), 2u) << targets::print(small->artifact);
  EXPECT_TRUE(small->artifact.schedule.empty()) << targets::print(small->artifact);
  EXPECT_EQ(small->artifact.program.cpus, 1);
  EXPECT_EQ(small->group.operation, "tryget");
  EXPECT_EQ(small->group.guarantee, "G2");
  EXPECT_EQ(small->after, extent_of(small->artifact));
  EXPECT_TRUE(fails(small->artifact, toy::window));
}

// What its end promises, tried from outside: nothing can go.
TEST(Minimize, NothingMoreCanGo) {
  const auto artifact = failing(toy::parse(kLong), toy::message);
  ASSERT_TRUE(artifact);
  const auto small = minimize(*artifact, toy::message, {});
  ASSERT_TRUE(small);
  EXPECT_EQ(small->after.operations, 2u);
  EXPECT_EQ(small->after.departures, 1u) << targets::print(small->artifact);
  for (size_t i = 0; i < small->artifact.schedule.size(); ++i) {
    targets::Artifact fewer = small->artifact;
    fewer.schedule.erase(fewer.schedule.begin() + static_cast<ptrdiff_t>(i));
    EXPECT_FALSE(fails(fewer, toy::message)) << i;
  }
}

TEST(Minimize, IsTheSameEachTime) {
  const auto artifact = failing(toy::parse(kLong), toy::message);
  ASSERT_TRUE(artifact);
  const auto first = minimize(*artifact, toy::message, {});
  minimize(*failing(toy::parse(kLong), toy::window), toy::window, {});
  const auto second = minimize(*artifact, toy::message, {});
  ASSERT_TRUE(first && second);
  EXPECT_EQ(first->artifact, second->artifact);
  EXPECT_EQ(first->executions, second->executions);
  // And it is as small as it gets: once more changes nothing.
  EXPECT_EQ(minimize(first->artifact, toy::message, {})->artifact.program, first->artifact.program);
}

TEST(Minimize, LeavesOutWeakMemoryWhereItIsNotNeeded) {
  const auto artifact = failing(toy::parse(kLong), toy::window);
  ASSERT_TRUE(artifact);
  EXPECT_EQ(artifact->memory, targets::Memory::kWeak);
  EXPECT_EQ(minimize(*artifact, toy::window, {})->artifact.memory, targets::Memory::kSequential);
  const auto weak = failing(toy::parse(kLong), toy::message);
  EXPECT_EQ(minimize(*weak, toy::message, {})->artifact.memory, targets::Memory::kWeak);
}

// Another failure of the same program does not count as this one.
TEST(Minimize, StaysTheSameFailure) {
  const auto either = [](const targets::Program& program) {
    toy::run_threads(program, [](targets::OpCode code) {
      if (code == targets::OpCode::kKill) toy::flag.store(1, std::memory_order_relaxed);
      if (code == targets::OpCode::kTryget && toy::flag.load(std::memory_order_relaxed) == 1)
        sched::fail("G2", "one");
      if (code == targets::OpCode::kTrygetLive && toy::flag.load(std::memory_order_relaxed) == 1)
        sched::fail("G2", "the other");
    });
  };
  const auto artifact = failing(
      toy::parse("thread T1\n kill ref0\nthread T2\n tryget ref0\nthread T3\n tryget_live ref0\n"),
      either);
  ASSERT_TRUE(artifact);
  const auto small = minimize(*artifact, either, {});
  ASSERT_TRUE(small);
  EXPECT_EQ(small->after.operations, 2u);
  EXPECT_EQ(small->artifact.message, artifact->message);
}

TEST(Minimize, StopsWhenAskedAndKeepsTheBest) {
  const auto artifact = failing(toy::parse(kLong), toy::message);
  ASSERT_TRUE(artifact);
  MinimizeOptions options;
  unsigned improved = 0;
  options.improved = [&](const Minimized&) { ++improved; };
  options.stop = [&](const Minimized&) { return improved >= 2; };
  const auto part = minimize(*artifact, toy::message, options);
  ASSERT_TRUE(part);
  EXPECT_FALSE(part->complete);
  EXPECT_GE(improved, 2u);
  EXPECT_LT(part->after.operations, part->before.operations);
  EXPECT_TRUE(fails(part->artifact, toy::message));
}

TEST(Minimize, OfWhatDoesNotFailThereIsNothing) {
  const targets::Artifact right = toy::parse("thread T1\n get ref0\n put ref0\n");
  EXPECT_FALSE(minimize(right, toy::window, {}));
}

TEST(Minimize, NamesTheFileAfterTheOther) {
  EXPECT_EQ(sched::minimized_path("a/failure-G2-1.lastput"), "a/failure-G2-1.min.lastput");
  EXPECT_EQ(sched::minimized_path("a/failure-G2-1.min.lastput"), "a/failure-G2-1.min.lastput");
  EXPECT_EQ(sched::minimized_path("crash-12"), "crash-12.min.lastput");
}

}  // namespace
}  // namespace replay
