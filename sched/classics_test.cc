// SPDX-License-Identifier: Apache-2.0
// The programs of classics/, each as it is and with each of its defects: what is right is never accused,
// what is wrong is found soon, and replays. They are plain programs in C, whose main() the build renames.
#include <gtest/gtest.h>

#include "sched/sync_testing.h"

#define SCHED_CLASSIC(name, defect, kind) extern "C" int name##_##defect(void);
#include "sched/classics_test.def"
#undef SCHED_CLASSIC

namespace {

using namespace sched_testing;

constexpr uint64_t kRightExecutions = 20'000;
constexpr uint64_t kBrokenExecutions = 20'000;

struct Classic {
  const char* name;
  int defect;        // 0: none
  FailureKind kind;  // of the verdict on it
  int (*main)();
};
constexpr Classic kClassics[] = {
#define SCHED_CLASSIC(name, defect, kind) {#name, defect, FailureKind::kind, name##_##defect},
#include "sched/classics_test.def"
#undef SCHED_CLASSIC
};

Result run_main(const Classic& classic, const Options& options) {
  return sched::run(classic.main, options);
}

class ClassicsTest : public testing::TestWithParam<Classic> {};

void expect_right(const Classic& classic) {
  for (uint64_t seed = 1; seed <= kRightExecutions; ++seed) {
    Options options = seeded(seed);
    options.mean_interval = 1 + static_cast<uint32_t>(seed % 16);
    const Result r = run_main(classic, options);
    ASSERT_NE(r.verdict, Verdict::kFailed)
        << "seed " << seed << ": " << sched::failure_kind_name(r.failure.kind) << ", "
        << r.failure.message;
    if (seed > kSeedsOnBoth) continue;
    // Globals keep their values, and stores remember them: both begin where an equal one has ended.
    const Result again = run_main(classic, options);
    options.os_threads = true;
    expect_same(again, run_main(classic, options));
  }
}

void expect_broken(const Classic& classic) {
  for (uint64_t seed = 1; seed <= kBrokenExecutions; ++seed) {
    Options options = seeded(seed);
    options.mean_interval = 1 + static_cast<uint32_t>(seed % 16);
    options.explain = true;
    const Result r = run_main(classic, options);
    if (r.verdict != Verdict::kFailed) continue;
    testing::Test::RecordProperty("execution", static_cast<int>(seed));
    EXPECT_STREQ(sched::failure_kind_name(r.failure.kind), sched::failure_kind_name(classic.kind))
        << "execution " << seed << ": " << r.failure.message;
    Options replay = options;
    replay.explain = false;
    replay.choices = &r.recording.choices;
    expect_same(r, run_main(classic, replay));
    return;
  }
  ADD_FAILURE() << "not found in " << kBrokenExecutions << " executions";
}

TEST_P(ClassicsTest, IsJudgedRightly) {
  if (GetParam().defect == 0)
    expect_right(GetParam());
  else
    expect_broken(GetParam());
}
INSTANTIATE_TEST_SUITE_P(All, ClassicsTest, testing::ValuesIn(kClassics), [](const auto& info) {
  const std::string defect = std::to_string(info.param.defect);
  return std::string(info.param.name) + (info.param.defect == 0 ? "_right" : "_broken_" + defect);
});

}  // namespace
