// SPDX-License-Identifier: Apache-2.0
#include "sched/debug/child_process.h"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <system_error>
#include <thread>

namespace sched {
namespace {

namespace fs = std::filesystem;
using std::chrono::steady_clock;

constexpr int kCannotStart = 127;
constexpr auto kLook = std::chrono::milliseconds(20);
constexpr auto kGrace = std::chrono::seconds(10);

std::atomic<pid_t> running =
    0;  // relaxed everywhere: for a signal handler, which needs the number alone

void redirect_output(const std::string& log) {
  const int file = open(log.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
  dup2(file, STDOUT_FILENO);
  dup2(file, STDERR_FILENO);
}

// The status of waitpid().
int wait_for(pid_t child, unsigned seconds) {
  int status = 0;
  if (seconds == 0) {
    while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
    }
    return status;
  }
  auto limit = steady_clock::now() + std::chrono::seconds(seconds);
  int signal = SIGTERM;
  while (waitpid(child, &status, WNOHANG) == 0) {
    if (steady_clock::now() > limit) {
      kill(child, signal);
      signal = SIGKILL;
      limit = steady_clock::now() + kGrace;
    }
    std::this_thread::sleep_for(kLook);
  }
  return status;
}

}  // namespace

std::vector<char*> pointers(std::vector<std::string>& words) {
  std::vector<char*> list;
  for (std::string& word : words) list.push_back(word.data());
  list.push_back(nullptr);
  return list;
}

int run_child(std::vector<std::string> words, const std::string& log, unsigned seconds) {
  const pid_t child = fork();
  if (child < 0) return kCannotStart;
  if (child == 0) {
    if (!log.empty()) redirect_output(log);
    execvp(words[0].c_str(), pointers(words).data());
    _exit(kCannotStart);
  }
  running.store(child, std::memory_order_relaxed);
  const int status = wait_for(child, seconds);
  running.store(0, std::memory_order_relaxed);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

void end_child() noexcept {
  const pid_t child = running.load(std::memory_order_relaxed);
  if (child > 0) kill(child, SIGTERM);
}

std::string this_program() {
  std::error_code error;
  return fs::read_symlink("/proc/self/exe", error).string();
}

ScratchFolder::ScratchFolder() {
  std::string name = (fs::temp_directory_path() / "lastput.XXXXXX").string();
  if (mkdtemp(name.data()) != nullptr) path_ = name;
}

ScratchFolder::~ScratchFolder() {
  std::error_code ignored;
  fs::remove_all(path_, ignored);
}

}  // namespace sched
