// SPDX-License-Identifier: Apache-2.0
#include "sched/debug/rr.h"

#include <filesystem>
#include <fstream>
#include <string_view>
#include <system_error>

#include "sched/debug/child_process.h"

namespace sched {
namespace {

namespace fs = std::filesystem;
using Words = std::vector<std::string>;

bool is_whole(const std::string& trace) {
  std::error_code error;
  return fs::exists(trace + "/version", error) && !fs::exists(trace + "/incomplete", error);
}

Words record_words(const std::string& trace, const Words& flags) {
  Words words = {"rr", "record", "-o", trace};
  words.insert(words.end(), flags.begin(), flags.end());
  return words;
}

bool records(const Words& flags) {
  const ScratchFolder scratch;
  Words words = record_words(scratch / "probe", flags);
  words.emplace_back("/bin/true");
  return run_child(words, scratch / "log") == 0 && is_whole(scratch / "probe");
}

// The next line that is the program's, and not rr's about itself.
bool next_line(std::istream& file, std::string& line) {
  while (std::getline(file, line))
    if (!std::string_view(line).starts_with("rr: ")) return true;
  return false;
}

std::string first_difference(const std::string& then, const std::string& now) {
  std::ifstream before(then), after(now);
  std::string was, is;
  while (next_line(before, was)) {
    if (!next_line(after, is)) return "it ends before '" + was + "'";
    if (was != is) return "'" + is + "' instead of '" + was + "'";
  }
  return next_line(after, is) ? "it goes on with '" + is + "'" : "";
}

}  // namespace

std::optional<Rr> Rr::find(std::string* error) {
  const ScratchFolder scratch;
  if (run_child({"rr", "--version"}, scratch / "log") != 0) {
    *error = "no rr here; install it (Debian: apt-get install rr)";
    return std::nullopt;
  }
  for (const Words& flags : {Words{}, Words{"-W"}})
    if (records(flags)) return Rr(flags);
  *error =
      "rr is here, but cannot record on this machine (it needs hardware performance counters, "
      "which most virtual machines "
      "lack; rr record true tells more): use another machine, or rr.soft, which needs none";
  return std::nullopt;
}

int Rr::record(const RrRecording& recording, std::string* error) const {
  std::error_code ignored;
  fs::create_directories(fs::path(recording.trace).parent_path(), ignored);
  Words words = record_words(recording.trace, flags_);
  if (recording.chaos) words.emplace_back("--chaos");
  words.push_back(this_program());
  words.insert(words.end(), recording.arguments.begin(), recording.arguments.end());
  const int code = run_child(words, recording.log);
  if (is_whole(recording.trace)) return code;
  *error = "rr left no whole recording in " + recording.trace;
  return -1;
}

bool Rr::pack(const std::string& trace) const {
  const ScratchFolder scratch;
  std::ofstream how(trace + "/" + kHowFile);
  how << command("") << "\n";
  how.close();
  return run_child({"rr", "pack", trace}, scratch / "log") == 0 && !how.fail();
}

bool Rr::replays(const std::string& trace, const std::string& log, unsigned seconds,
                 std::string* error) const {
  const ScratchFolder scratch;
  Words words = {"rr", "replay", "-a"};
  words.insert(words.end(), flags_.begin(), flags_.end());
  words.push_back(trace);
  run_child(words, scratch / "log", seconds);
  *error = first_difference(log, scratch / "log");
  return error->empty();
}

std::string Rr::command(const std::string& trace) const {
  std::string words = "rr replay";
  for (const std::string& flag : flags_) words += " " + flag;
  return trace.empty() ? words : words + " " + trace;
}

int record_by_rr(const std::vector<std::string>& arguments, const std::string& trace,
                 std::string* command, std::string* error) {
  const std::optional<Rr> rr = Rr::find(error);
  if (!rr) {
    *error += "; --debug needs gdb only";
    return -1;
  }
  const int code = rr->record({arguments, trace, "", false}, error);
  if (code < 0) return code;
  if (!rr->pack(trace))
    *error = "rr pack failed: the recording needs this machine's files as they are now";
  *command = rr->command(trace);
  return code;
}

}  // namespace sched
