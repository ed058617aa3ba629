// SPDX-License-Identifier: Apache-2.0
// Starts this very program again under gdb to replay one schedule on OS threads.
#ifndef LASTPUT_SCHED_DEBUG_LAUNCH_DEBUGGER_H_
#define LASTPUT_SCHED_DEBUG_LAUNCH_DEBUGGER_H_

#include <cstdint>
#include <string>
#include <vector>

namespace sched {

struct DebugRequest {
  std::vector<std::string>
      arguments;  // of this program; they make it run with Options::os_threads and
                  // record_always
  std::vector<std::string>
      scripts;           // for gdb to source, beside its own; those that are missing are not
  uint64_t stop_at = 0;  // the first step of this index; 0: the failure
  std::string reason;    // why it stops there, one line; may be empty
};

// Becomes gdb, which runs the program until it fails (gdb/replay.py). Its input is ours.
// ERRORS: returns, and *error says what is missing and what to do.
void become_gdb(const DebugRequest& request, std::string* error);

}  // namespace sched

#endif  // LASTPUT_SCHED_DEBUG_LAUNCH_DEBUGGER_H_
