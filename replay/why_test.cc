// SPDX-License-Identifier: Apache-2.0
#include "replay/why.h"

#include <gtest/gtest.h>

#include "replay/toy.h"

namespace replay {
namespace {

sched::Why why_of(const std::string& lines, targets::Body body) {
  targets::Artifact artifact = toy::parse(lines);
  for (artifact.program.seed = 1; artifact.program.seed < 200; ++artifact.program.seed) {
    const auto found = targets::execute_artifact(body, artifact, {});
    if (!found.failed) continue;
    targets::Artifact one = targets::make_artifact(artifact.target, "", artifact.program,
                                                   found.failure.failure, found.failure.recording);
    one.memory = artifact.memory;
    return explain_why(one, body);
  }
  ADD_FAILURE() << "never fails";
  return {};
}
const char* const kWindow =
    "memory sc\nthread T1\n kill ref0\n put ref0\nthread T2\n tryget ref0\n";
bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

TEST(Why, FindsTheOrdersThatMatter) {
  const sched::Why why = why_of(kWindow, toy::window);
  ASSERT_EQ(why.conditions.size(), 2u) << print_why(why);
  std::string all;
  for (const sched::Condition& c : why.conditions) {
    EXPECT_EQ(c.failing, why.failing);
    EXPECT_LT(c.passing, why.passing);
    all += c.text + "\n";
  }
  EXPECT_TRUE(has(all, "T1 writes") && has(all, "kill ref0")) << all;
  EXPECT_TRUE(has(all, "T2 reads") && has(all, "put ref0")) << all;
  EXPECT_EQ(why.memory, sched::MemoryNeeded::kSequential);
  EXPECT_TRUE(has(why.words, "on any machine")) << why.words;
}

TEST(Why, BlamesWeakMemoryWhereItIsAtFault) {
  const sched::Why why = why_of("thread T1\n kill ref0\nthread T2\n tryget ref0\n", toy::message);
  EXPECT_EQ(why.memory, sched::MemoryNeeded::kWeaker);
  EXPECT_TRUE(has(why.words, "x86 never does it")) << why.words;
  bool stale = false;
  for (const std::string& read : why.last_reads) stale |= has(read, "stale");
  EXPECT_TRUE(stale) << print_why(why);
}

TEST(Why, SaysFromWhichChoiceOnItIsCertain) {
  // Whoever is second fails: the choice who begins decides, if T2's turn comes at all.
  const auto late = [](const targets::Program& program) {
    toy::run_threads(program, [](targets::OpCode code) {
      if (code == targets::OpCode::kKill) toy::flag.store(1, std::memory_order_relaxed);
      if (code == targets::OpCode::kTryget && toy::flag.load(std::memory_order_relaxed) == 0)
        toy::data.store(1, std::memory_order_relaxed);
      if (code == targets::OpCode::kPut) {
        while (toy::data.load(std::memory_order_relaxed) == 0 &&
               toy::flag.load(std::memory_order_relaxed) == 0)
          std::this_thread::yield();
        if (toy::data.load(std::memory_order_relaxed) == 1) sched::fail("G2", "too early");
      }
    });
  };
  const sched::Why why =
      why_of("thread T1\n kill ref0\nthread T2\n tryget ref0\n put ref0\n", late);
  EXPECT_LE(why.certain_after, 3u);
  EXPECT_GE(why.certain_after, 1u);
  EXPECT_EQ(why.fail_with, sched::kContinuations);
  EXPECT_LT(why.fail_without, sched::kContinuations);
  EXPECT_TRUE(has(why.words, "nothing can save it")) << why.words;
}

TEST(Why, SaysThatItAlwaysFails) {
  const auto always = [](const targets::Program& program) {
    toy::run_threads(program, [](targets::OpCode) { sched::fail("G2", "as ever"); });
  };
  const sched::Why why = why_of("thread T1\n get ref0\n", always);
  EXPECT_EQ(why.certain_after, 0u);
  EXPECT_TRUE(why.conditions.empty());
  EXPECT_TRUE(has(why.words, "whatever the schedule is")) << why.words;
}

TEST(Why, IsTheSameEachTime) {
  const auto text = [] { return print_why(why_of(kWindow, toy::window)); };
  const std::string first = text();
  EXPECT_EQ(first, text());
  EXPECT_TRUE(first.ends_with("\n"));
}

}  // namespace
}  // namespace replay
