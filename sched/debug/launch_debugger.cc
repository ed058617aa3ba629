// SPDX-License-Identifier: Apache-2.0
#include "sched/debug/launch_debugger.h"

#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>

#include "sched/debug/child_process.h"

namespace sched {
namespace {

namespace fs = std::filesystem;

// As a literal of Python, ASCII alone.
std::string quoted(const std::string& text) {
  std::string literal = "'";
  for (const char c : text)
    literal += c < ' ' || c > '~'       ? "?"
               : c == '\'' || c == '\\' ? std::string("\\") + c
                                        : std::string(1, c);
  return literal + "'";
}

}  // namespace

void become_gdb(const DebugRequest& request, std::string* error) {
  std::vector<std::string> words = {"gdb", "-q", "-nx"};
  for (const std::string& script : request.scripts)
    if (fs::exists(script)) words.insert(words.end(), {"-iex", "source " + script});
  words.insert(words.end(), {"-iex", "set debuginfod enabled off", "-iex",
                             "python lastput_stop_at = " + std::to_string(request.stop_at) +
                                 "; lastput_reason = " + quoted(request.reason),
                             "-x", LASTPUT_GDB_SCRIPT, "--args", this_program()});
  words.insert(words.end(), request.arguments.begin(), request.arguments.end());
  if (!fs::exists(LASTPUT_GDB_SCRIPT)) {
    *error = LASTPUT_GDB_SCRIPT ", which gdb needs, is gone: build the program again";
    return;
  }
  const ScratchFolder scratch;
  if (run_child({"gdb", "-nx", "-batch", "-ex", "python 1"}, scratch / "log") != 0) {
    *error = "no gdb with Python here; install it (Debian: apt-get install gdb)";
    return;
  }
  execvp("gdb", pointers(words).data());
  *error = std::string("gdb does not start: ") + std::strerror(errno);
}

}  // namespace sched
