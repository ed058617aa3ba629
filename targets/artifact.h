// SPDX-License-Identifier: Apache-2.0
// Files that a failure leaves: written whole or not at all.
#ifndef LASTPUT_TARGETS_ARTIFACT_H_
#define LASTPUT_TARGETS_ARTIFACT_H_

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "targets/text.h"

namespace targets {

// Writes `contents` to a temporary file beside `path`, then renames it; a `path` that is there and a link, or no regular
// file (/dev/stdout), is written to. Makes missing directories.
// ENSURES: `path` holds either what it held before or all of `contents`.
// ERRORS: false, and *error says what and where ("/x/y: No space left on device").
bool write_file(const std::string& path, std::string_view contents, std::string* error);
bool read_file(const std::string& path, std::string* contents, std::string* error);

// "failure-G2-1a2b3c4d.lastput": guarantee, and a hash of the text.
std::string artifact_name(const Artifact& artifact);

// Writes print(artifact) to <prefix><artifact_name>; returns the path. On an error says so on
// stderr, prints the artifact there, so that nothing is lost, and returns "".
std::string write_artifact(const std::string& prefix, const Artifact& artifact);

// Beside libFuzzer's own <prefix>crash-<sha1 of the input>: what to replay it with.
struct Sidecar {
  std::string target;
  std::string bug;
  std::string count;  // as in an Artifact
  std::string options;
  uint64_t seed = 0;
  std::string guarantee;
  std::string artifact;  // path of the canonical artifact
  Memory memory = Memory::kWeak;
  std::string build;  // build_name()
};
std::string sidecar_json(const Sidecar& sidecar);
// <prefix>crash-<sha1>.json
std::string sidecar_path(const std::string& prefix, std::span<const uint8_t> input);

// `text` with quotes, as JSON has it.
std::string json_string(std::string_view text);

}  // namespace targets

#endif  // LASTPUT_TARGETS_ARTIFACT_H_
