// SPDX-License-Identifier: Apache-2.0
// Runs an artifact again, and shows what its threads did.
//
// Exit codes: 77 it failed; 0 it did not; 1 the file or a flag is not readable; 2 another error, such as a
// file that cannot be written; 3 a debugger is missing, or a core that the artifact needs.
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "absl/flags/flag.h"
#include "absl/flags/parse.h"
#include "absl/flags/usage.h"
#include "absl/strings/str_cat.h"
#include "replay/debug.h"
#include "replay/emit_test.h"
#include "replay/folder.h"
#include "replay/hand_over.h"
#include "replay/load.h"
#include "replay/minimize_file.h"
#include "replay/page.h"
#include "replay/rerun.h"
#include "replay/why.h"
#include "sched/long_search.h"
#include "sched/watchdog.h"
#include "targets/artifact.h"
#include "targets/build_info.h"
#include "targets/execute.h"
#include "targets/harness.h"
#include "targets/text.h"

ABSL_FLAG(unsigned, times, 1, "run it this often and compare");
ABSL_FLAG(bool, text, false, "print the program and stop");
ABSL_FLAG(std::string, steps, "last", "the last of each thread, or all: last, all");
ABSL_FLAG(bool, timeline, false, "what the threads did to each other, from start to end");
ABSL_FLAG(std::string, html, "", "write a page to this file");
ABSL_FLAG(std::string, emit_test, "", "write a GoogleTest case to this file");
ABSL_FLAG(bool, debug, false, "go to the inflection point, and on to the failure, in gdb");
ABSL_FLAG(uint64_t, debug_at, 0, "with --debug: to this scheduling point instead");
ABSL_FLAG(std::string, rr, "", "record it under rr to this folder");
ABSL_FLAG(std::string, json, "", "of a folder: write the groups to this file");
ABSL_FLAG(std::string, color, "auto", "auto, yes, no");
ABSL_FLAG(bool, minimize, false, "make program and schedule small, and show that failure");
ABSL_FLAG(bool, why, true, "say why: what had to happen, and whether weak memory is at fault");
ABSL_FLAG(double, seconds, 60, "give up minimizing, or looking for a schedule, after this long");
ABSL_FLAG(std::string, target, "", "target of a fuzzer's input; empty: found out");
ABSL_FLAG(std::string, driver, "", "./lastput, for artifacts of programs in a folder");
ABSL_FLAG(bool, identify, false, "for itself: a list of files, and a line of JSON for each");
ABSL_FLAG(bool, for_debugger, false, "for itself: threads of its own, recorded at once");

namespace replay {
namespace {

constexpr int kClean = 0;
constexpr int kUsage = 1;
constexpr int kBroken = 2;
constexpr int kMissing = 3;
constexpr int kFailed = 77;

int stop(int code, const std::string& sentence) {
  std::fprintf(stderr, "replay: %s\n", printable(sentence).c_str());
  return code;
}

bool use_color() {
  const std::string color = absl::GetFlag(FLAGS_color);
  return color == "yes" || (color == "auto" && isatty(STDOUT_FILENO) != 0);
}

const char* how_known(TargetFrom from) {
  switch (from) {
    case TargetFrom::kFlag:
      return " (as asked)";
    case TargetFrom::kHeader:
      return "";
    case TargetFrom::kSidecar:
      return " (its .json says so)";
    case TargetFrom::kName:
      return " (its name says so)";
    case TargetFrom::kNotes:
      return " (AFL++'s notes beside it say so)";
    case TargetFrom::kFolder:
      return " (by its folder)";
    case TargetFrom::kUnknown:
      return " (nothing says for which: each is tried)";
  }
  return "";
}

// The line that the fuzz run began with, as far as the file knows it; then what the file is.
void tell_start(const std::string& path, const Loaded& loaded) {
  const uint64_t seed =
      loaded.sidecar.seed != 0 ? loaded.sidecar.seed : loaded.artifact.program.seed;
  const std::string options =
      loaded.sidecar.options.empty() ? "none" : printable(loaded.sidecar.options);
  std::printf("lastput: target %s, %s, seed %llu, options: %s\n", loaded.artifact.target.c_str(),
              targets::build_in_words().c_str(), static_cast<unsigned long long>(seed),
              options.c_str());
  const char* what = loaded.raw                     ? loaded.origin.words
                     : loaded.artifact.has_schedule ? "a program with one schedule"
                                                    : "a program in text form";
  std::printf("%s: %s for target %s%s\n", printable(path).c_str(), what,
              loaded.artifact.target.c_str(), how_known(loaded.target_from));
}

// Runs it for its target; where that is a guess, for each until one fails.
Outcome run_for_target(const std::string& path, Loaded* loaded, const RerunOptions& options) {
  Outcome outcome;
  for (const std::string& target : likely_targets(*loaded)) {
    if (loaded->raw) decode_for(target, loaded);
    make_fit(&loaded->artifact);
    tell_start(path, *loaded);
    outcome = rerun(loaded->artifact, options);
    if (outcome.failed) break;
  }
  return outcome;
}

// What a fuzzer thought of an input that is right here.
void tell_origin(const Origin& origin, const Outcome& outcome) {
  using Found = Origin::Found;
  if (origin.found == Found::kHang) {
    std::printf(
        "it is no hang: all its executions end, after %llu points at most (%llu altogether)%s; a "
        "thread that never gets on "
        "would be told as livelock or no-progress\n",
        static_cast<unsigned long long>(outcome.longest),
        static_cast<unsigned long long>(outcome.steps),
        outcome.cut_off == 0 ? "" : ", some under a fair schedule only");
  }
  if (origin.found == Found::kLeak)
    std::printf("it leaks nothing here: each execution gave back all that it allocated\n");
  if (origin.found == Found::kMemory)
    std::printf(
        "an execution has a heap of 64 MiB, and stayed below: it was the fuzzer's own process that "
        "grew\n");
}

// Whether it was made on another core than this one; says so.
bool tell_other_core(const Loaded& loaded) {
  const std::string programs = loaded.programs();
  if (programs == targets::programs_folder()) return false;
  std::printf("hint: it was made on %s; this is %s\n",
              printable(programs_in_words(programs)).c_str(),
              programs_in_words(targets::programs_folder()).c_str());
  return true;
}

int tell_clean(const Loaded& loaded, const Outcome& outcome) {
  std::printf("does not fail\n");
  if (loaded.raw) tell_origin(loaded.origin, outcome);
  const bool other_core = tell_other_core(loaded);
  if (!other_core && !loaded.artifact.guarantee.empty()) {
    std::printf(
        "hint: it failed once (%s): the core has changed since, or this is another compiler's\n",
        printable(loaded.artifact.guarantee).c_str());
  } else if (!other_core) {
    std::printf(
        "hint: if it should, was it made with another build, or with a known bug (--bug=NAME)?\n");
  }
  std::printf("executions: %llu\n", static_cast<unsigned long long>(outcome.executions));
  return kClean;
}

// Whether the artifact knew the trace, and this is it.
void tell_trace(const targets::Artifact& artifact, const Outcome& outcome) {
  if (!artifact.guarantee.empty() && artifact.guarantee != outcome.guarantee)
    std::printf("\nit fails in another way than then: then %s, now %s\n",
                printable(artifact.guarantee).c_str(), outcome.guarantee.c_str());
  if (artifact.hash == 0) return;
  if (artifact.hash == outcome.hash) {
    std::printf("\nthe trace is the one that was found\n");
  } else {
    std::printf(
        "\nit fails by another trace than the one that was found: the core has changed since, "
        "or the compiler (then: %s; now: %s)\n",
        printable(artifact.build).c_str(), targets::build_name());
  }
}

// Goes on with the small one: *path and *loaded are those.
std::optional<Minimized> minimize(std::string* path, Loaded* loaded, std::string* error) {
  std::optional<Minimized> small =
      minimize_file(*path, loaded->artifact, body_of(loaded->artifact), targets::abilities(),
                    absl::GetFlag(FLAGS_seconds), error);
  if (!small) return small;
  *path = sched::minimized_path(*path);
  loaded->artifact = small->artifact;
  loaded->raw = false;
  std::printf("%s: %s\n", path->c_str(),
              small->complete ? "no operation and no choice can go"
                              : "stopped early: something more may go");
  return small;
}

RerunOptions rerun_options() {
  RerunOptions options;
  options.color = use_color();
  if (absl::GetFlag(FLAGS_steps) == "all") options.steps = Steps::kAll;
  if (absl::GetFlag(FLAGS_timeline)) options.steps = Steps::kMatters;
  options.record_plain = !absl::GetFlag(FLAGS_html).empty();
  options.for_debugger = absl::GetFlag(FLAGS_for_debugger);
  return options;
}

// The artifact of the one schedule that failed.
targets::Artifact one_schedule(const targets::Artifact& artifact, const Outcome& outcome) {
  targets::Artifact one =
      targets::make_artifact(artifact.target, targets::built_with_bug(), artifact.program,
                             outcome.failure, outcome.recording);
  one.count = targets::built_with_count();
  one.build = targets::build_name();
  one.memory = artifact.memory;
  return one;
}

bool write(const std::string& path, const std::string& contents) {
  std::string error;
  if (!targets::write_file(path, contents, &error)) {
    stop(kBroken, error);
    return false;
  }
  std::printf("written: %s\n", printable(path).c_str());
  return true;
}

// These write what was asked for. False: it cannot be written, and why has been said.
bool write_page(const targets::Artifact& artifact, const Outcome& outcome,
                const std::string& path) {
  const std::string file = absl::GetFlag(FLAGS_html);
  return file.empty() ||
         write(file, failure_page(artifact, outcome, targets::replay_command(path)));
}
bool write_test(const targets::Artifact& artifact, const sched::Recording& recording,
                const std::string& path) {
  const std::string file = absl::GetFlag(FLAGS_emit_test);
  return file.empty() || write(file, emit_test(artifact, recording, targets::replay_command(path)));
}

// What failed on real threads: goes on with the schedule by which it fails on the engine, if one is found; the exit code
// if that is the end.
std::optional<int> hand_over(std::string* path, Loaded* loaded) {
  const std::string build = loaded->raw ? loaded->sidecar.build : loaded->artifact.build;
  tell_start(*path, *loaded);
  std::printf("it failed on real threads (%s); looking for a schedule on the engine\n",
              printable(build.substr(0, build.find(','))).c_str());
  std::fflush(stdout);
  const FoundSchedule found =
      find_schedule(loaded->artifact, body_of(loaded->artifact), absl::GetFlag(FLAGS_seconds));
  const auto executions = static_cast<unsigned long long>(found.executions);
  const std::string target = loaded->artifact.target, bug = targets::built_with_bug();
  if (!found.failed) {
    std::printf(
        "%llu executions on the engine, none fails: it needs the real platform, or a longer look\n",
        executions);
    tell_other_core(*loaded);
    std::printf("longer: %s --seconds=600\non real threads: %s -runs=1000 %s\nexecutions: %llu\n",
                targets::replay_command(*path).c_str(), real_program(build, bug, target).c_str(),
                printable(*path).c_str(), executions);
    return kClean;
  }
  targets::Artifact one = targets::make_artifact(target, bug, loaded->artifact.program,
                                                 found.failure.failure, found.failure.recording);
  one.build = targets::build_name();
  one.memory = found.memory;
  const size_t slash = path->rfind('/');
  const std::string folder = slash == std::string::npos ? "" : path->substr(0, slash + 1);
  const std::string written = targets::write_artifact(folder, one);
  if (written.empty()) return kBroken;
  std::printf("fails on the engine too: %s, by %s, after %llu executions\nwritten: %s\n\n",
              one.guarantee.c_str(), found.how, executions, printable(written).c_str());
  *path = written;
  *loaded = {};
  loaded->artifact = std::move(one);
  loaded->target_from = TargetFrom::kHeader;
  return std::nullopt;
}

int replay_file(std::string path) {
  Loaded loaded;
  std::string error;
  if (!load(path, absl::GetFlag(FLAGS_target), &loaded, &error)) return stop(kUsage, error);
  if (loaded.target_from != TargetFrom::kUnknown && !runs_here(loaded.artifact.kind()))
    return stop(kUsage, absl::StrCat(path, " is for target ", loaded.artifact.target, "; ",
                                     targets::build_in_words(), " runs percpu_ref alone"));
  make_fit(&loaded.artifact);
  if (absl::GetFlag(FLAGS_text)) {
    std::fputs(targets::print(loaded.artifact).c_str(), stdout);
    return kClean;
  }
  if (needs_schedule(loaded))
    if (const std::optional<int> end = hand_over(&path, &loaded)) return *end;
  std::optional<Minimized> minimized;
  if (absl::GetFlag(FLAGS_minimize)) {
    minimized = minimize(&path, &loaded, &error);
    if (!minimized) return stop(kUsage, error);
  }
  const Outcome first = run_for_target(path, &loaded, rerun_options());
  if (!first.failed) {
    const bool written =
        !loaded.artifact.has_schedule || write_test(loaded.artifact, first.recording, path);
    return written ? tell_clean(loaded, first) : kBroken;
  }
  if (absl::GetFlag(FLAGS_for_debugger)) {
    std::fputs(first.summary.c_str(), stdout);
    return kFailed;
  }
  const targets::Artifact one = one_schedule(loaded.artifact, first);
  if (absl::GetFlag(FLAGS_debug)) {
    const uint64_t asked = absl::GetFlag(FLAGS_debug_at);
    const sched::Inflection at = asked != 0 || !absl::GetFlag(FLAGS_why)
                                     ? sched::Inflection{asked, ""}
                                     : sched::inflection_of(explain_why(one, body_of(one)));
    debug(one, at.step, at.words, &error);
    return stop(kMissing, error);
  }
  if (const std::string trace = absl::GetFlag(FLAGS_rr); !trace.empty())
    return record(one, trace, &error) ? kFailed : stop(kMissing, error);
  std::fputs(first.report.c_str(), stdout);
  tell_trace(loaded.artifact, first);
  const sched::Why why = absl::GetFlag(FLAGS_why) ? explain_why(one, body_of(one)) : sched::Why{};
  if (!why.words.empty()) std::printf("\n%s", sched::print_why(why).c_str());
  const unsigned times = std::max(1U, absl::GetFlag(FLAGS_times));
  const Repeats repeats = repeat(loaded.artifact, first, times);
  if (times > 1) std::printf("\n%s\n", describe(repeats).c_str());
  write_report(repeats, minimized, why.words);
  if (!write_page(one, first, path) || !write_test(one, first.recording, path)) return kBroken;
  std::printf("\nreplay: %s\n%s", targets::replay_command(path).c_str(), first.summary.c_str());
  return kFailed;
}

int replay_all(const std::string& path) {
  for (const auto& [given, name] :
       {std::pair(absl::GetFlag(FLAGS_debug), "--debug"),
        std::pair(absl::GetFlag(FLAGS_text), "--text"),
        std::pair(absl::GetFlag(FLAGS_timeline), "--timeline"),
        std::pair(!absl::GetFlag(FLAGS_html).empty(), "--html"),
        std::pair(!absl::GetFlag(FLAGS_emit_test).empty(), "--emit-test"),
        std::pair(!absl::GetFlag(FLAGS_rr).empty(), "--rr"),
        std::pair(absl::GetFlag(FLAGS_times) != 1, "--times")})
    if (given)
      return stop(kUsage, absl::StrCat(path, " is a folder; ", name, " wants one file of it"));
  const Folder folder =
      replay_folder(path, {absl::GetFlag(FLAGS_target), absl::GetFlag(FLAGS_driver)});
  if (folder.members.empty()) return stop(kUsage, path + " holds no file");
  std::fputs(folder_in_words(folder).c_str(), stdout);
  const std::string json = absl::GetFlag(FLAGS_json);
  std::string error;
  if (!json.empty() && !targets::write_file(json, folder_as_json(folder), &error))
    return stop(kBroken, error);
  return exit_code(folder);
}

int run(const std::string& path) {
  if (!absl::GetFlag(FLAGS_for_debugger)) sched::watchdog_setup();
  if (absl::GetFlag(FLAGS_identify)) return identify_all(path, absl::GetFlag(FLAGS_target));
  std::error_code ignored;
  if (std::filesystem::is_directory(path, ignored)) return replay_all(path);
  if (!absl::GetFlag(FLAGS_json).empty()) return stop(kUsage, "--json is for folders");
  return replay_file(path);
}

}  // namespace
}  // namespace replay

int main(int argc, char** argv) {
  absl::SetProgramUsageMessage("replay [flags] FILE|FOLDER: runs artifacts again.");
  const std::vector<char*> words = absl::ParseCommandLine(argc, argv);
  const std::string steps = absl::GetFlag(FLAGS_steps);
  if (words.size() != 2)
    return replay::stop(replay::kUsage, "wants one file or folder: replay FILE");
  if (steps != "all" && steps != "last")
    return replay::stop(replay::kUsage, "--steps is all or last, not '" + steps + "'");
  return replay::run(words[1]);
}
