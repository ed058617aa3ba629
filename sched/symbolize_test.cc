// SPDX-License-Identifier: Apache-2.0
#include "sched/symbolize.h"

#include <gtest/gtest.h>

#include <cstdlib>

namespace here {
// A return address within a function that is known by name.
__attribute__((noinline)) uintptr_t outer() {
  volatile uintptr_t pc = reinterpret_cast<uintptr_t>(__builtin_return_address(0));
  return pc;
}
__attribute__((noinline)) uintptr_t caller() {
  volatile uintptr_t pc = outer();
  return pc;
}
}  // namespace here

namespace sched {
namespace {

bool have_symbolizer() {
  return std::system("command -v llvm-symbolizer addr2line >/dev/null 2>&1") == 0;
}

// A program's own functions may begin with the names of the library's.
TEST(Uninteresting, NamesOfTheLibraryAreWhole) {
  for (const char* name : {"free", "exit", "raise", "sched_swap", "__cxa_throw", "start_thread"})
    EXPECT_TRUE(is_uninteresting(std::string(name))) << name;
  for (const char* name :
       {"free_list", "exit_code", "raise_alarm", "sched_task", "clone_tree", "start_threads"})
    EXPECT_FALSE(is_uninteresting(std::string(name))) << name;
}

TEST(Symbolize, FindsFunctionFileAndLine) {
  if (!have_symbolizer()) GTEST_SKIP() << "neither llvm-symbolizer nor addr2line here";
  const std::string text = print_stack({"read by thread a", {here::caller()}});
  EXPECT_TRUE(text.starts_with("  read by thread a:\n    #0 here::caller sched/symbolize_test.cc:"))
      << text;
}

TEST(Symbolize, SaysModuleAndOffsetForWhatIsUnknown) {
  EXPECT_EQ(print_stack({"t", {}}), "  t:\n    (no stack)\n");
  const std::string text = print_stack({"t", {16}});
  EXPECT_EQ(text, "  t:\n    #0 ?? (0xf)\n");
}

TEST(Symbolize, LeavesOutWhatSaysNothing) {
  EXPECT_TRUE(is_uninteresting("sched::(anonymous namespace)::fiber_main"));
  EXPECT_TRUE(is_uninteresting("__tsan_atomic64_load"));
  EXPECT_TRUE(is_uninteresting("std::__atomic_base<unsigned long>::load"));
  EXPECT_TRUE(is_uninteresting("sem_wait") && is_uninteresting("mtx_lock"));
  EXPECT_FALSE(is_uninteresting("sem_wait_for_all"));
  EXPECT_FALSE(is_uninteresting("percpu::Ref::put"));
  EXPECT_FALSE(is_uninteresting("schedule"));
}

}  // namespace
}  // namespace sched
