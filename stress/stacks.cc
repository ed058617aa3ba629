// SPDX-License-Identifier: Apache-2.0
// Stacks of threads that hang: each is asked by a signal, and writes its own.
#include <execinfo.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <csignal>
#include <filesystem>
#include <thread>

#include "stress/report.h"

namespace stress {
namespace {

constexpr auto kAnswer = std::chrono::seconds(1);
constexpr int kFrames = 48;

std::atomic<pid_t> asked = 0;
std::atomic<int> file = -1;

int stack_signal() {
  return SIGRTMIN + 4;
}

void on_question(int) {
  const auto own = static_cast<pid_t>(syscall(SYS_gettid));
  if (asked.load(std::memory_order_relaxed) != own) return;
  void* frames[kFrames];
  backtrace_symbols_fd(frames, backtrace(frames, kFrames), file.load(std::memory_order_relaxed));
  // release: main reads the file after it.
  asked.store(0, std::memory_order_release);
}

std::string whole_file() {
  std::string text;
  char buffer[4096];
  lseek(file, 0, SEEK_SET);
  for (ssize_t n; (n = read(file, buffer, sizeof buffer)) > 0;)
    text.append(buffer, static_cast<size_t>(n));
  return text;
}

void ask(pid_t thread) {
  asked.store(thread, std::memory_order_relaxed);
  if (syscall(SYS_tgkill, getpid(), thread, stack_signal()) != 0) return;
  const auto until = std::chrono::steady_clock::now() + kAnswer;
  while (asked.load(std::memory_order_acquire) != 0 && std::chrono::steady_clock::now() < until)
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  if (asked.load(std::memory_order_relaxed) == 0) return;
  const std::string silence = "  it does not answer\n";
  [[maybe_unused]] const ssize_t written = write(file, silence.data(), silence.size());
}

}  // namespace

std::string stacks_of_all_threads() {
  void* frame = nullptr;
  backtrace(&frame, 1);  // the first one loads a library, which no handler may
  file = static_cast<int>(syscall(SYS_memfd_create, "stacks", 1U));
  struct sigaction action = {};
  action.sa_handler = on_question;
  action.sa_flags = SA_RESTART;
  sigaction(stack_signal(), &action, nullptr);
  const auto own = static_cast<pid_t>(syscall(SYS_gettid));
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator("/proc/self/task", error)) {
    const auto thread = static_cast<pid_t>(std::atoi(entry.path().filename().c_str()));
    if (thread == own) continue;
    const std::string title =
        "stack of thread " + std::to_string(thread) + (thread == getpid() ? " (main)" : "") + ":\n";
    [[maybe_unused]] const ssize_t written = write(file, title.data(), title.size());
    ask(thread);
  }
  return whole_file();
}

}  // namespace stress
