// SPDX-License-Identifier: Apache-2.0
#include "sched/timeline.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <sstream>

namespace sched {
namespace {

Step step(uint64_t index, unsigned thread, StepKind kind, std::string text, uint64_t before = 0,
          uint64_t value = 0, int order = -1) {
  Step s;
  s.index = index;
  s.thread = static_cast<uint8_t>(thread);
  s.kind = kind;
  s.order = static_cast<int8_t>(order);
  s.size = 8;
  s.before = before;
  s.value = value;
  s.text = std::move(text);
  return s;
}

Recording two_puts() {
  Recording r;
  r.threads = {"main", "a", "b"};
  r.steps = {
      step(1, 0, StepKind::kCreate, "", 0, 1),
      step(2, 0, StepKind::kCreate, "", 0, 2),
      step(3, 1, StepKind::kOp, "", 0, 0),
      step(3, 1, StepKind::kNote, "put"),
      step(4, 1, StepKind::kRmw, "ref0+8", 2, 1, __ATOMIC_ACQ_REL),
      step(5, 2, StepKind::kOp, "", 0, 0),
      step(5, 2, StepKind::kNote, "put"),
      step(6, 2, StepKind::kRmw, "ref0+8", 1, 0, __ATOMIC_ACQ_REL),
      step(7, 2, StepKind::kLock, "domain+16"),
      step(8, 2, StepKind::kExit, ""),
  };
  return r;
}

TimelineOptions narrow(unsigned width = 80) {
  TimelineOptions options;
  options.width = width;
  return options;
}

size_t count(const std::string& text, const std::string& part) {
  size_t n = 0;
  for (size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++n;
  return n;
}

TEST(Timeline, DrawsAColumnAThreadAndARowAStep) {
  EXPECT_EQ(print_timeline(two_puts(), narrow()),
            "  step main      a                      b\n"
            "     1 create a\n"
            "     2 create b\n"
            "     3 :         == op 0: put\n"
            "     4 :         ref0+8: 2 -> 1  rmw acq_rel\n"
            "     5 :         :                      == op 0: put\n"
            "     6 :         :                      ref0+8: 1 -> 0  rmw acq_rel\n"
            "     7 :         :                      lock domain+16\n"
            "     8 :         :                      ends\n");
}

TEST(Timeline, EmptyRecordingIsEmpty) {
  EXPECT_EQ(print_timeline({}, narrow()), "");
}

TEST(Timeline, LastStepsAreByThreadAndKeepTheirOperation) {
  TimelineOptions options = narrow();
  options.last_steps = 1;
  const std::string text = print_timeline(two_puts(), options);
  EXPECT_NE(text.find("create b"), std::string::npos);
  EXPECT_EQ(text.find("create a"), std::string::npos);
  EXPECT_NE(text.find("ref0+8: 2 -> 1"), std::string::npos);
  EXPECT_EQ(text.find("ref0+8: 1 -> 0"), std::string::npos);
  EXPECT_EQ(count(text, "== op 0: put"), 2U);
  EXPECT_NE(text.find("..."), std::string::npos);
}

TEST(Timeline, FitsTheWidthWithManyThreads) {
  Recording r;
  for (unsigned t = 0; t < kMaxThreads; ++t) {
    r.threads.push_back("thread-" + std::to_string(t));
    for (unsigned i = 0; i < 3; ++i) {
      r.steps.push_back(step(r.steps.size() + 1, t, StepKind::kRmw,
                             "an_object_with_a_long_name+1234", uint64_t{1} << 63, 77 + i,
                             __ATOMIC_SEQ_CST));
    }
  }
  for (const unsigned width : {60U, 80U, 100U, 200U}) {
    std::istringstream lines(print_timeline(r, narrow(width)));
    for (std::string line; std::getline(lines, line);) EXPECT_LE(line.size(), width) << line;
  }
}

TEST(Timeline, LoopsAreFolded) {
  Recording r;
  r.threads = {"main"};
  for (unsigned i = 0; i < 50; ++i) {
    r.steps.push_back(step(2 * i + 1, 0, StepKind::kLoad, "flag", 0, 0, __ATOMIC_ACQUIRE));
    r.steps.push_back(step(2 * i + 2, 0, StepKind::kYield, ""));
  }
  EXPECT_EQ(print_timeline(r, narrow()),
            "  step main\n"
            "     1 flag: 0  load acquire\n"
            "     2 yield\n"
            "   100 (the last 2 rows 49 times more)\n");
}

TEST(Timeline, LongStretchesKeepTheirEndsAndHeadings) {
  Recording r;
  r.threads = {"main"};
  for (unsigned i = 0; i < 100; ++i) {
    r.steps.push_back(step(i + 1, 0, StepKind::kStore, "cell", 0, i));
    if (i == 50) r.steps.push_back(step(i + 1, 0, StepKind::kOp, "", 0, 7));
  }
  const std::string text = print_timeline(r, narrow());
  EXPECT_EQ(count(text, "cell"), TimelineOptions{}.longest_run);
  EXPECT_EQ(count(text, "..."), 2U);
  EXPECT_NE(text.find("== op 7"), std::string::npos);
  TimelineOptions all = narrow();
  all.longest_run = 0;
  EXPECT_EQ(count(print_timeline(r, all), "cell"), 100U);
}

TEST(Timeline, AddsThePlaceOfAStep) {
  Recording r = two_puts();
  r.steps[4].pc = 1;
  TimelineOptions options = narrow();
  options.locate = [](uintptr_t) { return std::string("ref.h:12"); };
  EXPECT_EQ(count(print_timeline(r, options), "rmw acq_rel  ref.h:12\n"), 1U);
}

TEST(Timeline, ValuesAreReadable) {
  EXPECT_EQ(describe_value(0, 8), "0");
  EXPECT_EQ(describe_value(uint64_t{0} - 3, 8), "-3");
  EXPECT_EQ(describe_value(0xffffffff, 4), "-1");
  EXPECT_EQ(describe_value(200, 1), "200");
  EXPECT_EQ(describe_value(uint64_t{1} << 63, 8), "2^63");
  EXPECT_EQ(describe_value((uint64_t{1} << 63) + 2, 8), "2^63+2");
  EXPECT_EQ(describe_value((uint64_t{1} << 63) - 2, 8), "2^63-2");
  EXPECT_EQ(describe_value(0x7f0012345678, 8), "0x7f0012345678");
}

TEST(Timeline, ColoursOnlyWhenAsked) {
  EXPECT_EQ(count(print_timeline(two_puts(), narrow()), "\033"), 0U);
  TimelineOptions options = narrow();
  options.color = true;
  EXPECT_GT(count(print_timeline(two_puts(), options), "\033"), 0U);
}

}  // namespace
}  // namespace sched
