// SPDX-License-Identifier: Apache-2.0
// Against std::set, in both widths: this file is linked with sched and with sched_wide.
#include "sched/thread_set.h"

#include <gtest/gtest.h>

#include <random>
#include <set>
#include <vector>

namespace {

using sched::kMaxThreads;
using sched::ThreadSet;

void expect_equal(const ThreadSet& set, const std::set<uint32_t>& model) {
  EXPECT_EQ(set.empty(), model.empty());
  EXPECT_EQ(set.count(), model.size());
  EXPECT_EQ(set.is_single(), model.size() == 1);
  std::vector<uint32_t> members;
  set.for_each([&](uint32_t i) { members.push_back(i); });
  ASSERT_EQ(members, std::vector<uint32_t>(model.begin(), model.end()));
  if (!model.empty()) {
    EXPECT_EQ(set.first(), *model.begin());
  }
  for (uint32_t n = 0; n < members.size(); ++n) EXPECT_EQ(set.nth(n), members[n]);
  for (uint32_t i = 0; i < kMaxThreads; ++i) {
    EXPECT_EQ(set.has(i), model.contains(i)) << i;
    EXPECT_EQ(set.above(i).count(), std::distance(model.upper_bound(i), model.end())) << i;
    EXPECT_FALSE(set.without(i).has(i));
    EXPECT_EQ(set.without(i).count(), model.size() - model.count(i));
  }
}

TEST(ThreadSet, IsASet) {
  std::mt19937 random(1);
  for (const unsigned changes : {0u, 1u, 3u, 20u, 2 * kMaxThreads}) {
    ThreadSet a, b;
    std::set<uint32_t> a_model, b_model;
    for (unsigned n = 0; n < changes; ++n) {
      const auto i = static_cast<uint32_t>(random() % kMaxThreads);
      const auto j = static_cast<uint32_t>(random() % kMaxThreads);
      a.add(i);
      a_model.insert(i);
      b.add(j);
      b_model.insert(j);
      if (random() % 3 == 0) {
        a.remove(j);
        a_model.erase(j);
      }
    }
    expect_equal(a, a_model);
    std::set<uint32_t> both, either = b_model;
    either.insert(a_model.begin(), a_model.end());
    for (const uint32_t i : a_model)
      if (b_model.contains(i)) both.insert(i);
    expect_equal(a & b, both);
    expect_equal(a | b, either);
    EXPECT_EQ(a == b, a_model == b_model);
  }
  expect_equal(ThreadSet::of(kMaxThreads - 1), {kMaxThreads - 1});
  expect_equal(ThreadSet::of(0), {0});
}

}  // namespace
