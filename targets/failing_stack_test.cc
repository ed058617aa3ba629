// SPDX-License-Identifier: Apache-2.0
// What the stack of a target that dies of a failure begins with.
#include <dlfcn.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>
#include <unwind.h>

#include <csignal>
#include <set>
#include <string>

#include "sched/sched.h"
#include "targets/abort_below_engine.h"
#include "targets/guarantees.h"

namespace targets {
namespace {

constexpr unsigned kMaxFrames = 32;
int to_parent = -1;

// Writes the exported name of each function of our own program on the stack, innermost first.
_Unwind_Reason_Code write_name(_Unwind_Context* context, void* count) {
  Dl_info info;
  void* const pc = reinterpret_cast<void*>(_Unwind_GetIP(context) - 1);
  if (dladdr(pc, &info) != 0 && info.dli_sname != nullptr) {
    const std::string line = std::string(info.dli_sname) + "\n";
    if (write(to_parent, line.data(), line.size()) < 0) _exit(1);
  }
  return ++*static_cast<unsigned*>(count) < kMaxFrames ? _URC_NO_REASON : _URC_END_OF_STACK;
}

void on_abort(int) {
  unsigned count = 0;
  _Unwind_Backtrace(write_name, &count);
  _exit(0);
}

void fail(void* guarantee) {
  reinterpret_cast<void (*)(const char*)>(guarantee)("a sentence");
}

// The names on the stack of a process whose program breaks this guarantee.
std::string stack_of(void (*guarantee)(const char*)) {
  int pipe_ends[2];
  EXPECT_EQ(pipe(pipe_ends), 0);
  const pid_t child = fork();
  if (child == 0) {
    to_parent = pipe_ends[1];
    std::signal(SIGABRT, on_abort);
    sched::Options options;
    options.on_failure = [](const sched::Failure&, const sched::Recording&, void*) {
      abort_below_engine();
    };
    sched::run(fail, reinterpret_cast<void*>(guarantee), options);
    _exit(1);
  }
  close(pipe_ends[1]);
  std::string names;
  char buffer[4096];
  for (ssize_t n; (n = read(pipe_ends[0], buffer, sizeof buffer)) > 0;)
    names.append(buffer, static_cast<size_t>(n));
  close(pipe_ends[0]);
  int status = 0;
  waitpid(child, &status, 0);
  EXPECT_EQ(status, 0) << names;
  return names;
}

// Without the handler, and what the services know to be no function of the program.
std::string topmost(std::string names) {
  const size_t at = names.find("abort\n");
  if (at == std::string::npos) return "";
  names.erase(0, at + 6);
  return names.substr(0, names.find('\n'));
}

TEST(FailingStack, BeginsWithTheGuaranteeThatBroke) {
  std::set<std::string> all;
  unsigned count = 0;
#define LASTPUT_GUARANTEE(function, name)                                                \
  {                                                                                      \
    const std::string stack = stack_of(function), top = topmost(stack);                  \
    EXPECT_NE(top.find(#function), std::string::npos) << name " is told as:\n" << stack; \
    all.insert(top);                                                                     \
    ++count;                                                                             \
  }
#include "targets/guarantees.def"
#undef LASTPUT_GUARANTEE
  EXPECT_EQ(all.size(), count);
}

TEST(FailingStack, IsTheSameForTheSameBug) {
  EXPECT_EQ(stack_of(guarantee_G1_release_exactly_once),
            stack_of(guarantee_G1_release_exactly_once));
}

}  // namespace
}  // namespace targets
