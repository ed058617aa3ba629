// SPDX-License-Identifier: Apache-2.0
// The core's sources, and the copy of them that is built with one mutant at a time.
#ifndef LASTPUT_AUDIT_CORE_TREE_H_
#define LASTPUT_AUDIT_CORE_TREE_H_

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "audit/site.h"

namespace audit {

// What the library is made of, by path within the folder: no tests, no examples.
using Sources = std::map<std::string, std::string>;
// ERRORS: std::runtime_error: no such folder, or nothing in it.
Sources read_sources(const std::filesystem::path& core);

// Why no search can reach a file; empty: it can.
std::string why_not_searched(const std::string& file);

// The sites of all files, as their comments explain them. ERRORS: false, and *error a sentence.
bool sites_of(const Sources& sources, std::vector<Site>* sites, std::string* error);

// A build tree's copy. While it lives no other process has one there: that waits, for what a killed
// process has left building, too.
class CoreTree {
 public:
  // ERRORS: std::runtime_error: the folder cannot be written.
  CoreTree(const std::filesystem::path& folder, const Sources& sources);
  ~CoreTree();
  CoreTree(const CoreTree&) = delete;
  CoreTree& operator=(const CoreTree&) = delete;

  // The copy has this mutant, and no other; null: none. Files that stay as they are keep their time.
  void set(const Site* site, const Mutant* mutant);

 private:
  void write(const std::string& file, const std::string& text);

  const std::filesystem::path folder_;
  const Sources& sources_;
  std::string changed_;
  int lock_ = -1;
};

}  // namespace audit

#endif  // LASTPUT_AUDIT_CORE_TREE_H_
