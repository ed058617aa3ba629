// SPDX-License-Identifier: Apache-2.0
// Reads an artifact, whatever made it: bytes of a fuzzer, or text (a person's, or the canonical
// artifact of a failure), and finds out which target it is for.
#ifndef LASTPUT_REPLAY_LOAD_H_
#define LASTPUT_REPLAY_LOAD_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "targets/text.h"

namespace replay {

// Where the name of the target came from.
enum class TargetFrom : uint8_t { kFlag, kHeader, kSidecar, kName, kNotes, kFolder, kUnknown };

// What made a file of bytes, and what it thought of it, as far as the file's name tells.
struct Origin {
  enum class Found : uint8_t { kInput, kCrash, kLeak, kHang, kMemory };
  const char* words = "a fuzzer's input";
  Found found = Found::kInput;
};
// "crash-1f..", "timeout-1f.." and their like are libFuzzer's, "clusterfuzz-testcase-minimized-TARGET-ID" is of
// ClusterFuzz and OSS-Fuzz, "crashes/id:000000,sig:06,.." and "hangs/id:000000,.." are AFL++'s.
Origin origin_of(const std::string& path);

// What stands beside a fuzzer's input (see targets/artifact.h); what it lacks stays empty.
struct Sidecar {
  std::string target;
  std::string bug;
  std::string build;
  std::string count;
  std::string options;
  targets::Memory memory = targets::Memory::kWeak;
  uint64_t seed = 0;
};

struct Loaded {
  bool raw = false;            // bytes of a fuzzer
  std::string contents;        // of the file
  targets::Artifact artifact;  // a raw file's program, decoded for artifact.target
  TargetFrom target_from = TargetFrom::kUnknown;  // kUnknown: artifact.target is a guess
  Origin origin;
  Sidecar sidecar;  // empty without one

  // The folder, below bin/, of the programs that run it: "" (the core as it is), "bugs/NAME", "counts/NAME".
  std::string programs() const;
};

// Targets that can be replayed, the likeliest first.
std::vector<std::string> target_names();

// Of the target that it is for; where that is a guess, each until one fails.
std::vector<std::string> likely_targets(const Loaded& loaded);

// With what a terminal would obey, or not show, as "?": words that come from a file.
std::string printable(std::string text);

// Whether this is an artifact of `./lastput run`, which the program that it is of reads (sched/run/).
bool is_of_program(std::string_view contents);

// No artifact is larger; nothing larger is read.
inline constexpr uint64_t kMaxFileBytes = uint64_t{16} << 20;

// "the core as it is", "the core with bug NAME", "count NAME"
std::string programs_in_words(const std::string& folder);

// True and *loaded, or false and *error, one sentence with the file's name in it.
// `target`: as asked for; empty: find out.
bool load(const std::string& path, const std::string& target, Loaded* loaded, std::string* error);

// A raw file's program for another target. REQUIRES: loaded->raw.
void decode_for(const std::string& target, Loaded* loaded);

// "clusterfuzz-testcase-minimized-percpu_ref_fuzzer-4711" is for target percpu_ref; "" if no target's name is in it.
std::string target_of_name(const std::string& path);
// "artifacts/percpu_ref/crash-12", "percpu_ref_fuzzer/default/crashes/id:000000,sig:06" are in a folder of target
// percpu_ref, the nearest one counts; "" if in none.
std::string target_of_folder(const std::string& path);

// False: not JSON. True also if it lacks everything.
bool parse_sidecar(std::string_view json, Sidecar* sidecar);

}  // namespace replay

#endif  // LASTPUT_REPLAY_LOAD_H_
