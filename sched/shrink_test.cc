// SPDX-License-Identifier: Apache-2.0
#include "sched/shrink.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>
#include <vector>

namespace {

// What is left of 0 .. n-1 where all of `needed` must stay; how often it was tried.
std::vector<int> left_of(int n, const std::vector<int>& needed, int* tries) {
  std::vector<int> items(static_cast<size_t>(n));
  std::iota(items.begin(), items.end(), 0);
  *tries = 0;
  sched::shrink([&] { return items.size(); },
                [&](size_t first, size_t count) {
                  ++*tries;
                  std::vector<int> fewer = items;
                  const auto begin = fewer.begin() + static_cast<ptrdiff_t>(first);
                  fewer.erase(begin, begin + static_cast<ptrdiff_t>(count));
                  for (const int x : needed)
                    if (std::find(fewer.begin(), fewer.end(), x) == fewer.end()) return false;
                  items = fewer;
                  return true;
                });
  return items;
}

TEST(Shrink, LeavesWhatIsNeeded) {
  int tries = 0;
  for (int n = 0; n <= 40; ++n) {
    for (int a = 0; a < n; ++a) {
      EXPECT_EQ(left_of(n, {a}, &tries), std::vector<int>{a}) << n;
      EXPECT_EQ(left_of(n, {a, n - 1}, &tries).size(), a == n - 1 ? 1u : 2u) << n << " " << a;
    }
    EXPECT_TRUE(left_of(n, {}, &tries).empty()) << n;
  }
}
TEST(Shrink, TakesFewTries) {
  int tries = 0;
  left_of(1000, {500}, &tries);
  EXPECT_LT(tries, 60);
  left_of(1000, {}, &tries);
  EXPECT_LT(tries, 20);
}
// Of pairs that can go only together something is left that no single removal can take.
TEST(Shrink, StopsWhereNoSingleItemCanGo) {
  std::vector<int> items(10);
  std::iota(items.begin(), items.end(), 0);
  EXPECT_TRUE(sched::shrink([&] { return items.size(); },
                            [&](size_t first, size_t count) {
                              if (count % 2 != 0) return false;
                              items.erase(items.begin() + static_cast<ptrdiff_t>(first),
                                          items.begin() + static_cast<ptrdiff_t>(first + count));
                              return true;
                            }));
  EXPECT_TRUE(items.empty());
}

}  // namespace
