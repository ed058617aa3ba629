// SPDX-License-Identifier: Apache-2.0
// Programs between text and bytes, by hand and at build time.
//
//   program_tool encode FILE OUT        text to the bytes that a fuzz target reads
//   program_tool decode TARGET FILE     bytes to text, on stdout
//   program_tool check FILE             says whether the text is a valid program
//   program_tool generate TARGET SEED   a random program as text, on stdout
//
// Exit codes: 0; 1 usage or unreadable input; 2 cannot write.
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include "targets/artifact.h"
#include "targets/codec.h"
#include "targets/generate.h"
#include "targets/text.h"

namespace targets {
namespace {

constexpr int kUsage = 1;
constexpr int kBroken = 2;

int complain(const std::string& message, int code) {
  std::fprintf(stderr, "program_tool: %s\n", message.c_str());
  return code;
}

bool read_program(const std::string& path, Artifact* artifact, std::string* error) {
  std::string text;
  if (!read_file(path, &text, error)) return false;
  ParseError place;
  if (parse(text, artifact, &place)) return true;
  *error = path + ": " + place.to_string();
  return false;
}

int encode_file(const std::string& from, const std::string& to) {
  Artifact artifact;
  std::string error;
  if (!read_program(from, &artifact, &error)) return complain(error, kUsage);
  const std::vector<uint8_t> bytes = encode(artifact.program);
  if (!write_file(to, {reinterpret_cast<const char*>(bytes.data()), bytes.size()}, &error))
    return complain(error, kBroken);
  return 0;
}

int unknown_target(const std::string& target) {
  return complain("no target is named '" + target + "'", kUsage);
}

int decode_file(const std::string& target, const std::string& from) {
  if (find_kind(target) == nullptr) return unknown_target(target);
  Artifact artifact;
  artifact.target = target;
  std::string bytes, error;
  if (!read_file(from, &bytes, &error)) return complain(error, kUsage);
  const Decoded decoded =
      decode({reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size()}, artifact.kind());
  if (decoded.unknown_version)
    return complain(from + ": bytes of a version that is not known here", kUsage);
  artifact.program = decoded.program;
  if (decoded.dropped) std::printf("# %u records were dropped\n", decoded.dropped);
  std::fputs(print(artifact).c_str(), stdout);
  return 0;
}

int generate_text(const std::string& target, const std::string& seed) {
  if (find_kind(target) == nullptr) return unknown_target(target);
  Artifact artifact;
  artifact.target = target;
  Random random(std::strtoull(seed.c_str(), nullptr, 10));
  artifact.program = generate_program(random, artifact.kind());
  std::fputs(print(artifact).c_str(), stdout);
  return 0;
}

int run(const std::vector<std::string>& words) {
  const std::string command = words.empty() ? "" : words[0];
  if (command == "encode" && words.size() == 3) return encode_file(words[1], words[2]);
  if (command == "decode" && words.size() == 3) return decode_file(words[1], words[2]);
  if (command == "generate" && words.size() == 3) return generate_text(words[1], words[2]);
  if (command == "check" && words.size() == 2) {
    Artifact artifact;
    std::string error;
    return read_program(words[1], &artifact, &error) ? 0 : complain(error, kUsage);
  }
  return complain("wants: encode FILE OUT | decode TARGET FILE | check FILE | generate TARGET SEED",
                  kUsage);
}

}  // namespace
}  // namespace targets

int main(int argc, char** argv) {
  return targets::run({argv + 1, argv + argc});
}
