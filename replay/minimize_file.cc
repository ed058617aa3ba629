// SPDX-License-Identifier: Apache-2.0
#include "replay/minimize_file.h"

#include <unistd.h>

#include <cinttypes>
#include <cstdio>

#include "sched/long_search.h"
#include "targets/artifact.h"

namespace replay {
namespace {

std::string line(const Minimized& best, double seconds) {
  char cost[64];
  std::snprintf(cost, sizeof cost, " (%" PRIu64 " executions, %.1f s)", best.executions, seconds);
  return "minimize: " + describe(best.before) + " -> " + describe(best.after) + cost;
}

}  // namespace

std::optional<Minimized> minimize_file(const std::string& path, const targets::Artifact& failing,
                                       targets::Body body, const targets::Abilities& abilities,
                                       double seconds, std::string* error) {
  const Minimized* best = nullptr;
  sched::LongSearch search({seconds, isatty(STDOUT_FILENO) != 0,
                            [](const std::string& text) {
                              std::fputs(text.c_str(), stdout);
                              std::fflush(stdout);
                            },
                            [&](double at) { return line(*best, at); },
                            [&] {
                              error->clear();
                              return targets::write_file(sched::minimized_path(path),
                                                         targets::print(best->artifact), error);
                            }});
  MinimizeOptions options;
  options.abilities = abilities;
  options.stop = [&](const Minimized& so_far) {
    best = &so_far;
    return search.enough();
  };
  options.improved = [&](const Minimized& so_far) {
    best = &so_far;
    search.improved();
  };
  std::optional<Minimized> result = minimize(failing, body, options);
  if (!result) {
    *error = path + ": it does not fail here, so there is nothing to minimize";
    return std::nullopt;
  }
  best = &*result;
  result->seconds = search.seconds();
  if (search.end()) return result;
  *error += "; it would hold:\n" + targets::print(result->artifact);
  return std::nullopt;
}

}  // namespace replay
