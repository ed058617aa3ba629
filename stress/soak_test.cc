// SPDX-License-Identifier: Apache-2.0
// Each scenario for half a second, and what the runner does about workers that hang.
#include "stress/soak.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include "core/domain.h"
#include "core/rcu.h"
#include "stress/adversity.h"
#include "stress/report.h"
#include "stress/runner.h"
#include "targets/guarantees.h"

namespace stress {
namespace {

Options short_run() {
  Options options;
  options.threads = 3;
  options.round_ms = 50;
  options.artifacts = testing::TempDir() + "soak_test_" + std::to_string(getpid());
  return options;
}

class ScenarioTest : public testing::TestWithParam<const char*> {};

TEST_P(ScenarioTest, IsCleanAndDoesSomething) {
  const std::string name = GetParam();
  for (const ScenarioInfo& info : scenarios()) {
    if (name != info.name) continue;
    watch_for_failures();
    const Options options = short_run();
    Runner runner(info, options);
    const Totals totals = runner.run(std::chrono::milliseconds(500));
    EXPECT_GT(totals.of(Stat::kOperations), 1000u);
    EXPECT_GT(runner.result().rounds, 1u);
    EXPECT_EQ(totals.ages[kGone], 0u);
    return;
  }
  FAIL() << "no scenario " << name;
}

INSTANTIATE_TEST_SUITE_P(All, ScenarioTest,
                         testing::Values("kill_resurrect", "switch_storm", "managed", "pool",
                                         "rcuref", "churn", "overflow", "signals", "mixed"),
                         [](const auto& info) { return std::string(info.param); });

TEST(SoakTest, EveryScenarioIsTested) {
  EXPECT_EQ(scenarios().size(), 9u);
}

// --- The same seed chooses the same ------------------------------------------------------------------------------

std::vector<Recorded> operations_of_steps(uint64_t seed) {
  Recorder recorder(1, "");
  std::vector<std::unique_ptr<Worker>> workers;
  workers.push_back(std::make_unique<Worker>(0, seed, recorder.ring(0)));
  disturb_callbacks(0);
  const std::unique_ptr<Scenario> scenario = scenarios()[1].make({seed, workers});
  scenario->begin_round();
  for (unsigned i = 0; i < 8; ++i) scenario->step(*workers[0]);
  scenario->end_round();
  return recorder.ring(0).last(100);
}

TEST(SoakTest, AWorkersOperationsFollowFromItsSeed) {
  const auto same = [](const std::vector<Recorded>& a, const std::vector<Recorded>& b) {
    if (a.size() != b.size()) return false;
    for (size_t i = 0; i < a.size(); ++i)
      if (a[i].code != b[i].code || a[i].object != b[i].object || a[i].argument != b[i].argument)
        return false;
    return true;
  };
  const std::vector<Recorded> first = operations_of_steps(7);
  ASSERT_FALSE(first.empty());
  EXPECT_TRUE(same(first, operations_of_steps(7)));
  EXPECT_FALSE(same(first, operations_of_steps(8)));
}

// --- The pipe --------------------------------------------------------------------------------------------------------

unsigned freed_at = 0;

TEST(AgePipeTest, FreesAfterTheLastStageAndNoSooner) {
  percpu::Domain domain(domain_options());
  percpu::Rcu rcu(domain);
  Aging aging;
  aging.rcu = &rcu;
  aging.free = [](Aging& self) { freed_at = self.now(); };
  aging.become(kReleased);
  {
    const percpu::RcuReader inside(rcu);
    retire(aging);
    EXPECT_EQ(aging.now(), kReleased);
  }
  for (unsigned stage = 0; stage <= kLastAge; ++stage) domain.drain();
  EXPECT_EQ(freed_at, kLastAge);
}

TEST(AgeDeathTest, AgesBeyondWhatIsAllowedBreakAGuarantee) {
  testing::FLAGS_gtest_death_test_style = "threadsafe";
  Recorder recorder(1, "");
  Worker worker(0, 1, recorder.ring(0));
  check_holders_age(worker, kUnlisted, "an object");
  check_readers_age(worker, kReleased, kReleased, "an object");
  EXPECT_EQ(worker.tally.ages[kReleased].get(), 1u);
  EXPECT_DEATH(check_holders_age(worker, kReleased, "an object"), "lastput: G2");
  EXPECT_DEATH(check_readers_age(worker, kGone, kReleased, "an object"), "lastput: U1");
}

// --- The watchdog ------------------------------------------------------------------------------------------------

struct Hanging : Scenario {
  void begin_round() override {}
  void step(Worker& worker) override {
    worker.begin(targets::OpCode::kDrain, worker.number);
    while (worker.number == 1 && !stopped())
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  void end_round() override {}
};

[[noreturn]] void soak_what_hangs() {
  static const ScenarioInfo kInfo = {"hanging", "", [](const Setup&) -> std::unique_ptr<Scenario> {
                                       return std::make_unique<Hanging>();
                                     }};
  watch_for_failures();
  Options options = short_run();
  options.patience = 1;
  options.adversity = false;
  Runner runner(kInfo, options);
  runner.run(std::chrono::seconds(60));
  _exit(0);
}

TEST(WatchdogDeathTest, TellsWhereAWorkerHangs) {
  testing::FLAGS_gtest_death_test_style = "threadsafe";
  EXPECT_EXIT(soak_what_hangs(), testing::ExitedWithCode(77),
              "worker 1 has not come on for 1 s.*drain 1.*stack of thread.*SUMMARY: lastput: G9");
}

}  // namespace
}  // namespace stress
