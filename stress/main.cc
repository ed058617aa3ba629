// SPDX-License-Identifier: Apache-2.0
// The program `stress`: soaks the core that it is linked with on real threads.
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <fstream>
#include <string>
#include <system_error>

#include "stress/options.h"
#include "stress/report.h"
#include "stress/result.h"
#include "stress/rr_rounds.h"
#include "stress/runner.h"
#include "targets/build_info.h"

// A report of a sanitizer is a failure that was found. Without a file of options beside the program.
extern "C" {
const char* __tsan_default_options() {
  return "exitcode=77:halt_on_error=0:second_deadlock_stack=1:history_size=4:handle_segv=0:handle_"
         "sigbus=0:"
         "handle_sigfpe=0:handle_sigill=0:handle_abort=0";
}
const char* __asan_default_options() {
  return "exitcode=77:halt_on_error=1:detect_stack_use_after_return=0";
}
const char* __lsan_default_options() {
  return "exitcode=77";
}
const char* __ubsan_default_options() {
  return "exitcode=77:halt_on_error=1:print_stacktrace=1";
}
}

namespace {

constexpr int kOk = 0, kUsage = 1, kBroken = 2, kMissing = 3;

void on_end(int) {
  stress::stop_all();
}

void on_end_of_rr(int) {
  stress::end_rr_rounds();
}

int list() {
  for (const stress::ScenarioInfo& info : stress::scenarios())
    std::printf("%-16s %s\n", info.name, info.what);
  return kOk;
}

int say_sections() {
  const char* const obstacle = stress::core_has_no_sections();
  if (obstacle != nullptr) std::printf("%s\n", obstacle);
  return obstacle == nullptr ? kOk : kMissing;
}

void say_start(const stress::Options& options) {
  const char* const obstacle = stress::core_has_no_sections();
  std::printf("lastput: stress, %s, %s (%s)%s%s\n", stress::options_in_words(options).c_str(),
              targets::build_in_words().c_str(), targets::build_name(),
              obstacle == nullptr ? "" : ", without percpu sections: ",
              obstacle == nullptr ? "" : obstacle);
  std::fflush(stdout);
}

int write_results(const stress::Options& options, const std::vector<stress::Result>& results) {
  if (options.json.empty()) return kOk;
  std::ofstream file(options.json, std::ios::binary);
  file << stress::results_json(options, results, stress::stopped());
  file.close();
  if (!file.fail()) return kOk;
  std::fprintf(stderr, "stress: cannot write %s\n", options.json.c_str());
  return kBroken;
}

// Each has an equal part of what time is left.
int soak(const stress::Options& options) {
  uint64_t operations = 0, rounds = 0;
  unsigned left = options.seconds, scenarios = 0;
  std::vector<stress::Result> results;
  std::vector<const stress::ScenarioInfo*> chosen;
  for (const stress::ScenarioInfo& info : stress::scenarios()) {
    bool wanted = options.scenarios.empty();
    for (const std::string& name : options.scenarios) wanted |= name == info.name;
    if (wanted) chosen.push_back(&info);
  }
  for (const stress::ScenarioInfo* info : chosen) {
    if (stress::stopped()) break;
    const unsigned part = left / static_cast<unsigned>(chosen.size() - scenarios++);
    left -= part;
    stress::Runner runner(*info, options);
    runner.run(std::chrono::seconds(part == 0 ? 1 : part));
    results.push_back(runner.result());
    operations += results.back().totals.of(stress::Stat::kOperations);
    rounds += results.back().rounds;
    std::printf("%s", runner.summary().c_str());
  }
  std::printf("lastput: %s%u scenarios clean, rounds: %llu, operations: %llu\n",
              stress::stopped() ? "stopped; " : "", scenarios,
              static_cast<unsigned long long>(rounds), static_cast<unsigned long long>(operations));
  return write_results(options, results);
}

}  // namespace

int main(int argc, char** argv) {
  stress::Options options;
  if (const std::string wrong = stress::read_options(argc, argv, options); !wrong.empty()) {
    std::fprintf(stderr, "stress: %s\n", wrong.c_str());
    return kUsage;
  }
  if (options.help) return std::printf("%s", stress::kOptionsHelp), kOk;
  if (options.list) return list();
  if (options.sections) return say_sections();
  if (options.rr) {
    std::signal(SIGTERM, on_end_of_rr);
    std::signal(SIGINT, on_end_of_rr);
    return stress::soak_under_rr(options);
  }
  std::signal(SIGTERM, on_end);
  std::signal(SIGINT, on_end);
  stress::watch_for_failures();
  say_start(options);
  try {
    return soak(options);
  } catch (const std::system_error& error) {
    std::fprintf(
        stderr,
        "stress: cannot start a thread: %s; ulimit -u and --threads=N tell how many there may be\n",
        error.code().message().c_str());
    std::fflush(nullptr);
    _exit(kMissing);  // LeakSanitizer would want a process of its own
  } catch (const std::bad_alloc&) {
    std::fprintf(stderr, "stress: out of memory\n");
    return kBroken;
  }
}
