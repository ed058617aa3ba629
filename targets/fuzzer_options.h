// SPDX-License-Identifier: Apache-2.0
// What the engine's command line tells a target about itself.
#ifndef LASTPUT_TARGETS_FUZZER_OPTIONS_H_
#define LASTPUT_TARGETS_FUZZER_OPTIONS_H_

#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <string_view>
#include <system_error>

#include "targets/program.h"

namespace targets {

struct FuzzerOptions {
  std::string prefix = "./";       // -artifact_prefix
  uint64_t seed = 0;               // -seed; 0: the engine picks one
  std::string all;                 // the whole command line, without the program
  Memory memory = Memory::kWeak;   // --memory=weak or sc; two dashes, so that the engine lets it be
  std::string problem;             // what cannot be read; empty: nothing
  unsigned timeout_seconds = 20;   // -timeout: of an execution on real threads, before it is a hang
  bool asks_for_sections = false;  // --sections: on real threads, say why there are none, and stop
  bool runs_files = false;         // single files rather than folders: text is read, too
  bool runs_inputs = true;  // false: this process only starts others (-fork, -merge, -jobs, ...)
};

inline FuzzerOptions parse_fuzzer_options(int argc, char** argv) {
  FuzzerOptions options;
  for (int i = 1; i < argc; ++i) {
    const std::string_view word = argv[i];
    const auto value = [&](std::string_view flag) {
      return word.starts_with(flag) ? std::string(word.substr(flag.size())) : std::string();
    };
    options.all += (i > 1 ? " " : "") + std::string(word);
    if (const std::string prefix = value("-artifact_prefix="); !prefix.empty())
      options.prefix = prefix;
    if (const std::string seed = value("-seed="); !seed.empty())
      options.seed = std::strtoull(seed.c_str(), nullptr, 10);
    if (const std::string timeout = value("-timeout="); !timeout.empty())
      options.timeout_seconds = static_cast<unsigned>(std::strtoul(timeout.c_str(), nullptr, 10));
    options.asks_for_sections |= word == "--sections";
    std::error_code ignored;
    options.runs_files |= !word.starts_with('-') && std::filesystem::is_regular_file(word, ignored);
    if (const std::string memory = value("--memory="); memory == "sc")
      options.memory = Memory::kSequential;
    else if (word.starts_with("--memory") && memory != "weak")
      options.problem = "--memory is weak or sc, not '" + memory + "'";
    for (const char* flag : {"-fork=", "-merge=", "-jobs=", "-minimize_crash="})
      if (const std::string on = value(flag); !on.empty() && on != "0") options.runs_inputs = false;
  }
  return options;
}

}  // namespace targets

#endif  // LASTPUT_TARGETS_FUZZER_OPTIONS_H_
