// SPDX-License-Identifier: Apache-2.0
#include "replay/debug.h"

#include <unistd.h>

#include <cstdio>
#include <filesystem>
#include <vector>

#include "sched/debug/launch_debugger.h"
#include "sched/debug/rr.h"
#include "targets/artifact.h"

namespace replay {
namespace {

// The arguments that run it; the artifact lies at `path`.
std::vector<std::string> arguments(const std::string& path) {
  return {"--for_debugger", "--", path};
}

}  // namespace

void debug(const targets::Artifact& one_schedule, uint64_t at, const std::string& reason,
           std::string* error) {
  // gdb starts it from there again and again, so the file stays.
  const std::string path = (std::filesystem::temp_directory_path() /
                            ("lastput-debug-" + std::to_string(getpid()) + ".lastput"))
                               .string();
  if (!targets::write_file(path, targets::print(one_schedule), error)) return;
  sched::DebugRequest request;
  request.arguments = arguments(path);
  request.scripts = {LASTPUT_CORE_GDB_SCRIPT};
  request.stop_at = at;
  request.reason = reason;
  sched::become_gdb(request, error);
}

bool record(const targets::Artifact& one_schedule, const std::string& trace, std::string* error) {
  if (std::filesystem::exists(trace)) {
    *error = trace + " is there already; delete it, or name another folder";
    return false;
  }
  const std::string path = trace + ".lastput";
  if (!targets::write_file(path, targets::print(one_schedule), error)) return false;
  std::string command;
  if (sched::record_by_rr(arguments(path), trace, &command, error) < 0) {
    unlink(path.c_str());
    return false;
  }
  std::printf("recorded: %s\n", command.c_str());
  if (!error->empty()) std::printf("note: %s\n", error->c_str());
  return true;
}

}  // namespace replay
