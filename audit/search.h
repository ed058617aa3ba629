// SPDX-License-Identifier: Apache-2.0
// Searches a core for failures with programs that are linked with it: explored tests (NAME_test), fuzz
// targets (NAME_fuzzer) and verify.
#ifndef LASTPUT_AUDIT_SEARCH_H_
#define LASTPUT_AUDIT_SEARCH_H_

#include <filesystem>
#include <string>
#include <vector>

namespace audit {

struct SearchOptions {
  unsigned seconds = 0;  // for each program but the tests, which have an end
  unsigned seed = 0;
  unsigned jobs = 1;            // programs at a time
  std::filesystem::path seeds;  // of corpora, a folder a fuzz target
  std::filesystem::path work;   // for logs and artifacts; made anew
};

struct Finding {
  bool found = false;
  std::string guarantee;  // that broke; else what was noticed, as "data-race"
  std::string program;
  std::string problem;  // why the search says nothing; empty: it does
};

// The programs of a folder, those first that take the least time.
std::vector<std::filesystem::path> programs_in(const std::filesystem::path& folder);

// Runs the programs until one finds a failure; of several, the first in the list tells it.
Finding search(const std::vector<std::filesystem::path>& programs, const SearchOptions& options);

// What broke, by what a program has said; empty: it does not say.
std::string what_broke(const std::string& log);

}  // namespace audit

#endif  // LASTPUT_AUDIT_SEARCH_H_
