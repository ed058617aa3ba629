// SPDX-License-Identifier: Apache-2.0
// Runs a program, or the small set, in every execution within bounds.
//
// Exit codes: 0 all right, or cut off, as the words say; 1 the file or a flag is not readable; 2 another
// error; 77 a failure.
#include <cstdio>
#include <string>
#include <vector>

#include "absl/flags/flag.h"
#include "absl/flags/parse.h"
#include "absl/flags/usage.h"
#include "replay/load.h"
#include "targets/build_info.h"
#include "verify/verify.h"

ABSL_FLAG(
    unsigned, preemptions, 2,
    "at most so many in one execution; under weak memory one less; 1000 and more: any number");
ABSL_FLAG(unsigned, stale, 1, "at most so many stale loads and late stores in one execution");
ABSL_FLAG(std::string, memory, "both", "weak, sc or both");
ABSL_FLAG(unsigned, seconds, 600, "when to give up; 0: never");
ABSL_FLAG(unsigned, jobs, 2, "processes at a time");
ABSL_FLAG(std::string, prefix, "./", "of the artifact that a failure leaves");

namespace verify {
namespace {

constexpr unsigned kAnyPreemptions = 1000;

int usage_error(const std::string& sentence) {
  std::fprintf(stderr, "verify: %s\n", sentence.c_str());
  return kUsage;
}

int run(const std::vector<char*>& words) {
  Settings s;
  const unsigned preemptions = absl::GetFlag(FLAGS_preemptions);
  const bool any = preemptions >= kAnyPreemptions;
  s.preemptions = any ? sched::kUnbounded : preemptions;
  s.weak_preemptions = any || preemptions == 0 ? s.preemptions : preemptions - 1;
  s.stale = absl::GetFlag(FLAGS_stale);
  s.seconds = absl::GetFlag(FLAGS_seconds);
  s.jobs = absl::GetFlag(FLAGS_jobs);
  s.prefix = absl::GetFlag(FLAGS_prefix);
  const std::string memory = absl::GetFlag(FLAGS_memory);
  if (memory != "weak" && memory != "sc" && memory != "both")
    return usage_error("--memory is weak, sc or both, not '" + memory + "'");
  if (s.jobs < 1 || s.jobs > 64) return usage_error("--jobs is 1 to 64");
  if (words.size() > 2) return usage_error("takes one program at most");
  s.weak = memory != "sc";
  s.sc = memory != "weak";
  std::vector<SmallProgram> programs;
  if (words.size() == 2) {
    replay::Loaded loaded;
    std::string error;
    if (!replay::load(words[1], "", &loaded, &error)) return usage_error(error);
    if (!targets::is_concurrent(loaded.artifact.kind()))
      return usage_error(std::string(words[1]) + " is sequential: it has one execution; replay it");
    programs.push_back({words[1], loaded.artifact});
  } else {
    programs = small_set();
  }
  const std::string bug = targets::built_with_bug();
  std::printf("lastput: verify %s, bug %s, preemptions %u, stale loads %u, memory %s\n",
              words.size() == 2 ? words[1] : "the small set", bug.empty() ? "none" : bug.c_str(),
              preemptions, s.stale, memory.c_str());
  std::fflush(stdout);
  return verify_all(programs, s);
}

}  // namespace
}  // namespace verify

int main(int argc, char** argv) {
  absl::SetProgramUsageMessage("verify [flags] [PROGRAM]: every execution within bounds.");
  return verify::run(absl::ParseCommandLine(argc, argv));
}
