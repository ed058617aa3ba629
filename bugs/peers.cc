// SPDX-License-Identifier: Apache-2.0
#include "bugs/peers.h"

#include <algorithm>
#include <sstream>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "bugs/process.h"

namespace bugs {

std::string median_of_hunts(const std::string& lines, unsigned seeds, uint64_t cap) {
  std::istringstream in(lines);
  std::vector<uint64_t> all;
  uint64_t executions = 0;
  for (double seconds = 0; in >> executions >> seconds;) all.push_back(executions);
  if (!in.eof() || all.empty() || all.size() != seeds) return "";
  std::sort(all.begin(), all.end());
  const uint64_t median = all[all.size() / 2];
  return median > cap ? absl::StrCat(">", cap) : absl::StrCat(median);
}

std::vector<std::pair<std::string, std::string>> ask_peers(const Hunt& hunt,
                                                           const PeerOptions& options) {
  const std::filesystem::path folder = options.out / hunt.bug.name;
  const std::filesystem::path said = folder / "plain_random";
  std::filesystem::create_directories(folder);
  std::filesystem::remove(said);
  Command command;
  command.arguments = {(options.build / "bin/bugs" / hunt.bug.name / "hunt_known_bug").string(),
                       "random", absl::StrCat(kPeerExecutions), hunt.bug.target,
                       absl::StrJoin(hunt.bug.breaks, " ")};
  for (unsigned i = 0; i < options.seeds; ++i)
    command.arguments.push_back(absl::StrCat(options.seed + i));
  // What the bug makes the core complain of goes elsewhere.
  command.log = said;
  command.error_log = folder / "plain_random.log";
  const int code = run(command);
  const std::string median = median_of_hunts(contents(said), options.seeds, kPeerExecutions);
  return {{"plain random",
           code == 0 && !median.empty() ? median : absl::StrCat("not run (exit code ", code, ")")}};
}

}  // namespace bugs
