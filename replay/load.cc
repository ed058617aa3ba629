// SPDX-License-Identifier: Apache-2.0
#include "replay/load.h"

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <sstream>
#include <system_error>
#include <utility>

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

// Its contents; "" where it is not there, or too large for a file that stands beside another.
std::string small_file(const std::string& path) {
  std::string contents, ignored;
  std::error_code failed;
  if (std::filesystem::file_size(path, failed) > kMaxSidecarBytes || failed) return "";
  return targets::read_file(path, &contents, &ignored) ? contents : "";
}

// What stands beside the file: "crash-12.json" beside "crash-12".
Sidecar read_sidecar(const std::string& path) {
  Sidecar sidecar;
  parse_sidecar(small_file(path + ".json"), &sidecar);
  return sidecar;
}

constexpr std::string_view kFuzzerSuffix = "_fuzzer";

// "percpu_ref_fuzzer", "percpu_ref", and where nothing else fits "project_percpu_ref_fuzzer": "percpu_ref".
std::string target_in(std::string_view word) {
  if (word.ends_with(kFuzzerSuffix)) word.remove_suffix(kFuzzerSuffix.size());
  std::string longest;
  for (const std::string& name : target_names())
    if ((word == name || word.ends_with("_" + name)) && name.size() > longest.size())
      longest = name;
  return longest;
}

// AFL++ notes beside what it found, and a folder above, with which words it was started; the program is a fuzz target.
// "... -- build/explore/bin/bugs/no_bias/percpu_ref_fuzzer --memory=sc": as a sidecar would say it.
Sidecar read_notes(const std::string& path) {
  Sidecar notes;
  const std::filesystem::path folder = std::filesystem::path(path).parent_path();
  for (const char* name : {"README.txt", "../fuzzer_stats"}) {
    std::istringstream words(small_file((folder / name).string()));
    for (std::string word; notes.target.empty() && words >> word;) {
      const std::filesystem::path program(word);
      if (!word.ends_with(kFuzzerSuffix)) continue;
      notes.target = target_in(program.filename().string());
      const std::string kind = program.parent_path().parent_path().filename().string();
      const std::string name = program.parent_path().filename().string();
      if (kind == "bugs") notes.bug = name;
      if (kind == "counts") notes.count = name;
    }
    if (notes.target.empty()) continue;
    for (std::string word; words >> word;)
      if (word == "--memory=sc") notes.memory = targets::Memory::kSequential;
    break;
  }
  return notes;
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
  loaded->origin = origin_of(path);
  loaded->sidecar = read_sidecar(path);
  const std::string by_sidecar = is_target(loaded->sidecar.target) ? loaded->sidecar.target : "";
  std::string by_notes;
  if (loaded->sidecar.target.empty()) {
    loaded->sidecar = read_notes(path);
    by_notes = loaded->sidecar.target;
  }
  std::string chosen = target_names().front();
  for (const auto& [name, from] :
       {std::pair(target, TargetFrom::kFlag), std::pair(by_sidecar, TargetFrom::kSidecar),
        std::pair(target_of_name(path), TargetFrom::kName), std::pair(by_notes, TargetFrom::kNotes),
        std::pair(target_of_folder(path), TargetFrom::kFolder)}) {
    if (name.empty()) continue;
    chosen = name;
    loaded->target_from = from;
    break;
  }
  decode_for(chosen, loaded);
  return true;
}

}  // namespace

namespace {

std::string programs_of(const std::string& bug, const std::string& count) {
  if (!count.empty()) return "counts/" + count;
  return bug.empty() || bug == "none" ? "" : "bugs/" + bug;
}

}  // namespace

std::string Loaded::programs() const {
  return raw ? programs_of(sidecar.bug, sidecar.count) : programs_of(artifact.bug, artifact.count);
}

std::string programs_in_words(const std::string& folder) {
  if (folder.empty()) return "the core as it is";
  const std::string name = folder.substr(folder.find('/') + 1);
  return (folder.starts_with("bugs/") ? "the core with bug " : "count ") + name;
}

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

Origin origin_of(const std::string& path) {
  using Found = Origin::Found;
  const std::filesystem::path file(path);
  const std::string name = file.filename().string();
  const std::string folder = file.parent_path().filename().string();
  constexpr struct {
    std::string_view folder, name;  // how they begin; "": any
    Origin origin;
  } kKnown[] = {
      {"", "crash-", {"an input that crashed a fuzzer", Found::kCrash}},
      {"", "leak-", {"an input that leaked memory in a fuzzer", Found::kLeak}},
      {"", "timeout-", {"an input that took a fuzzer too long", Found::kHang}},
      {"", "slow-unit-", {"an input that took a fuzzer long", Found::kHang}},
      {"", "oom-", {"an input that took a fuzzer too much memory", Found::kMemory}},
      {"", "minimized-from-", {"an input that crashed a fuzzer", Found::kCrash}},
      {"", "clusterfuzz-testcase-", {"a test case of ClusterFuzz", Found::kCrash}},
      {"crashes", "id:", {"a crash of AFL++", Found::kCrash}},
      {"crashes", "id_", {"a crash of AFL++", Found::kCrash}},
      {"hangs", "id:", {"a hang of AFL++", Found::kHang}},
      {"hangs", "id_", {"a hang of AFL++", Found::kHang}},
      {"", "id:", {"an input of AFL++", Found::kInput}},
  };
  for (const auto& known : kKnown)
    if (name.starts_with(known.name) && folder.starts_with(known.folder)) return known.origin;
  return {};
}

std::string target_of_name(const std::string& path) {
  std::string name = std::filesystem::path(path).stem().string();
  if (!name.starts_with("clusterfuzz-testcase-")) return "";
  name = name.substr(0, name.find_last_not_of("0123456789") + 1);
  if (name.ends_with('-')) name.pop_back();
  return target_in(name.substr(name.rfind('-') + 1));
}

std::string target_of_folder(const std::string& path) {
  std::error_code error;
  const std::filesystem::path whole = std::filesystem::absolute(std::filesystem::path(path), error);
  for (std::filesystem::path at = whole.parent_path(); at.has_relative_path();
       at = at.parent_path()) {
    std::string name = at.filename().string();
    name = name.substr(0, name.find('-'));  // out/corpus/percpu_ref-no_bias
    if (name.ends_with(kFuzzerSuffix)) name.resize(name.size() - kFuzzerSuffix.size());
    if (is_target(name)) return name;
  }
  return "";
}

bool parse_sidecar(std::string_view text, Sidecar* sidecar) {
  const nlohmann::json object = nlohmann::json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (!object.is_object()) return false;
  sidecar->target = string_field(object, "target");
  sidecar->bug = string_field(object, "bug");
  sidecar->build = string_field(object, "build");
  sidecar->count = string_field(object, "count");
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
