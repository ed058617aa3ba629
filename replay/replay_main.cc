// SPDX-License-Identifier: Apache-2.0
// Runs an artifact again, and shows what its threads did.
//
// Exit codes: 77 it failed; 0 it did not; 1 the file or a flag is not readable; 2 another error.
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <optional>
#include <string>
#include <vector>

#include "absl/flags/flag.h"
#include "absl/flags/parse.h"
#include "absl/flags/usage.h"
#include "absl/strings/str_cat.h"
#include "replay/load.h"
#include "replay/minimize_file.h"
#include "replay/rerun.h"
#include "replay/why.h"
#include "targets/build_info.h"
#include "targets/text.h"

ABSL_FLAG(unsigned, times, 1, "run it this often and compare");
ABSL_FLAG(bool, text, false, "print the program and stop");
ABSL_FLAG(std::string, steps, "all", "all steps, or only the last of each thread: all, last");
ABSL_FLAG(std::string, color, "auto", "auto, yes, no");
ABSL_FLAG(bool, minimize, false, "make program and schedule small, and show that failure");
ABSL_FLAG(bool, why, true, "say why: what had to happen, and whether weak memory is at fault");
ABSL_FLAG(double, seconds, 60, "give up minimizing after this long");
ABSL_FLAG(std::string, target, "", "target of a fuzzer's input; empty: found out");

namespace replay {
namespace {

constexpr int kClean = 0;
constexpr int kUsage = 1;
constexpr int kFailed = 77;

int usage_error(const std::string& sentence) {
  std::fprintf(stderr, "replay: %s\n", sentence.c_str());
  return kUsage;
}

bool use_color() {
  const std::string color = absl::GetFlag(FLAGS_color);
  return color == "yes" || (color == "auto" && isatty(STDOUT_FILENO) != 0);
}

std::string core_in_words(const std::string& bug) {
  return bug.empty() ? "the core as it is" : absl::StrCat("the core with bug ", bug);
}

const char* how_known(TargetFrom from) {
  switch (from) {
    case TargetFrom::kFlag:
      return " (as asked)";
    case TargetFrom::kHeader:
      return "";
    case TargetFrom::kSidecar:
      return " (its .json says so)";
    case TargetFrom::kFolder:
      return " (by its folder)";
    case TargetFrom::kUnknown:
      return " (a guess)";
  }
  return "";
}

// The line that the fuzz run began with, as far as the file knows it; then what the file is.
void tell_start(const std::string& path, const Loaded& loaded) {
  const std::string bug = targets::built_with_bug();
  const uint64_t seed =
      loaded.sidecar.seed != 0 ? loaded.sidecar.seed : loaded.artifact.program.seed;
  const std::string options = loaded.sidecar.options.empty() ? "none" : loaded.sidecar.options;
  std::printf("lastput: target %s, bug %s, seed %llu, options: %s\n",
              loaded.artifact.target.c_str(), bug.empty() ? "none" : bug.c_str(),
              static_cast<unsigned long long>(seed), options.c_str());
  const char* what = loaded.raw                     ? "a fuzzer's input"
                     : loaded.artifact.has_schedule ? "a program with one schedule"
                                                    : "a program in text form";
  std::printf("%s: %s for target %s%s\n", path.c_str(), what, loaded.artifact.target.c_str(),
              how_known(loaded.target_from));
}

// Runs it for its target; where that is a guess, for each until one fails.
Outcome run_for_target(const std::string& path, Loaded* loaded, const RerunOptions& options) {
  if (loaded->target_from != TargetFrom::kUnknown) {
    tell_start(path, *loaded);
    return rerun(loaded->artifact, options);
  }
  Outcome outcome;
  for (const std::string& target : target_names()) {
    decode_for(target, loaded);
    tell_start(path, *loaded);
    outcome = rerun(loaded->artifact, options);
    if (outcome.failed) break;
  }
  return outcome;
}

int tell_clean(const Loaded& loaded, const Outcome& outcome) {
  std::printf("does not fail\n");
  const std::string bug = loaded.raw ? loaded.sidecar.bug : loaded.artifact.bug;
  if (bug != targets::built_with_bug()) {
    std::printf("hint: it was made on %s; this is %s\n", core_in_words(bug).c_str(),
                core_in_words(targets::built_with_bug()).c_str());
  } else if (!loaded.artifact.guarantee.empty()) {
    std::printf(
        "hint: it failed once (%s): the core has changed since, or this is another compiler's\n",
        loaded.artifact.guarantee.c_str());
  } else {
    std::printf(
        "hint: if it should, was it made with another build, or with a known bug (--bug=NAME)?\n");
  }
  std::printf("executions: %llu\n", static_cast<unsigned long long>(outcome.executions));
  return kClean;
}

// Whether the artifact knew the trace, and this is it.
void tell_trace(const targets::Artifact& artifact, const Outcome& outcome) {
  if (artifact.hash == 0) return;
  if (artifact.hash == outcome.hash) {
    std::printf("\nthe trace is the one that was found\n");
  } else {
    std::printf(
        "\nit fails by another trace than the one that was found: the core has changed since, "
        "or the compiler (then: %s; now: %s)\n",
        artifact.build.c_str(), targets::build_name());
  }
}

// Goes on with the small one: *path and *loaded are those.
std::optional<Minimized> minimize(std::string* path, Loaded* loaded, std::string* error) {
  std::optional<Minimized> small = minimize_file(*path, loaded->artifact, body_of(loaded->artifact),
                                                 absl::GetFlag(FLAGS_seconds), error);
  if (!small) return small;
  *path = minimized_path(*path);
  loaded->artifact = small->artifact;
  loaded->raw = false;
  std::printf("%s: %s\n", path->c_str(),
              small->complete ? "no operation and no choice can go"
                              : "stopped early: something more may go");
  return small;
}

int run(std::string path) {
  Loaded loaded;
  std::string error;
  if (!load(path, absl::GetFlag(FLAGS_target), &loaded, &error)) return usage_error(error);
  if (absl::GetFlag(FLAGS_text)) {
    std::fputs(targets::print(loaded.artifact).c_str(), stdout);
    return kClean;
  }
  std::optional<Minimized> minimized;
  if (absl::GetFlag(FLAGS_minimize)) {
    minimized = minimize(&path, &loaded, &error);
    if (!minimized) return usage_error(error);
  }
  RerunOptions options;
  options.color = use_color();
  options.all_steps = absl::GetFlag(FLAGS_steps) == "all";
  const Outcome first = run_for_target(path, &loaded, options);
  if (!first.failed) return tell_clean(loaded, first);
  std::fputs(first.report.c_str(), stdout);
  tell_trace(loaded.artifact, first);
  if (absl::GetFlag(FLAGS_why) && loaded.artifact.has_schedule)
    std::printf("\n%s", print_why(explain_why(loaded.artifact, body_of(loaded.artifact))).c_str());
  const unsigned times = std::max(1U, absl::GetFlag(FLAGS_times));
  const Repeats repeats = repeat(loaded.artifact, first, times);
  if (times > 1) std::printf("\n%s\n", describe(repeats).c_str());
  write_report(repeats, minimized);
  const std::string bug = targets::built_with_bug();
  std::printf("\nreplay: ./lastput replay %s%s\n%s", path.c_str(),
              bug.empty() ? "" : absl::StrCat(" --bug=", bug).c_str(), first.summary.c_str());
  return kFailed;
}

}  // namespace
}  // namespace replay

int main(int argc, char** argv) {
  absl::SetProgramUsageMessage("replay [flags] FILE: runs an artifact again.");
  const std::vector<char*> words = absl::ParseCommandLine(argc, argv);
  const std::string steps = absl::GetFlag(FLAGS_steps);
  if (words.size() != 2) return replay::usage_error("wants one file: replay FILE");
  if (steps != "all" && steps != "last") {
    return replay::usage_error("--steps is all or last, not '" + steps + "'");
  }
  return replay::run(words[1]);
}
