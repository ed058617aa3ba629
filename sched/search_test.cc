// SPDX-License-Identifier: Apache-2.0
// Searches, choices as text, and the program around a body. Code under test itself.
#include "sched/search.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <atomic>
#include <cstdio>
#include <fstream>
#include <initializer_list>
#include <string>
#include <thread>
#include <vector>

namespace {

using sched::FailureKind;
using sched::SearchResult;
using sched::Verdict;

// Two threads add to a count, in two steps: it fails in some schedules only.
void add_in_two_steps() {
  std::atomic<int> count{0};
  const auto add = [&] { count.store(count.load() + 1); };
  std::thread other(add);
  add();
  other.join();
  if (count.load() != 2) sched::fail("sum", "an addition is lost");
}
void add_at_once() {
  std::atomic<int> count{0};
  std::thread other([&] { count.fetch_add(1); });
  count.fetch_add(1);
  other.join();
  if (count.load() != 2) sched::fail("sum", "an addition is lost");
}

TEST(Search, EndsWithTheFirstFailureAndIsRepeatable) {
  const SearchResult found = sched::search(add_in_two_steps);
  ASSERT_TRUE(found.failed());
  EXPECT_GT(found.executions, 1u);  // the default schedule is right
  EXPECT_EQ(found.result.failure.guarantee, "sum");
  const SearchResult again = sched::search(add_in_two_steps);
  EXPECT_EQ(again.executions, found.executions);
  EXPECT_EQ(again.result.trace_hash, found.result.trace_hash);
  EXPECT_EQ(again.result.recording.choices, found.result.recording.choices);
}
TEST(Search, RunsAllWhereNothingFails) {
  const SearchResult found = sched::search(add_at_once, {}, 300);
  EXPECT_FALSE(found.failed()) << sched::describe(found);
  EXPECT_EQ(found.executions, 300u);
  EXPECT_GT(found.points, 300u);
  EXPECT_EQ(sched::describe(found), "");
}
TEST(Search, AnotherSeedIsAnotherSearch) {
  sched::Options one, other;
  other.seed = 2;
  sched::Profile profile;
  const auto seed = [&](const sched::Options& base, uint64_t n) {
    return sched::schedule_of_search(base, n, &profile).seed;
  };
  EXPECT_NE(seed(one, 1), seed(other, 1));
  EXPECT_NE(seed(one, 1), seed(one, 2));
}
TEST(Search, DescribesWhatReplays) {
  const SearchResult found = sched::search(add_in_two_steps);
  const std::string text = sched::describe(found);
  EXPECT_NE(text.find("FAILED: sum, guarantee\n  an addition is lost\n"), std::string::npos)
      << text;
  EXPECT_NE(text.find("after " + std::to_string(found.executions)), std::string::npos) << text;
  std::vector<sched::Choice> choices;
  for (const sched::Choice& c : found.result.recording.choices) {
    EXPECT_NE(text.find("  " + sched::print_choice(c) + "\n"), std::string::npos) << text;
    ASSERT_TRUE(sched::parse_choice(sched::print_choice(c), &choices.emplace_back()));
  }
  EXPECT_EQ(choices, found.result.recording.choices);
  const sched::Result result = sched::replay(add_in_two_steps, choices);
  EXPECT_EQ(result.verdict, Verdict::kFailed);
  EXPECT_EQ(result.trace_hash, found.result.trace_hash);
}
TEST(Search, LinesThatAreNoChoice) {
  sched::Choice c;
  for (const char* line :
       {"", "main", "main op x point 1 -> a", "main op 1 point 2 > a", "main op 1 point 2 ->",
        "main op 1 point 2 -> a b", "main point 1 op 2 -> a"})
    EXPECT_FALSE(sched::parse_choice(line, &c)) << line;
  EXPECT_TRUE(sched::parse_choice("  main.1 op 1 point 2 -> -2", &c));
  EXPECT_EQ(c, (sched::Choice{"main.1", 1, 2, "-2"}));
}

// What can be run: functions, and whatever can be called; temporaries, constants.
TEST(Body, IsWhateverCanBeCalled) {
  int calls = 0;
  const auto count = [&] { ++calls; };
  const sched::Body bodies[] = {sched::Body(count),
                                {[](void* n) { ++*static_cast<int*>(n); }, &calls}};
  for (const sched::Body& body : bodies) EXPECT_EQ(sched::run(body).verdict, Verdict::kClean);
  sched::run(count);
  sched::run([&] { ++calls; });
  void (*pointer)() = add_at_once;
  EXPECT_EQ(sched::run(pointer).threads, 2u);
  EXPECT_EQ(sched::run(add_at_once).threads, 2u);
  EXPECT_EQ(calls, 4);
}

// What sched.h says of run().
TEST(Run, FromAnyThread) {
  sched::SearchResult found[2];
  for (SearchResult& f : found) std::thread([&] { f = sched::search(add_in_two_steps); }).join();
  EXPECT_TRUE(found[0].failed());
  EXPECT_EQ(found[0].result.trace_hash, found[1].result.trace_hash);
}
TEST(Run, AnExceptionThatLeavesTheBodyIsAVerdict) {
  EXPECT_EQ(sched::run([] { throw 1; }).failure.kind, FailureKind::kCrash);
  EXPECT_EQ(sched::run(add_at_once).verdict, Verdict::kClean);
}
TEST(Run, EndsWhenDetachedThreadsHave) {
  static std::atomic<int> ended;
  const SearchResult found = sched::search(
      [] {
        ended.store(0);
        std::thread([] { ended.fetch_add(1); }).detach();
      },
      {}, 100);
  EXPECT_FALSE(found.failed()) << sched::describe(found);
  EXPECT_EQ(ended.load(), 1);
}

class SearchMain : public testing::Test {
 protected:
  SearchMain() { keep("failure"); }
  ~SearchMain() override { remove(path_.c_str()); }
  void keep(const char* name) {
    path_ = testing::TempDir() + "search_test." + std::to_string(getpid()) + "." + name;
  }
  // Its exit code; what it prints is in `output`.
  int call(void (*body)(), std::initializer_list<std::string> flags) {
    std::vector<std::string> words = {"program"};
    words.insert(words.end(), flags);
    std::vector<char*> argv;
    for (std::string& word : words) argv.push_back(word.data());
    testing::internal::CaptureStdout();
    testing::internal::CaptureStderr();
    const int code = sched::search_main(static_cast<int>(argv.size()), argv.data(), body);
    output_ = testing::internal::GetCapturedStdout() + testing::internal::GetCapturedStderr();
    return code;
  }
  void expect_says(const std::string& words) const {
    EXPECT_NE(output_.find(words), std::string::npos) << words << "\n" << output_;
  }
  std::string path_, output_;
};

TEST_F(SearchMain, CleanEndsWithTheCount) {
  EXPECT_EQ(call(add_at_once, {"--executions=50", "--seed=3"}), 0);
  EXPECT_EQ(output_, "lastput: program, seed 3\nexecutions: 50\n");
}
TEST_F(SearchMain, KeepsAFailureThatReplays) {
  EXPECT_EQ(call(add_in_two_steps, {"--keep=" + path_}), 77);
  expect_says("FAILED: sum, guarantee\n");
  expect_says("replay: program --replay=" + path_ + "\nSUMMARY: lastput: sum guarantee");
  for (const char* how : {"--seed=1", "--os-threads"}) {
    EXPECT_EQ(call(add_in_two_steps, {"--replay=" + path_, how}), 77);
    expect_says("an addition is lost\n");
    expect_says("all steps:\n");
  }
  EXPECT_EQ(call(add_at_once, {"--replay=" + path_}), 0);
  expect_says("does not fail");
}
TEST_F(SearchMain, TellsWhatIsWrongWithItsFlags) {
  for (const char* flag :
       {"--seed", "--seed=", "--seed=1x", "--executions=-1", "--executions=0", "--keep=", "more"}) {
    EXPECT_EQ(call(add_at_once, {flag}), 1);
    expect_says(std::string("lastput: ") + flag + ": the flags are --executions=N");
  }
}
TEST_F(SearchMain, TellsWhatIsWrongWithAFile) {
  EXPECT_EQ(call(add_at_once, {"--replay=/no/such/file"}), 1);
  expect_says("/no/such/file: No such file or directory");
  std::ofstream(path_) << "# a comment\nmain op 0 point 1 -> main.1\n";
  EXPECT_EQ(call(add_at_once, {"--replay=" + path_}), 1);
  expect_says("it is truncated");
  std::ofstream(path_) << "main op 0 point 1 -> main.1\nend\n";
  EXPECT_EQ(call(add_at_once, {"--replay=" + path_}), 0);
  std::ofstream(path_) << "\nnonsense\nend\n";
  EXPECT_EQ(call(add_at_once, {"--replay=" + path_}), 1);
  expect_says(path_ + ":2: no choice: nonsense");
  EXPECT_EQ(call(add_in_two_steps, {"--keep=/no/such/folder/file"}), 2);
  expect_says("cannot write /no/such/folder/file: No such file or directory");
}
TEST_F(SearchMain, WhatTheEngineRefusesIsNoFailureOfTheProgram) {
  EXPECT_EQ(call([] { _exit(0); }, {"--keep=" + path_}), 2);
  expect_says("FAILED: engine-limit");
}
TEST(RunOrAbortDeathTest, TellsAndAborts) {
  const SearchResult found = sched::search(add_in_two_steps);
  sched::Options options;
  options.choices = &found.result.recording.choices;
  EXPECT_DEATH(sched::run_or_abort(add_in_two_steps, options),
               "SUMMARY: lastput: sum guarantee in ");
  sched::run_or_abort(add_at_once, options);
}

}  // namespace
