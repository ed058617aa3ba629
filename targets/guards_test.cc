// SPDX-License-Identifier: Apache-2.0
// AFL++ sees the edges of every function of a target. The pass of its version 4.04c leaves out those with std::string in their
// signatures, and says nothing.
#include <gtest/gtest.h>

#include <cstdint>
#include <set>

#include "targets/guards_probe.h"

namespace {

std::set<const uint32_t*> reached;

}  // namespace

// In the place of AFL++'s runtime.
extern "C" void __sanitizer_cov_trace_pc_guard_init(uint32_t*, uint32_t*) {}
extern "C" void __sanitizer_cov_trace_pc_guard(uint32_t* guard) {
  reached.insert(guard);
}

namespace targets {
namespace {

template <typename Text>
size_t edges_of(const Text& text) {
  reached.clear();
  closes(text);
  return reached.size();
}

TEST(GuardsTest, FunctionsOfStringsAreCounted) {
  EXPECT_GT(edges_of(std::string("(a)")), edges_of(std::string("")));
  EXPECT_GT(edges_of(std::string("")), 0u);
  EXPECT_GE(edges_of(std::string("(a)")), edges_of("(a)"));
}

}  // namespace
}  // namespace targets
