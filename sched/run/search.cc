// SPDX-License-Identifier: Apache-2.0
#include "sched/run/search.h"

#include <signal.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <cerrno>
#include <cstdarg>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <iterator>
#include <sstream>

#include "sched/fiber.h"
#include "sched/report.h"
#include "sched/run/artifact.h"
#include "sched/run/explain.h"
#include "sched/run/process.h"
#include "sched/run/watchdog.h"
#include "sched/sched.h"
#include "sched/shadow.h"

namespace sched::program {
namespace {

constexpr uint32_t kIntervals[] = {8, 3, 20, 64, 5, 12, 2, 200};
constexpr double kProgressSeconds = 1, kSparseProgressSeconds = 30;
constexpr unsigned kOthersTried = 20;          // schedules, when the first failed
constexpr uint64_t kEnoughOfOneThread = 1000;  // executions

volatile sig_atomic_t stop_requested;

void request_stop(int signal) {
  if (stop_requested != 0) _exit(128 + signal);  // asked twice: at once
  stop_requested = 1;
}

void catch_signals() {
  struct sigaction action = {};
  action.sa_handler = request_stop;
  action.sa_flags = SA_ONSTACK | SA_RESTART;
  sigaction(SIGINT, &action, nullptr);
  sigaction(SIGTERM, &action, nullptr);
}

double now() {
  timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_nsec) * 1e-9;
}

void say(const std::string& text) {
  for (size_t done = 0; done < text.size();) {
    ssize_t n = write(own_output(), text.data() + done, text.size() - done);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return;
    done += static_cast<size_t>(n);
  }
}

[[gnu::format(printf, 1, 2)]] std::string format(const char* how, ...) {
  char text[512];
  va_list arguments;
  va_start(arguments, how);
  vsnprintf(text, sizeof text, how, arguments);
  va_end(arguments);
  return text;
}

uint64_t mix(uint64_t z) {  // splitmix64 (Steele, Lea, Flood, OOPSLA 2014)
  z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9u;
  z = (z ^ z >> 27) * 0x94D049BB133111EBu;
  return z ^ z >> 31;
}

std::string json_string(const std::string& text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    if (static_cast<unsigned char>(c) < 0x20)
      out += format("\\u%04x", static_cast<unsigned>(c));
    else
      out += c;
  }
  return out + "\"";
}

bool write_file(const std::string& path, const std::string& contents) {
  std::ofstream out(path, std::ios::binary);
  out << contents;
  return static_cast<bool>(out.flush());
}

class Search {
 public:
  explicit Search(const Settings& settings)
      : s_(settings), start_(now()), terminal_(isatty(own_output()) != 0) {}

  int run() {
    say("lastput: program " + s_.name + ", seed " + std::to_string(s_.seed) +
        ", options: " + (s_.words.empty() ? "none" : s_.words) + "\n");
    for (; goes_on(); ++executions_) {
      const Options options = options_of(executions_);
      const Result result = execute_once(options);
      if (executions_ == 0) {
        first_hash_ = result.trace_hash;
      } else {
        varied_ |= result.trace_hash != first_hash_;
      }
      if (result.verdict == Verdict::kFailed) return tell_failure(result);
      count(result);
      show_progress();
    }
    return tell_clean();
  }

 private:
  bool goes_on() const {
    if (stop_requested != 0) return false;
    if (s_.executions != 0)
      return executions_ < s_.executions && (s_.seconds == 0 || seconds() < s_.seconds);
    if (most_threads_ <= 1 && executions_ >= kEnoughOfOneThread) return false;
    return executions_ == 0 || seconds() < s_.seconds;
  }

  Options options_of(uint64_t execution) const {
    Options o;
    o.races = s_.races;
    o.weak_memory = s_.weak_memory;
    o.plain_points = plain_points_;
    o.step_budget = s_.points;
    o.fair_budget = s_.fair_points;
    o.leaks = false;  // a process that ends gives its memory back
    o.seed = execution == 0 ? 0 : mix(s_.seed + execution * 0x9E3779B97F4A7C15u) | 1;
    o.mean_interval = execution == 0 ? 0 : kIntervals[execution % std::size(kIntervals)];
    return o;
  }

  // Repeats what stalled with plain accesses as points.
  Result execute_once(const Options& options) {
    Result result = execute(options, true);
    tell_input();
    if (!watchdog_stalled()) {
      tried_ = options;
      return result;
    }
    if (!plain_points_)
      note("it loops without a scheduling point: from here on plain accesses are points, too");
    plain_points_ = true;
    tried_ = options;
    tried_.plain_points = true;
    return execute(tried_, true);
  }

  void count(const Result& result) {
    points_ += result.steps;
    cut_off_ += result.verdict == Verdict::kCutOff;
    if (result.threads > most_threads_) most_threads_ = result.threads;
  }

  double seconds() const { return now() - start_; }
  double rate() const { return seconds() > 0 ? static_cast<double>(executions_) / seconds() : 0; }

  void note(const std::string& text) {
    clear_progress();
    say("note: " + text + "\n");
  }
  void tell_input() {
    if (told_input_ || !has_read_input()) return;
    told_input_ = true;
    note("it reads standard input, which is at its end");
  }

  void show_progress() {
    const double at = seconds();
    if (at < next_progress_) return;
    next_progress_ = at + (terminal_ ? kProgressSeconds : kSparseProgressSeconds);
    if (!terminal_ && at < kSparseProgressSeconds) {
      next_progress_ = kSparseProgressSeconds;
      return;
    }
    say(format("%s%llu schedules, %.0f/s, %.1f M points/s%s", terminal_ ? "\r\033[K" : "",
               static_cast<unsigned long long>(executions_), rate(),
               static_cast<double>(points_) / at / 1e6, terminal_ ? "" : "\n"));
    progress_shown_ = terminal_;
  }
  void clear_progress() {
    if (progress_shown_) say("\r\033[K");
    progress_shown_ = false;
  }

  int tell_clean() {
    clear_progress();
    if (executions_ != 0 && most_threads_ <= 1)
      say("note: it starts no threads, so there is one schedule only\n");
    say(format("no failure found in %.1f s, %.0f executions/s, %.1f M points/s%s\n", seconds(),
               rate(), static_cast<double>(points_) / seconds() / 1e6,
               stop_requested != 0 ? ", stopped early" : ""));
    if (cut_off_ != 0) say(format("cut off: %llu\n", static_cast<unsigned long long>(cut_off_)));
    return finish(kClean, Failure{}, "");
  }

  // Whether other schedules end like the first one did.
  std::string tell_others(FailureKind kind) {
    unsigned same = 0;
    for (unsigned i = 1; i <= kOthersTried; ++i) {
      const Result r = execute_once(options_of(i));
      same += r.verdict == Verdict::kFailed && r.failure.kind == kind;
    }
    if (same == kOthersTried) return "it fails in every schedule";
    return format("it fails in the first schedule, and in %u of %u others", same, kOthersTried);
  }

  int tell_failure(const Result& failed) {
    const FailureKind kind = failed.failure.kind;
    clear_progress();
    const Options failing = tried_;
    const uint64_t count = executions_ + 1;
    const double after = seconds();
    const bool slow = kind == FailureKind::kNoProgress || kind == FailureKind::kLivelock;
    const std::string others = executions_ == 0 && !slow ? tell_others(kind) : "";
    const Explained e = explain(failing, failed);
    executions_ = count;
    const Failure& f = e.result.failure;
    if (e.result.verdict != Verdict::kFailed) return tell_lost(kind);
    say("\n" + report(e.result, false, s_.color) + "\n");
    if (f.kind == FailureKind::kLimit) {
      say("lastput: this program does what the engine does not control; see FUZZING.md, Limits\n");
      return finish(kBroken, f, "");
    }
    if (!others.empty()) say(others + "\n");
    say(format("after %llu schedules, %.1f s\n", static_cast<unsigned long long>(count), after));
    const std::string path = keep(e);
    say("replay: ./lastput replay " + (path.empty() ? "FILE" : path) + "\n");
    say(summary_line(f));
    return finish(kFound, f, path);
  }

  int tell_lost(FailureKind kind) {
    say(std::string("FAILED: ") + failure_kind_name(kind) +
        "\n  and not again under the same schedule: the program does something that varies from "
        "run to run\n"
        "SUMMARY: lastput: nondeterminism\n");
    Failure f;
    f.kind = FailureKind::kNondeterminism;
    return finish(kFound, f, "");
  }

  // Writes the artifact; its path.
  std::string keep(const Explained& e) {
    Artifact a;
    a.built = s_.built;
    a.kind = e.result.failure.kind;
    a.message = e.result.failure.message;
    a.steps = e.result.steps;
    a.hash = e.result.trace_hash;
    a.options = e.options;
    a.has_schedule = e.recorded;
    a.schedule = e.result.recording.choices;
    const std::string text = print(a), path = s_.artifacts + artifact_name(a, text);
    if (write_file(path, text)) return path;
    say("lastput: cannot write " + path + ": " + strerror(errno) + "; it would hold:\n" + text);
    return "";
  }

  int finish(int code, const Failure& failure, const std::string& artifact) {
    if (!s_.json.empty()) write_json(failure, artifact);
    say(format("executions: %llu\n", static_cast<unsigned long long>(executions_)));
    return code;
  }

  void write_json(const Failure& failure, const std::string& artifact) {
    const std::string text =
        "{\n  \"program\": " + json_string(s_.name) + ",\n  \"seed\": " + std::to_string(s_.seed) +
        format(
            ",\n  \"executions\": %llu,\n  \"seconds\": %.3f,\n  \"executions_per_second\": %.0f,\n"
            "  \"cut_off\": %llu,\n",
            static_cast<unsigned long long>(executions_), seconds(), rate(),
            static_cast<unsigned long long>(cut_off_)) +
        "  \"failure\": " + json_string(failure_kind_name(failure.kind)) +
        ",\n  \"message\": " + json_string(failure.message) +
        ",\n  \"artifact\": " + json_string(artifact) + "\n}\n";
    if (!write_file(s_.json, text))
      say("lastput: cannot write " + s_.json + ": " + strerror(errno) + "\n");
  }

  const Settings& s_;
  const double start_;
  const bool terminal_;
  Options tried_;
  bool plain_points_ = !s_.races;  // then it is they that interleave
  bool told_input_ = false, progress_shown_ = false, varied_ = false;
  uint64_t executions_ = 0, points_ = 0, cut_off_ = 0, first_hash_ = 0;
  uint32_t most_threads_ = 0;
  double next_progress_ = 0;
};

void prepare() {
  catch_signals();
  watchdog_setup();
  fibers_set_stack(kStackBytes);
}

// How a repeated run ended, in a word that is equal for equal ends.
std::string ending(const Result& r) {
  return format("%s, trace 0x%llx", failure_kind_name(r.failure.kind),
                static_cast<unsigned long long>(r.trace_hash));
}

std::string compare(const Options& options, const Result& first, unsigned times) {
  unsigned same = 0;
  for (unsigned i = 0; i < times; ++i) same += ending(execute(options, true)) == ending(first);
  return format("%u of %u the same: %s\n", same, times, ending(first).c_str());
}

}  // namespace

int search(const Settings& settings) {
  prepare();
  return Search(settings).run();
}

int replay(const ReplaySettings& settings) {
  prepare();
  std::ifstream in(settings.file, std::ios::binary);
  std::stringstream text;
  text << in.rdbuf();
  Artifact a;
  std::string error;
  if (!in || !parse(text.str(), &a, &error)) {
    say("lastput: " + settings.file + ": " + (error.empty() ? "cannot be read" : error) + "\n");
    return kUnreadable;
  }
  a.options.leaks = false;
  Options options = a.options;
  if (a.has_schedule) {
    options.choices = &a.schedule;
    options.record_always = options.record_plain = true;
  }
  say("lastput: program " + settings.name + ", replay of " + settings.file + "\nwhat it prints:\n");
  const Result result = execute(options, false);
  options.record_always = options.record_plain = false;
  if (result.verdict != Verdict::kFailed) {
    say("does not fail\n");
    return kClean;
  }
  say("\n" + report(result, settings.all_steps, settings.color) + "\n");
  if (settings.times > 1) say(compare(options, result, settings.times));
  say(summary_line(result.failure));
  return kFound;
}

}  // namespace sched::program
