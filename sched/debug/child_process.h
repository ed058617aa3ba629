// SPDX-License-Identifier: Apache-2.0
// Other programs: run one, and wait for it.
#ifndef LASTPUT_SCHED_DEBUG_CHILD_PROCESS_H_
#define LASTPUT_SCHED_DEBUG_CHILD_PROCESS_H_

#include <string>
#include <vector>

namespace sched {

// `words` as a null-terminated list for exec, valid while they are.
std::vector<char*> pointers(std::vector<std::string>& words);

// Runs a program that PATH finds, its output to the file `log` (empty: to ours), and waits for it; SIGTERM ends it after `seconds`
// (0: never), SIGKILL ten seconds later. One at a time.
// Returns its exit code; 128 and the signal that ended it; 127 if it cannot be started.
int run_child(std::vector<std::string> words, const std::string& log, unsigned seconds = 0);

// From a signal handler: SIGTERM to the program that run_child() waits for, if any.
void end_child() noexcept;

// The path of this very program.
std::string this_program();

// A folder of its own in the system's folder for such things, that goes when it does.
class ScratchFolder {
 public:
  ScratchFolder();
  ~ScratchFolder();
  ScratchFolder(const ScratchFolder&) = delete;
  ScratchFolder& operator=(const ScratchFolder&) = delete;
  std::string operator/(const char* name) const { return path_ + "/" + name; }

 private:
  std::string path_;
};

}  // namespace sched

#endif  // LASTPUT_SCHED_DEBUG_CHILD_PROCESS_H_
