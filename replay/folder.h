// SPDX-License-Identifier: Apache-2.0
// A folder of artifacts: what of it fails, grouped by what broke.
//
// Each file is replayed by the program that it belongs to: those of a known bug by bugs/NAME/replay beside
// this one, those of `./lastput run` by the driver, all others by this one, as a child process that is
// given many files at once (--identify). If it dies, the file that it was at is told, and the rest goes on.
#ifndef LASTPUT_REPLAY_FOLDER_H_
#define LASTPUT_REPLAY_FOLDER_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "replay/group.h"

namespace replay {

// How the replay of one file ended.
struct Member {
  enum class End : uint8_t { kFailed, kClean, kNoArtifact, kNotReplayed };
  std::string path;
  End end = End::kClean;
  Group group;             // of kFailed
  std::string message;     // the failure's, or why it was not replayed
  size_t operations = 0;   // of the program
  size_t preemptions = 0;  // choices of the schedule
  uint64_t executions = 0;
};

// One member as a line of JSON, and back. False: it is none.
std::string to_line(const Member& member);
bool from_line(const std::string& line, Member* member);

// Runs one file in this process. Never fatal.
Member identify(const std::string& path, const std::string& target);
// The same for each file that `list` names, each ended by a zero byte; prints to_line() of each as soon as it is there.
// ERRORS: 1, `list` cannot be read.
int identify_all(const std::string& list, const std::string& target);

struct Folder {
  std::string path;
  std::vector<Member> members;                         // by path
  std::map<Group, std::vector<const Member*>> groups;  // the smallest first
};

struct FolderOptions {
  std::string target;  // of inputs that do not say theirs
  std::string driver;  // path of ./lastput, for artifacts of programs; empty: they are not replayed
};
// All regular files in it, and in folders in it. Sidecars belong to the files beside them, and
// so does what AFL++ notes about its inputs.
Folder replay_folder(const std::string& path, const FolderOptions& options);

std::string folder_in_words(const Folder& folder);
std::string folder_as_json(const Folder& folder);
// 77 something failed, else 3 something could not be replayed, else 1 it holds no artifact, else 0.
int exit_code(const Folder& folder);

}  // namespace replay

#endif  // LASTPUT_REPLAY_FOLDER_H_
