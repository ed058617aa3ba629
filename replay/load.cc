// SPDX-License-Identifier: Apache-2.0
#include "replay/load.h"

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <system_error>

#include "targets/artifact.h"
#include "targets/codec.h"

namespace replay {
namespace {

bool is_target(std::string_view name) {
  const std::vector<std::string> names = target_names();
  return std::find(names.begin(), names.end(), name) != names.end();
}

std::string string_field(const nlohmann::json& object, const char* name) {
  const auto field = object.find(name);
  return field != object.end() && field->is_string() ? field->get<std::string>() : "";
}

bool load_text(const std::string& path, const std::string& target, Loaded* loaded,
               std::string* error) {
  targets::ParseError problem;
  if (!targets::parse(loaded->contents, &loaded->artifact, &problem)) {
    *error = path + ": " + problem.to_string();
    return false;
  }
  loaded->target_from = TargetFrom::kHeader;
  if (!target.empty() && target != loaded->artifact.target) {
    *error = path + " is for target " + loaded->artifact.target + ", not for " + target;
    return false;
  }
  if (is_target(loaded->artifact.target)) return true;
  *error = path + ": target '" + loaded->artifact.target + "' is not one of this program";
  return false;
}

constexpr uint64_t kMaxSidecarBytes = uint64_t{1} << 16;

// What stands beside the file: "crash-12.json" beside "crash-12".
Sidecar read_sidecar(const std::string& path) {
  Sidecar sidecar;
  std::string json;
  std::string error;
  std::error_code failed;
  if (std::filesystem::file_size(path + ".json", failed) > kMaxSidecarBytes || failed)
    return sidecar;
  if (targets::read_file(path + ".json", &json, &error)) parse_sidecar(json, &sidecar);
  return sidecar;
}

bool load_raw(const std::string& path, const std::string& target, Loaded* loaded,
              std::string* error) {
  const uint8_t version =
      loaded->contents.empty() ? targets::kCodecVersion : static_cast<uint8_t>(loaded->contents[0]);
  if (!targets::is_known_version(version)) {
    *error = path +
             " is no artifact: neither text that begins with 'lastput 1' nor a fuzzer's input "
             "(first byte " +
             std::to_string(version) + ", versions 1 and 2 are known)";
    return false;
  }
  loaded->raw = true;
  loaded->sidecar = read_sidecar(path);
  const std::string folder = target_of_folder(path);
  std::string chosen = target_names().front();
  if (!target.empty()) {
    chosen = target;
    loaded->target_from = TargetFrom::kFlag;
  } else if (is_target(loaded->sidecar.target)) {
    chosen = loaded->sidecar.target;
    loaded->target_from = TargetFrom::kSidecar;
  } else if (!folder.empty()) {
    chosen = folder;
    loaded->target_from = TargetFrom::kFolder;
  }
  decode_for(chosen, loaded);
  return true;
}

}  // namespace

std::vector<std::string> target_names() {
  std::vector<std::string> names;
  for (const targets::KindInfo& info : targets::kKinds) names.emplace_back(info.name);
  return names;
}

std::vector<std::string> likely_targets(const Loaded& loaded) {
  if (loaded.target_from == TargetFrom::kUnknown) return target_names();
  return {loaded.artifact.target};
}

std::string printable(std::string text) {
  for (char& c : text)
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = '?';
  return text;
}

bool is_of_program(std::string_view contents) {
  for (std::string_view rest = contents; !rest.empty();) {
    const size_t length = rest.find('\n');
    std::string_view line = rest.substr(0, length);
    while (line.starts_with(' ')) line.remove_prefix(1);
    while (line.ends_with(' ') || line.ends_with('\r')) line.remove_suffix(1);
    if (line == "target run") return targets::looks_like_text(contents);
    if (length == std::string_view::npos) break;
    rest.remove_prefix(length + 1);
  }
  return false;
}

std::string target_of_folder(std::string_view path) {
  std::error_code error;
  const std::filesystem::path whole = std::filesystem::absolute(std::filesystem::path(path), error);
  const std::string folder = whole.parent_path().filename().string();
  return is_target(folder) ? folder : "";
}

bool parse_sidecar(std::string_view text, Sidecar* sidecar) {
  const nlohmann::json object = nlohmann::json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (!object.is_object()) return false;
  sidecar->target = string_field(object, "target");
  sidecar->bug = string_field(object, "bug");
  sidecar->options = string_field(object, "options");
  if (string_field(object, "memory") == "sc") sidecar->memory = targets::Memory::kSequential;
  const auto seed = object.find("seed");
  if (seed != object.end() && seed->is_number_unsigned()) sidecar->seed = seed->get<uint64_t>();
  return true;
}

void decode_for(const std::string& target, Loaded* loaded) {
  loaded->artifact = {};
  loaded->artifact.target = target;
  loaded->artifact.memory = loaded->sidecar.memory;
  const auto* bytes = reinterpret_cast<const uint8_t*>(loaded->contents.data());
  loaded->artifact.program =
      targets::decode({bytes, loaded->contents.size()}, loaded->artifact.kind()).program;
}

bool load(const std::string& path, const std::string& target, Loaded* loaded, std::string* error) {
  std::error_code ignored;
  if (std::filesystem::is_directory(path, ignored)) {
    *error = path + " is a folder; name one artifact in it";
    return false;
  }
  const bool is_file = std::filesystem::is_regular_file(path, ignored);
  if (!is_file && std::filesystem::exists(path, ignored)) {
    *error = path + " is not a regular file";
    return false;
  }
  if (const uint64_t size = is_file ? std::filesystem::file_size(path, ignored) : 0;
      size > kMaxFileBytes) {
    *error = path + " is no artifact: it has " + std::to_string(size >> 20) +
             " MiB, and none has more than " + std::to_string(kMaxFileBytes >> 20);
    return false;
  }
  if (!targets::read_file(path, &loaded->contents, error)) return false;
  // A fuzzer's empty input is the smallest program; only its sidecar tells it from a lost file.
  if (loaded->contents.empty() && read_sidecar(path).target.empty()) {
    *error = path + " is empty";
    return false;
  }
  return targets::looks_like_text(loaded->contents) ? load_text(path, target, loaded, error)
                                                    : load_raw(path, target, loaded, error);
}

}  // namespace replay
