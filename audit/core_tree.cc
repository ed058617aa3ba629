// SPDX-License-Identifier: Apache-2.0
#include "audit/core_tree.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cstdio>
#include <fstream>
#include <stdexcept>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "audit/kept.h"
#include "bugs/process.h"

namespace audit {
namespace {

namespace fs = std::filesystem;

bool is_of_library(const std::string& file) {
  for (const char* folder : {"examples/", "compilers/", "gdb/", "cmake/"})
    if (absl::StartsWith(file, folder)) return false;
  const bool source = absl::EndsWith(file, ".h") || absl::EndsWith(file, ".cc");
  return source && !absl::EndsWith(file, "_test.cc") && file != "test_support.h";
}

}  // namespace

Sources read_sources(const fs::path& core) {
  Sources sources;
  std::error_code problem;
  for (const auto& entry : fs::recursive_directory_iterator(core, problem)) {
    const std::string file = entry.path().lexically_relative(core).generic_string();
    if (is_of_library(file)) sources[file] = bugs::contents(entry.path());
  }
  if (sources.empty()) throw std::runtime_error("no sources of the core in " + core.string());
  return sources;
}

std::string why_not_searched(const std::string& file) {
  if (absl::StartsWith(file, "platform/linux/"))
    return "restartable sequences and the kernel's barriers: the engine runs the portable platform";
  return "";
}

bool sites_of(const Sources& sources, std::vector<Site>* sites, std::string* error) {
  for (const auto& [file, text] : sources) {
    std::vector<Site> found = find_sites(file, text);
    if (!read_kept(text, &found, error)) {
      *error = absl::StrCat("core/", file, ":", *error);
      return false;
    }
    sites->insert(sites->end(), found.begin(), found.end());
  }
  return true;
}

CoreTree::CoreTree(const fs::path& folder, const Sources& sources)
    : folder_(folder), sources_(sources) {
  fs::create_directories(folder);
  // Inherited by what is started here, so that it holds as long as any of that runs.
  lock_ = open((folder / ".lock").c_str(), O_RDWR | O_CREAT, 0644);
  if (lock_ < 0) throw std::runtime_error("cannot write to " + folder.string());
  if (flock(lock_, LOCK_EX | LOCK_NB) != 0) {
    std::fprintf(stderr, "lastput_audit: another audit is under way in %s; waiting for it\n",
                 folder.c_str());
    flock(lock_, LOCK_EX);
  }
  for (const auto& [file, text] : sources_) write(file, text);
}

CoreTree::~CoreTree() {
  close(lock_);
}

void CoreTree::set(const Site* site, const Mutant* mutant) {
  if (!changed_.empty() && (site == nullptr || site->file != changed_))
    write(changed_, sources_.at(changed_));
  changed_.clear();
  if (site == nullptr) return;
  write(site->file, mutated(*mutant, sources_.at(site->file)));
  changed_ = site->file;
}

void CoreTree::write(const std::string& file, const std::string& text) {
  const fs::path path = folder_ / file;
  if (fs::exists(path) && bugs::contents(path) == text) return;
  fs::create_directories(path.parent_path());
  if (!(std::ofstream(path, std::ios::binary) << text).flush())
    throw std::runtime_error("cannot write to " + path.string());
}

}  // namespace audit
