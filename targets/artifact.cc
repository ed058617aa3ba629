// SPDX-License-Identifier: Apache-2.0
#include "targets/artifact.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>

#include "targets/sha1.h"
#include "targets/text_words.h"

namespace targets {
namespace {

bool fail_with(const std::string& path, int error_number, std::string* error) {
  *error = path + ": " + std::strerror(error_number);
  return false;
}

// All of it is on disk, or false with errno set.
bool write_all(int file, std::string_view contents) {
  while (!contents.empty()) {
    const ssize_t written = write(file, contents.data(), contents.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return false;
    contents.remove_prefix(static_cast<size_t>(written));
  }
  return fsync(file) == 0 || errno == EINVAL;  // EINVAL: a special file has nothing to sync
}

uint32_t short_hash(std::string_view text) {
  uint64_t hash = 0xcbf29ce484222325;  // FNV-1a
  for (char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3;
  return static_cast<uint32_t>(hash ^ hash >> 32);
}

}  // namespace

bool write_file(const std::string& path, std::string_view contents, std::string* error) {
  const std::filesystem::path folder = std::filesystem::path(path).parent_path();
  std::error_code code;
  if (!folder.empty()) std::filesystem::create_directories(folder, code);
  if (code) return fail_with(folder.string(), code.value(), error);
  // /dev/stdout is written to, not replaced.
  const bool special =
      std::filesystem::is_symlink(path, code) ||
      (std::filesystem::exists(path, code) && !std::filesystem::is_regular_file(path, code));
  const std::string temporary = special ? path : path + ".tmp" + std::to_string(getpid());
  const int file = open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
  if (file < 0) return fail_with(temporary, errno, error);
  const bool written = write_all(file, contents);
  const int write_errno = errno;
  if (close(file) != 0 && written) {
    const int close_errno = errno;
    if (!special) unlink(temporary.c_str());
    return fail_with(temporary, close_errno, error);
  }
  if (!written) {
    if (!special) unlink(temporary.c_str());
    return fail_with(temporary, write_errno, error);
  }
  if (!special && rename(temporary.c_str(), path.c_str()) != 0) {
    const int rename_errno = errno;
    unlink(temporary.c_str());
    return fail_with(path, rename_errno, error);
  }
  return true;
}

bool read_file(const std::string& path, std::string* contents, std::string* error) {
  const int file = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0) return fail_with(path, errno, error);
  contents->clear();
  char buffer[4096];
  ssize_t got = 0;
  while ((got = read(file, buffer, sizeof buffer)) > 0 || (got < 0 && errno == EINTR))
    if (got > 0) contents->append(buffer, static_cast<size_t>(got));
  const int read_errno = errno;
  close(file);
  return got == 0 || fail_with(path, read_errno, error);
}

std::string artifact_name(const Artifact& artifact) {
  char hash[16];
  std::snprintf(hash, sizeof hash, "%08x", short_hash(print(artifact)));
  return "failure-" + (artifact.guarantee.empty() ? "unknown" : artifact.guarantee) + "-" + hash +
         ".lastput";
}

std::string write_artifact(const std::string& prefix, const Artifact& artifact) {
  const std::string path = prefix + artifact_name(artifact);
  const std::string text = print(artifact);
  std::string error;
  if (write_file(path, text, &error)) return path;
  std::fprintf(stderr, "lastput: cannot write the artifact: %s\nIt follows; save it by hand.\n%s",
               error.c_str(), text.c_str());
  return "";
}

std::string json_string(std::string_view text) {
  std::string json = "\"";
  for (char c : text) {
    if (c == '"' || c == '\\') {
      json += {'\\', c};
    } else if (static_cast<unsigned char>(c) < 32) {
      char escape[8];
      std::snprintf(escape, sizeof escape, "\\u%04x", static_cast<unsigned>(c));
      json += escape;
    } else {
      json += c;
    }
  }
  return json + "\"";
}

std::string sidecar_json(const Sidecar& sidecar) {
  return "{\n  \"target\": " + json_string(sidecar.target) +
         ",\n  \"bug\": " + json_string(sidecar.bug) +
         ",\n  \"count\": " + json_string(sidecar.count) +
         ",\n  \"memory\": " + json_string(kMemoryWords[static_cast<size_t>(sidecar.memory)]) +
         ",\n  \"build\": " + json_string(sidecar.build) +
         ",\n  \"options\": " + json_string(sidecar.options) +
         ",\n  \"seed\": " + std::to_string(sidecar.seed) +
         ",\n  \"guarantee\": " + json_string(sidecar.guarantee) +
         ",\n  \"artifact\": " + json_string(sidecar.artifact) + "\n}\n";
}

std::string sidecar_path(const std::string& prefix, std::span<const uint8_t> input) {
  return prefix + "crash-" + sha1_hex(input) + ".json";
}

}  // namespace targets
