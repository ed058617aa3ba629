// SPDX-License-Identifier: Apache-2.0
#include "replay/folder.h"

#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <sstream>
#include <system_error>
#include <tuple>

#include "replay/load.h"
#include "replay/rerun.h"
#include "targets/artifact.h"
#include "targets/build_info.h"
#include "targets/failure_report.h"

namespace replay {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;
using End = Member::End;

constexpr const char* kEnds[] = {"failed", "clean", "no artifact", "not replayed"};

// Names from hostile files may be no UTF-8.
std::string dump(const Json& json, int indent = -1) {
  return json.dump(indent, ' ', false, Json::error_handler_t::replace);
}

std::string field(const Json& json, const char* name) {
  const auto at = json.find(name);
  return at != json.end() && at->is_string() ? at->get<std::string>() : "";
}
uint64_t count(const Json& json, const char* name) {
  const auto at = json.find(name);
  return at != json.end() && at->is_number_unsigned() ? at->get<uint64_t>() : 0;
}

Json group_json(const Group& group) {
  return {{"guarantee", group.guarantee},
          {"kind", group.kind},
          {"misuse", group.misuse},
          {"operation", group.operation},
          {"frame", group.frame}};
}

// Text before bytes, where that is all the difference.
auto size_of(const Member& member) {
  return std::tuple(member.operations, member.preemptions, !member.path.ends_with(".lastput"),
                    std::string_view(member.path));
}

std::string shell_quoted(const std::string& word) {
  std::string text = "'";
  for (char c : word) text += c == '\'' ? "'\\''" : std::string(1, c);
  return text + "'";
}

// What a command prints on its standard output.
std::string output_of(const std::string& command) {
  std::string text;
  FILE* pipe = popen(command.c_str(), "r");
  if (pipe == nullptr) return text;
  char buffer[4096];
  for (size_t got = 0; (got = fread(buffer, 1, sizeof buffer, pipe)) > 0;) text.append(buffer, got);
  pclose(pipe);
  return text;
}

bool is_sidecar(const fs::path& path) {
  std::error_code error;
  fs::path file = path;
  return path.extension() == ".json" && fs::exists(file.replace_extension(), error);
}

// What AFL++ writes beside its inputs, about them.
bool is_note(const fs::path& path) {
  constexpr const char* kNotes[] = {"fuzzer_stats", "fuzzer_setup", "plot_data",
                                    "cmdline",      "fuzz_bitmap",  "target_hash"};
  std::error_code error;
  const std::string name = path.filename().string();
  const fs::path folder = path.parent_path();
  if (name == "README.txt") return folder.filename().string().starts_with("crashes");
  return fs::exists(folder / "fuzzer_stats", error) &&
         std::find(std::begin(kNotes), std::end(kNotes), name) != std::end(kNotes);
}

std::vector<std::string> files_in(const std::string& folder) {
  std::vector<std::string> files;
  std::error_code error;
  constexpr auto kSkip = fs::directory_options::skip_permission_denied;
  for (fs::recursive_directory_iterator at(folder, kSkip, error), end; !error && at != end;
       at.increment(error))
    if (at->is_regular_file(error) && !is_sidecar(at->path()) && !is_note(at->path()))
      files.push_back(at->path().string());
  std::sort(files.begin(), files.end());
  return files;
}

// A name that stands for a folder, and leads nowhere else.
bool is_one_word(const std::string& name) {
  return name.find_first_not_of(
             "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-") ==
         std::string::npos;
}

// Which program a file belongs to.
struct Owner {
  bool program = false;  // of ./lastput run
  std::string programs;  // Loaded::programs
  auto operator<=>(const Owner&) const = default;
};

class Replayer {
 public:
  explicit Replayer(const FolderOptions& options) : options_(options) {
    std::error_code error;
    here_ = fs::read_symlink("/proc/self/exe", error);
  }

  // One member a file, in their order.
  std::vector<Member> run(const std::vector<std::string>& files) {
    std::map<Owner, std::vector<std::string>> by_owner;
    std::vector<Member> members;
    for (const std::string& file : files) {
      Owner owner;
      std::string reason;
      if (find_owner(file, &owner, &reason)) {
        by_owner[owner].push_back(file);
      } else {
        members.push_back(without_replay(file, End::kNoArtifact, reason));
      }
    }
    for (const auto& [owner, of_it] : by_owner)
      owner.program ? run_programs(of_it, &members) : run_all(owner.programs, of_it, &members);
    std::sort(members.begin(), members.end(),
              [](const Member& a, const Member& b) { return a.path < b.path; });
    return members;
  }

 private:
  static Member without_replay(const std::string& path, End end, const std::string& reason) {
    Member member;
    member.path = path;
    member.end = end;
    member.message = reason;
    return member;
  }

  bool find_owner(const std::string& file, Owner* owner, std::string* reason) const {
    Loaded loaded;
    if (load(file, "", &loaded, reason)) {
      owner->programs = loaded.programs();
      return true;
    }
    owner->program = is_of_program(loaded.contents);
    return owner->program;
  }

  void run_all(const std::string& programs, std::vector<std::string> files,
               std::vector<Member>* members) {
    const std::string program = program_of(programs);
    if (program.empty()) {
      for (const std::string& file : files)
        members->push_back(without_replay(file, End::kNotReplayed,
                                          "it needs " + programs_in_words(programs) +
                                              ", which is not built: ./lastput replay " + file +
                                              " builds it"));
      return;
    }
    while (!files.empty()) {
      const size_t done = run_some(program, files, members);
      if (done == files.size()) return;
      members->push_back(without_replay(files[done], End::kNotReplayed, "its replay died"));
      files.erase(files.begin(), files.begin() + static_cast<std::ptrdiff_t>(done) + 1);
    }
  }

  // How many of the files it told of before it ended.
  size_t run_some(const std::string& program, const std::vector<std::string>& files,
                  std::vector<Member>* members) {
    std::string list = (fs::temp_directory_path() / "lastput.XXXXXX").string();
    const int file = mkstemp(list.data());
    if (file < 0) return 0;
    close(file);
    std::string names;
    for (const std::string& name : files) names += name + '\0';
    std::string error;
    if (!targets::write_file(list, names, &error)) return 0;
    const std::string target =
        options_.target.empty() ? "" : " --target=" + shell_quoted(options_.target);
    std::istringstream lines(output_of(shell_quoted(program) + target + " --identify -- " +
                                       shell_quoted(list) + " 2>/dev/null"));
    unlink(list.c_str());
    size_t done = 0;
    for (std::string line; done < files.size() && std::getline(lines, line); ++done) {
      Member member;
      if (!from_line(line, &member)) break;
      members->push_back(member);
    }
    return done;
  }

  // "" if it is not there.
  std::string program_of(const std::string& programs) const {
    if (programs == targets::programs_folder()) return here_.string();
    if (!programs.empty() && !is_one_word(programs.substr(programs.find('/') + 1))) return "";
    // bin/replay, bin/bugs/NAME/replay, bin/counts/NAME/replay
    fs::path bin = here_.parent_path();
    if (!targets::programs_folder().empty()) bin = bin.parent_path().parent_path();
    const fs::path program = bin / programs / "replay";
    std::error_code error;
    return fs::exists(program, error) ? program.string() : "";
  }

  void run_programs(const std::vector<std::string>& files, std::vector<Member>* members) const {
    for (const std::string& file : files) {
      Member member =
          without_replay(file, End::kNotReplayed, "it is of a program: ./lastput replay " + file);
      if (!options_.driver.empty()) {
        const std::string said =
            output_of(shell_quoted(options_.driver) + " replay " + shell_quoted(file) + " 2>&1");
        if (group_of_summary(said, &member.group)) {
          member.end = End::kFailed;
          member.message = message_of(said);
        } else {
          const bool clean = said.find("\ndoes not fail\n") != std::string::npos;
          member.end = clean ? End::kClean : End::kNotReplayed;
          member.message = clean ? "" : said.substr(0, said.find('\n'));
        }
      }
      members->push_back(member);
    }
  }

  // The line under "FAILED: ...".
  static std::string message_of(const std::string& said) {
    std::istringstream lines(said);
    for (std::string line; std::getline(lines, line);)
      if (line.starts_with("FAILED: ") && std::getline(lines, line))
        return line.substr(std::min(line.find_first_not_of(' '), line.size()));
    return "";
  }

  const FolderOptions& options_;
  fs::path here_;
};

size_t count_of(const Folder& folder, End end) {
  return static_cast<size_t>(std::count_if(folder.members.begin(), folder.members.end(),
                                           [&](const Member& m) { return m.end == end; }));
}

std::string plural(size_t n, const char* one, const char* many) {
  return std::to_string(n) + " " + (n == 1 ? one : many);
}

// "no artifacts:" and the files that ended so, with their reasons.
std::string others_in_words(const Folder& folder, End end, const char* title) {
  constexpr size_t kMost = 20;
  std::string text;
  size_t n = 0;
  for (const Member& member : folder.members) {
    if (member.end != end || ++n > kMost) continue;
    const bool names_itself = member.message.starts_with(member.path);
    text += "  " + (names_itself ? "" : member.path + (member.message.empty() ? "" : ": ")) +
            printable(member.message) + "\n";
  }
  if (n == 0) return "";
  if (n > kMost) text += "  ... and " + std::to_string(n - kMost) + " more\n";
  return "\n" + std::string(title) + ":\n" + text;
}

std::string group_in_words(const Group& group, const std::vector<const Member*>& members) {
  const Member& smallest = *members.front();
  std::string text = "\n" + std::to_string(members.size()) + " x " + in_words(group) + "\n    " +
                     printable(smallest.message) + "\n    ";
  if (smallest.operations != 0)
    text += "smallest: " + plural(smallest.operations, "operation, ", "operations, ") +
            plural(smallest.preemptions, "choice of the schedule\n", "choices of the schedule\n") +
            "    ";
  return text + "replay: ./lastput replay " + smallest.path + "\n";
}

}  // namespace

std::string to_line(const Member& member) {
  return dump({{"path", member.path},
               {"end", kEnds[static_cast<size_t>(member.end)]},
               {"group", group_json(member.group)},
               {"message", member.message},
               {"operations", member.operations},
               {"preemptions", member.preemptions},
               {"executions", member.executions}});
}

bool from_line(const std::string& line, Member* member) {
  const Json json = Json::parse(line, nullptr, /*allow_exceptions=*/false);
  if (!json.is_object()) return false;
  const auto* end = std::find(std::begin(kEnds), std::end(kEnds), field(json, "end"));
  const auto group = json.find("group");
  if (end == std::end(kEnds) || group == json.end() || !group->is_object()) return false;
  *member = {field(json, "path"),
             static_cast<End>(end - std::begin(kEnds)),
             {field(*group, "guarantee"), field(*group, "kind"), field(*group, "misuse"),
              field(*group, "operation"), field(*group, "frame")},
             field(json, "message"),
             count(json, "operations"),
             count(json, "preemptions"),
             count(json, "executions")};
  return true;
}

Member identify(const std::string& path, const std::string& target) {
  Member member;
  member.path = path;
  Loaded loaded;
  if (!load(path, target, &loaded, &member.message)) {
    member.end = End::kNoArtifact;
    return member;
  }
  Outcome outcome;
  for (const std::string& each : likely_targets(loaded)) {
    if (loaded.raw) decode_for(each, &loaded);
    make_fit(&loaded.artifact);
    outcome = rerun(loaded.artifact, {});
    member.executions += outcome.executions;
    if (outcome.failed) break;
  }
  member.operations = targets::operation_count(loaded.artifact.program);
  if (!outcome.failed) return member;
  member.end = End::kFailed;
  member.preemptions = outcome.recording.choices.size();
  member.message = outcome.failure.message;
  sched::Symbolizer symbolizer;
  member.group =
      group_of(outcome.failure, loaded.artifact.program, loaded.artifact.kind(), symbolizer);
  return member;
}

int identify_all(const std::string& list, const std::string& target) {
  std::string names;
  std::string error;
  if (!targets::read_file(list, &names, &error)) {
    std::fprintf(stderr, "replay: %s\n", error.c_str());
    return 1;
  }
  std::istringstream lines(names);
  for (std::string name; std::getline(lines, name, '\0');) {
    std::printf("%s\n", to_line(identify(name, target)).c_str());
    std::fflush(stdout);
  }
  return 0;
}

Folder replay_folder(const std::string& path, const FolderOptions& options) {
  Folder folder;
  folder.path = path;
  folder.members = Replayer(options).run(files_in(path));
  for (const Member& member : folder.members)
    if (member.end == End::kFailed) folder.groups[member.group].push_back(&member);
  for (auto& [group, members] : folder.groups)
    std::sort(members.begin(), members.end(),
              [](const Member* a, const Member* b) { return size_of(*a) < size_of(*b); });
  return folder;
}

std::string folder_in_words(const Folder& folder) {
  std::string text = folder.path + ": " + plural(folder.members.size(), "file", "files") + ", " +
                     std::to_string(count_of(folder, End::kFailed)) + " failed in " +
                     plural(folder.groups.size(), "way, ", "ways, ") +
                     std::to_string(count_of(folder, End::kClean)) + " did not fail, " +
                     std::to_string(count_of(folder, End::kNoArtifact)) + " no artifacts, " +
                     std::to_string(count_of(folder, End::kNotReplayed)) + " not replayed\n";
  for (const auto& [group, members] : folder.groups) text += group_in_words(group, members);
  if (!folder.groups.empty()) text += others_in_words(folder, End::kClean, "did not fail");
  text += others_in_words(folder, End::kNoArtifact, "no artifacts");
  text += others_in_words(folder, End::kNotReplayed, "not replayed");
  uint64_t executions = 0;
  for (const Member& member : folder.members) executions += member.executions;
  return text + "\nexecutions: " + std::to_string(executions) + "\n";
}

std::string folder_as_json(const Folder& folder) {
  Json groups = Json::array();
  for (const auto& [group, members] : folder.groups) {
    Json json = group_json(group);
    json["count"] = members.size();
    json["message"] = members.front()->message;
    json["smallest"] = members.front()->path;
    for (const Member* member : members) json["members"].push_back(member->path);
    groups.push_back(json);
  }
  Json others = Json::array();
  for (const Member& member : folder.members)
    if (member.end != End::kFailed)
      others.push_back({{"path", member.path},
                        {"end", kEnds[static_cast<size_t>(member.end)]},
                        {"reason", member.message}});
  return dump({{"folder", folder.path},
               {"files", folder.members.size()},
               {"failed", count_of(folder, End::kFailed)},
               {"groups", groups},
               {"others", others}},
              2) +
         "\n";
}

int exit_code(const Folder& folder) {
  if (count_of(folder, End::kFailed) != 0) return 77;
  if (count_of(folder, End::kNotReplayed) != 0) return 3;
  return count_of(folder, End::kClean) != 0 ? 0 : 1;
}

}  // namespace replay
