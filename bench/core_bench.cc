// SPDX-License-Identifier: Apache-2.0
// What the core costs, beside what one could use instead, in one run.
//
//   core_bench [--seconds=N] [--filter=REGEX] [--json=FILE]
//
// Prints a table for each theme, then the targets. Exit codes: 0, also with targets missed; 1 usage;
// 2 the file cannot be written.
#include <cstdio>
#include <fstream>
#include <regex>
#include <string>
#include <thread>

#include "absl/flags/flag.h"
#include "absl/flags/parse.h"
#include "absl/flags/usage.h"
#include "bench/report.h"
#include "bench/suite.h"

ABSL_FLAG(unsigned, seconds, 120, "about how long to measure; never less than three rounds");
ABSL_FLAG(std::string, filter, ".*", "regular expression on theme/row/column of what to measure");
ABSL_FLAG(std::string, json, "", "file for the same as JSON");

namespace {

bool is_regex(const std::string& text) {
  try {
    const std::regex parsed(text);
    return true;
  } catch (const std::regex_error&) {
    return false;
  }
}

}  // namespace

int main(int argc, char** argv) {
  absl::SetProgramUsageMessage("core_bench [FLAGS]");
  if (absl::ParseCommandLine(argc, argv).size() > 1) {
    std::fprintf(stderr, "core_bench takes no arguments; see --help\n");
    return 1;
  }
  const std::string filter = absl::GetFlag(FLAGS_filter);
  if (!is_regex(filter)) {
    std::fprintf(stderr, "core_bench: --filter='%s' is no regular expression\n", filter.c_str());
    return 1;
  }
  bench::Suite suite;
  bench::RunOptions options;
  options.seconds = absl::GetFlag(FLAGS_seconds);
  options.filter = filter;
  const bench::Figures figures = suite.run(
      options, [](const std::string& line) { std::fprintf(stderr, "%s\n", line.c_str()); });
  const auto outcomes = bench::judge(figures, std::thread::hardware_concurrency());
  std::fputs(bench::to_table(bench::themes(), figures, outcomes).c_str(), stdout);

  const std::string file = absl::GetFlag(FLAGS_json);
  if (file.empty()) return 0;
  std::ofstream out(file);
  if (!(out << bench::to_json(bench::themes(), figures, outcomes) << std::flush)) {
    std::fprintf(stderr, "core_bench: cannot write %s\n", file.c_str());
    return 2;
  }
  return 0;
}
