// SPDX-License-Identifier: Apache-2.0
#include "sched/launch_debugger.h"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <system_error>

namespace sched {
namespace {

namespace fs = std::filesystem;

constexpr int kCannotStart = 127;

std::vector<char*> pointers(std::vector<std::string>& words) {
  std::vector<char*> list;
  for (std::string& word : words) list.push_back(word.data());
  list.push_back(nullptr);
  return list;
}

// The exit code; 128 and the signal. `log`: where its words go; empty: to ours.
int run(std::vector<std::string> words, const std::string& log) {
  const pid_t child = fork();
  if (child < 0) return kCannotStart;
  if (child == 0) {
    if (!log.empty()) {
      const int file = open(log.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
      dup2(file, STDOUT_FILENO);
      dup2(file, STDERR_FILENO);
    }
    execvp(words[0].c_str(), pointers(words).data());
    _exit(kCannotStart);
  }
  int status = 0;
  while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

std::string this_program() {
  std::error_code error;
  return fs::read_symlink("/proc/self/exe", error).string();
}

// As a literal of Python, ASCII alone.
std::string quoted(const std::string& text) {
  std::string literal = "'";
  for (const char c : text)
    literal += c < ' ' || c > '~'       ? "?"
               : c == '\'' || c == '\\' ? std::string("\\") + c
                                        : std::string(1, c);
  return literal + "'";
}

// A folder of its own that goes when it does.
class Scratch {
 public:
  Scratch() {
    std::string name = (fs::temp_directory_path() / "lastput.XXXXXX").string();
    if (mkdtemp(name.data()) != nullptr) path_ = name;
  }
  ~Scratch() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
  }
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;
  std::string operator/(const char* name) const { return path_ + "/" + name; }

 private:
  std::string path_;
};

// Whether rr can record here, with these flags more: its exit code alone does not tell that from how the
// recorded program ended, so the trace is looked at.
bool rr_records(const std::vector<std::string>& flags) {
  const Scratch scratch;
  std::vector<std::string> words = {"rr", "record", "-o", scratch / "probe"};
  words.insert(words.end(), flags.begin(), flags.end());
  words.emplace_back("/bin/true");
  return run(words, scratch / "log") == 0 && fs::exists(scratch / "probe/version") &&
         !fs::exists(scratch / "probe/incomplete");
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
  const Scratch scratch;
  if (run({"gdb", "-nx", "-batch", "-ex", "python 1"}, scratch / "log") != 0) {
    *error = "no gdb with Python here; install it (Debian: apt-get install gdb)";
    return;
  }
  execvp("gdb", pointers(words).data());
  *error = std::string("gdb does not start: ") + std::strerror(errno);
}

int record_by_rr(const std::vector<std::string>& arguments, const std::string& trace,
                 std::string* command, std::string* error) {
  const Scratch scratch;
  if (run({"rr", "--version"}, scratch / "log") != 0) {
    *error =
        "no rr here; install it (Debian: apt-get install rr), or use --debug, which needs gdb only";
    return -1;
  }
  // -W: rr.soft, which needs no hardware counters.
  std::vector<std::string> flags;
  if (!rr_records(flags) && !rr_records(flags = {"-W"})) {
    *error =
        "rr is here, but cannot record on this machine (it needs hardware performance counters, "
        "which "
        "most virtual machines lack; rr record true tells more): use --debug, or another machine";
    return -1;
  }
  std::error_code ignored;
  fs::create_directories(fs::path(trace).parent_path(), ignored);
  std::vector<std::string> words = {"rr", "record", "-o", trace};
  words.insert(words.end(), flags.begin(), flags.end());
  words.push_back(this_program());
  words.insert(words.end(), arguments.begin(), arguments.end());
  const int code = run(words, "");
  if (!fs::exists(trace + "/version") || fs::exists(trace + "/incomplete")) {
    *error = "rr left no whole recording in " + trace;
    return -1;
  }
  // With the program and its libraries in it, the recording can be taken elsewhere, and outlives a build.
  if (run({"rr", "pack", trace}, scratch / "log") != 0)
    *error = "rr pack failed: the recording needs this machine's files as they are now";
  *command = "rr replay " + (flags.empty() ? "" : flags[0] + " ") + trace;
  return code;
}

}  // namespace sched
