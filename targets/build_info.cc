// SPDX-License-Identifier: Apache-2.0
#include "targets/build_info.h"

namespace targets {

const char* built_with_bug() {
  return LASTPUT_BUG;
}

const char* built_with_count() {
#ifdef LASTPUT_COUNT_NAME
  return LASTPUT_COUNT_NAME;
#else
  return "";
#endif
}

std::string programs_folder() {
  const std::string bug = built_with_bug(), count = built_with_count();
  if (!count.empty()) return "counts/" + count;
  return bug.empty() ? "" : "bugs/" + bug;
}

std::string build_in_words() {
  const std::string bug = built_with_bug(), count = built_with_count();
  return count.empty() ? "bug " + (bug.empty() ? "none" : bug) : "count " + count;
}

std::string replay_command(const std::string& path) {
  const std::string bug = built_with_bug(), count = built_with_count();
  return "./lastput replay " + path + (bug.empty() ? "" : " --bug=" + bug) +
         (count.empty() ? "" : " --count=" + count);
}

const char* build_name() {
  return LASTPUT_BUILD ", " __VERSION__;
}

}  // namespace targets
