// SPDX-License-Identifier: Apache-2.0
// The program around a body: search_main() of search.h.
#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <string>
#include <string_view>

#include "sched/report.h"
#include "sched/search.h"

namespace sched {
namespace {

constexpr int kClean = 0, kUsage = 1, kBroken = 2, kFound = 77;

struct Flags {
  uint64_t executions = kSearchExecutions;
  std::string keep = "failure.sched", replay;
  Options options;
};

// ERRORS: false, and stderr says what is wrong.
bool read_flag(std::string_view word, Flags* flags) {
  if (word == "--os-threads") return flags->options.os_threads = true;
  const size_t equals = word.find('=');
  const std::string_view name = word.substr(0, equals);
  const std::string_view value = equals == word.npos ? "" : word.substr(equals + 1);
  if (name == "--executions" || name == "--seed") {
    uint64_t& number = name == "--seed" ? flags->options.seed : flags->executions;
    const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), number);
    const bool is_number = error == std::errc() && end == value.data() + value.size();
    if (is_number && flags->executions != 0) return true;
  } else if ((name == "--keep" || name == "--replay") && !value.empty()) {
    (name == "--keep" ? flags->keep : flags->replay) = value;
    return true;
  }
  std::fprintf(stderr,
               "lastput: %.*s: the flags are --executions=N --seed=N --keep=FILE --replay=FILE "
               "--os-threads\n",
               static_cast<int>(word.size()), word.data());
  return false;
}

int exit_code(const Result& result) {
  if (result.verdict != Verdict::kFailed) return kClean;
  return result.failure.kind == FailureKind::kLimit ? kBroken : kFound;
}

// ERRORS: false, and stderr says what is wrong.
bool keep(const std::string& path, const Result& result) {
  std::ofstream out(path);
  std::string what = result.failure.message;
  std::replace(what.begin(), what.end(), '\n', ' ');
  out << "# " << failure_kind_name(result.failure.kind) << ": " << what << "\n";
  for (const Choice& c : result.recording.choices) out << print_choice(c) << "\n";
  out << "end\n";
  if (out.flush()) return true;
  std::fprintf(stderr, "lastput: cannot write %s: %s; --keep=FILE names another file\n",
               path.c_str(), std::strerror(errno));
  return false;
}

// ERRORS: false, and stderr says what is wrong.
bool read_choices(const std::string& path, std::vector<Choice>* choices) {
  std::ifstream in(path);
  std::string line;
  for (unsigned number = 1; std::getline(in, line); ++number) {
    if (line.empty() || line[0] == '#') continue;
    if (line == "end") return true;
    if (!parse_choice(line, &choices->emplace_back())) {
      std::fprintf(stderr, "lastput: %s:%u: no choice: %.60s\n", path.c_str(), number,
                   line.c_str());
      return false;
    }
  }
  std::fprintf(stderr, "lastput: %s: %s\n", path.c_str(),
               in.is_open() ? "it is truncated: it has no line 'end'" : std::strerror(errno));
  return false;
}

int replay_file(const Body& body, const Flags& flags) {
  std::vector<Choice> choices;
  if (!read_choices(flags.replay, &choices)) return kUsage;
  const Result result = replay(body, choices, flags.options);
  if (result.verdict != Verdict::kFailed) {
    std::printf("does not fail: the code has changed, or what checks it\n");
  } else {
    ReportOptions all;
    all.last_steps = 0;
    std::printf("%s\n%s", print_failure_report(result.failure, result.recording, all).c_str(),
                summary_line(result.failure).c_str());
  }
  std::printf("executions: 1\n");
  return exit_code(result);
}

int search_with(const char* program, const Body& body, const Flags& flags) {
  std::printf("lastput: %s, seed %llu\n", program,
              static_cast<unsigned long long>(flags.options.seed));
  const SearchResult found = search(body, flags.options, flags.executions);
  int code = exit_code(found.result);
  if (found.failed()) {
    std::printf("\n%s", describe(found).c_str());
    if (!keep(flags.keep, found.result)) {
      code = kBroken;
    } else {
      std::printf("replay: %s --replay=%s\n%s", program, flags.keep.c_str(),
                  summary_line(found.result.failure).c_str());
    }
  } else if (found.cut_off != 0) {
    std::printf("%llu spent their budget of steps, and went on under a fair schedule\n",
                static_cast<unsigned long long>(found.cut_off));
  }
  std::printf("executions: %llu\n", static_cast<unsigned long long>(found.executions));
  return code;
}

}  // namespace

int search_main(int argc, char** argv, const Body& body, const Options& base) {
  Flags flags;
  flags.options = base;
  for (int i = 1; i < argc; ++i)
    if (!read_flag(argv[i], &flags)) return kUsage;
  return flags.replay.empty() ? search_with(argv[0], body, flags) : replay_file(body, flags);
}

}  // namespace sched
