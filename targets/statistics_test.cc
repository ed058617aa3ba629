// SPDX-License-Identifier: Apache-2.0
#include "targets/statistics.h"

#include <gtest/gtest.h>

#include "targets/random.h"

namespace targets {
namespace {

TEST(DistinctCounter, IsRightToAFewPercent) {
  for (uint64_t distinct : {0u, 1u, 10u, 1000u, 20000u, 1000000u}) {
    DistinctCounter counter;
    Random random(distinct);
    for (uint64_t i = 0; i < distinct; ++i) {
      const uint64_t value = random.next();
      counter.add(value);
      counter.add(value);  // a second time counts for nothing
    }
    const double wanted = static_cast<double>(distinct);
    EXPECT_NEAR(static_cast<double>(counter.estimate()), wanted, wanted * 0.08);
  }
}

TEST(Statistics, TheSummaryEndsWithTheNumberOfExecutions) {
  Statistics statistics;
  statistics.executions = 7;
  const std::string text = statistics.summary();
  EXPECT_TRUE(text.ends_with("\nexecutions: 7\n")) << text;
}

}  // namespace
}  // namespace targets
