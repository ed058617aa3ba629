// SPDX-License-Identifier: Apache-2.0
// For the tools that run other programs and tell what came of it.
#ifndef LASTPUT_BUGS_PROCESS_H_
#define LASTPUT_BUGS_PROCESS_H_

#include <atomic>
#include <filesystem>
#include <string>
#include <vector>

namespace bugs {

// All of a file; empty if it cannot be read.
std::string contents(const std::filesystem::path& path);

struct Command {
  std::vector<std::string> arguments;    // the program's path first
  std::vector<std::string> variables;    // "NAME=value", beside those of the caller
  std::filesystem::path log;             // stdout and stderr are added to it
  std::filesystem::path error_log = {};  // ... stderr to this one, where it is named
  // With one of these the program and what it starts are killed early: after so many seconds, or
  // when *stop becomes true.
  double limit_seconds = 0;
  const std::atomic<bool>* stop = nullptr;
};
inline constexpr int kNotRun = -1;
inline constexpr int kKilled = -2;
inline constexpr int kSignal = 128;  // and the signal's number
// Runs it to its end: its exit code, kSignal + n of one that died by a signal, kNotRun of one that
// could not start, kKilled of one that was killed early.
int run(Command command);

// Rows of equal length as columns, each as wide as its widest cell.
std::string columns(const std::vector<std::vector<std::string>>& rows);

}  // namespace bugs

#endif  // LASTPUT_BUGS_PROCESS_H_
