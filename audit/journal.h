// SPDX-License-Identifier: Apache-2.0
// What came of each mutant, kept over runs: a file of JSON lines, one a search, in the order of time. A
// line that is cut off, since its writer was killed, is passed over.
#ifndef LASTPUT_AUDIT_JOURNAL_H_
#define LASTPUT_AUDIT_JOURNAL_H_

#include <filesystem>
#include <map>
#include <string>

namespace audit {

// Of what a result holds: hashes of all that it depends on.
struct Validity {
  std::string core;    // the core's code
  std::string search;  // the programs that search, their seeds, and how long they may
};

struct Result {
  std::string key;  // of the mutant
  bool found = false;
  std::string guarantee;  // that broke; or what was noticed, as "data-race"
  std::string program;    // that found it
  double seconds = 0;     // of the search
  Validity validity;
};

class Journal {
 public:
  // Reads what is there. ERRORS: std::runtime_error: the file cannot be written.
  explicit Journal(std::filesystem::path path);
  // The latest result that holds: what was found holds for the same core, that nothing was found for the
  // same search, too. Null: none.
  const Result* find(const std::string& key, const Validity& validity) const;
  // Returns when the line is written. ERRORS: std::runtime_error.
  void add(const Result& result);

 private:
  std::filesystem::path path_;
  std::map<std::string, Result> found_, survived_;  // the latest, by core and key
};

// 16 hexadecimal digits: FNV-1a with 64 bits (Fowler, Noll, Vo), continued from another hash.
std::string hash(const std::string& text, const std::string& from = "cbf29ce484222325");

}  // namespace audit

#endif  // LASTPUT_AUDIT_JOURNAL_H_
