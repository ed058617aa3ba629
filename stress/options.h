// SPDX-License-Identifier: Apache-2.0
// What can be said to the program `stress`.
#ifndef LASTPUT_STRESS_OPTIONS_H_
#define LASTPUT_STRESS_OPTIONS_H_

#include <cstdint>
#include <string>
#include <vector>

namespace stress {

struct Options {
  std::vector<std::string> scenarios;  // none: all of them
  unsigned seconds = 60;               // altogether
  unsigned threads = 2;
  uint64_t seed = 1;
  unsigned patience = 30;   // seconds without an operation of a thread that are no progress
  unsigned round_ms = 100;  // at most, from one quiescent point to the next
  std::string artifacts = "out/artifacts/stress";  // folder for what a failure leaves
  std::string json;                                // file for the result; "": none
  std::string rings;                               // file of the flight recorder; "": in memory
  std::string again =
      "./lastput stress";  // the command that goes on, as far as this program does not know it
  bool adversity = true;
  bool rr = false;  // record each round under rr
  bool list = false, sections = false, help = false;
};

// What is wrong, or "".
std::string read_options(int argc, char** argv, Options& options);
// "threads 2, seed 1, ...": for the first line.
std::string options_in_words(const Options& options);
std::string options_json(const Options& options, const std::string& scenario);
extern const char* const kOptionsHelp;

}  // namespace stress

#endif  // LASTPUT_STRESS_OPTIONS_H_
