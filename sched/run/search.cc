// SPDX-License-Identifier: Apache-2.0
#include "sched/run/search.h"

#include <signal.h>
#include <time.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "sched/exhaustive.h"
#include "sched/fiber.h"
#include "sched/report.h"
#include "sched/run/artifact.h"
#include "sched/run/explain.h"
#include "sched/run/jobs.h"
#include "sched/run/process.h"
#include "sched/run/program.h"
#include "sched/run/words.h"
#include "sched/sched.h"
#include "sched/search.h"
#include "sched/shadow.h"
#include "sched/watchdog.h"

namespace sched::program {
namespace {

constexpr double kProgressSeconds = 1, kSparseProgressSeconds = 30;
constexpr unsigned kOthersTried = 20;          // schedules, when the first failed
constexpr uint64_t kEnoughOfOneThread = 1000;  // executions
constexpr uint64_t kPublished = 16;            // once in so many executions

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

// The engine's words for its limit.
std::string too_many_threads() {
  return "more than " + std::to_string(kMaxThreads) + " threads at once";
}

class Search {
 public:
  Search(const Settings& settings, Jobs& jobs)
      : s_(settings), jobs_(jobs), start_(now()), terminal_(isatty(own_output()) != 0) {}

  int run() {
    if (s_.exhaustive) return run_exhaustive();
    if (first() && !s_.goes_on)
      say("lastput: program " + s_.name + ", seed " + std::to_string(s_.seed) +
          ", options: " + (s_.words.empty() ? "none" : s_.words) + "\n");
    if (!first()) learn(options_of(0), &profile_);
    for (; goes_on(); ++own_.executions) {
      const Options options = options_of(number());
      const Result result = execute_once(options);
      if (result.verdict == Verdict::kFailed) {
        ++own_.executions;
        return end_failed(result);
      }
      count(result);
      show_progress();
    }
    return end_clean();
  }

 private:
  int run_exhaustive() {
    ExhaustiveOptions o;
    o.bounds.preemptions = s_.preemptions;
    o.bounds.stale = s_.stale;
    o.bounds.steps = s_.points;
    o.bounds.executions = s_.executions;
    o.bounds.seconds = s_.seconds;
    o.run = options_of(0);
    o.stop = [](void*) {
      if (watchdog_stalled() || stop_requested != 0) return true;
      watchdog_watch();
      return false;
    };
    say("lastput: program " + s_.name + ", every execution within " +
        describe_bounds(o.bounds, o.run) + "\n");
    bool muted = true;
    const ExhaustiveResult r = explore_all(run_program, &muted, o);
    tell_input();
    if (watchdog_stalled())
      note("it loops without a scheduling point: with --races=off plain accesses are points, too");
    own_.executions = r.executions;
    own_.points = r.points;
    own_.cut_off = r.cut_off;
    if (r.failure.verdict == Verdict::kFailed) {
      tried_ = o.run;
      tried_.plain_points |= !tried_.races;
      tried_.choices = &r.failure.recording.choices;
      return end_failed(r.failure);
    }
    jobs_.publish(own_);
    tell_exhaustive(r);
    write_json(Failure{}, "");
    return finish(kClean);
  }

  void tell_exhaustive(const ExhaustiveResult& r) {
    say(std::to_string(r.distinct) + " distinct by reads-from and modification order, of " +
        std::to_string(r.executions) + " executions run (" + std::to_string(r.redundant) +
        " left as redundant), " + format("%.1f s", seconds()) + "\n");
    if (!r.complete) {
      say("CUT OFF by " + (watchdog_stalled() ? "a loop without a scheduling point" : r.gave_up) +
          "; no failure found so far\n");
      if (r.cut_off != 0 && !watchdog_stalled()) tell_endless(r);
      return;
    }
    const std::string met = describe(r.met);
    say("complete: all executions within the bounds are right" +
        (met.empty() ? ", and no bound left anything out" : "; beyond them: " + met) + "\n");
  }

  void tell_endless(const ExhaustiveResult& r) {
    say(std::to_string(r.cut_off) + " of " + std::to_string(r.executions) +
        (r.executions == 1 ? " execution" : " executions") + " did not end within " +
        std::to_string(s_.points) +
        " steps: it loops for ever, or is long\nhint: --steps=" + std::to_string(10 * s_.points) +
        " gives each more; without --exhaustive what never ends is a livelock\n");
  }

  bool first() const { return jobs_.index() == 0; }
  // Of the next execution, among those of all jobs.
  uint64_t number() const { return own_.executions * jobs_.count() + jobs_.index(); }

  bool goes_on() const {
    if (stop_requested != 0 || jobs_.over()) return false;
    if (s_.executions != 0)
      return number() < s_.executions && (s_.seconds == 0 || seconds() < s_.seconds);
    if (most_threads_ <= 1 && own_.executions >= kEnoughOfOneThread) return false;
    return own_.executions == 0 || seconds() < s_.seconds;
  }

  Options options_of(uint64_t execution) {
    Options o;
    o.races = s_.races;
    o.weak_memory = s_.weak_memory;
    o.plain_points = plain_points_;
    o.step_budget = s_.points;
    o.fair_budget = s_.fair_points;
    o.leaks = false;  // a process that ends gives its memory back
    o.seed = s_.seed;
    return schedule_of_search(o, execution, &profile_);
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
    learn(tried_, &profile_);
    return execute(tried_, true);
  }

  void count(const Result& result) {
    own_.points += result.steps;
    own_.cut_off += result.verdict == Verdict::kCutOff;
    if (result.threads > most_threads_) most_threads_ = result.threads;
    if (own_.executions % kPublished == 0) jobs_.publish(own_);
  }

  double seconds() const { return now() - start_; }
  // "45000 executions/s, 0.7 M points/s"
  std::string rates(const Counts& all) const {
    const double s = seconds() > 0 ? seconds() : 1e-9;
    return format("%.0f executions/s, %.1f M points/s", static_cast<double>(all.executions) / s,
                  static_cast<double>(all.points) / s / 1e6);
  }

  void note(const std::string& text) {
    if (!first()) return;
    clear_progress();
    say("note: " + text + "\n");
  }
  void tell_input() {
    if (told_input_ || !has_read_input()) return;
    told_input_ = true;
    note("it reads standard input, which is at its end");
  }

  double progress_seconds() const { return terminal_ ? kProgressSeconds : kSparseProgressSeconds; }
  void show_progress() {
    if (!first()) return;
    const double at = seconds();
    if (at < next_progress_) return;
    next_progress_ = at + progress_seconds();
    const Counts all = jobs_.sum();
    say((terminal_ ? "\r\033[K" : "") + std::to_string(all.executions) + " schedules, " +
        rates(all) + (terminal_ ? "" : "\n"));
    progress_shown_ = terminal_;
  }
  void clear_progress() {
    if (progress_shown_) say("\r\033[K");
    progress_shown_ = false;
  }

  // The last words are the first process's, when all have ended.
  int end_clean() {
    jobs_.publish(own_);
    if (!first()) return kClean;
    clear_progress();
    const int code = jobs_.wait(kClean);
    if (code == kClean) tell_clean();
    if (code != kClean && !jobs_.over())
      say("lastput: another job ended in a way that cannot be seen from here\n");
    return finish(code);
  }

  void tell_clean() {
    const Counts all = jobs_.sum();
    if (all.executions != 0 && most_threads_ <= 1)
      note("it starts no threads, so there is one schedule only");
    say(format("no failure found in %.1f s, ", seconds()) + rates(all) +
        (stop_requested != 0 ? ", stopped early\n" : "\n"));
    if (all.cut_off != 0)
      say(std::to_string(all.cut_off) + " passed " + std::to_string(s_.points) +
          " points, and went on under a fair schedule\n");
    write_json(Failure{}, "");
  }

  int finish(int code) {
    if (code == kTooNarrow)
      note(too_many_threads() +
           ": it is run with the library sched_wide, from its first schedule on");
    else
      say("executions: " + std::to_string(jobs_.sum().executions) + "\n");
    return code;
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

  int end_failed(const Result& failed) {
    jobs_.publish(own_);
    const int code = jobs_.claim() ? tell_failure(failed) : kClean;
    if (!first()) return code;
    return finish(jobs_.wait(code));
  }

  int tell_failure(const Result& failed) {
    clear_progress();
    if (s_.has_wider && failed.failure.kind == FailureKind::kLimit &&
        failed.failure.message == too_many_threads())
      return kTooNarrow;
    const Options failing = tried_;
    const FailureKind kind = failed.failure.kind;
    const double after = seconds();
    const bool was_first = first() && own_.executions == 1;
    const std::string others = was_first && !takes_long(kind) ? tell_others(kind) : "";
    const Explained e = explain(failing, failed);
    if (e.result.verdict != Verdict::kFailed) return tell_lost(kind);
    say("\n" + report(e.result, Steps::kLast, s_.color) + "\n");
    if (e.result.failure.kind == FailureKind::kLimit) {
      say(kNotControlled);
      write_json(e.result.failure, "");
      return kBroken;
    }
    if (!others.empty()) say(others + "\n");
    if (kind == FailureKind::kLivelock)
      say("hint: if it is only long, give it more steps: --steps=N\n");
    say(format("after %llu schedules, %.1f s\n",
               static_cast<unsigned long long>(jobs_.sum().executions), after));
    const std::string path = keep(e);
    say("replay: ./lastput replay " + (path.empty() ? "FILE" : path) + "\n");
    say(summary_line(e.result.failure));
    write_json(e.result.failure, path);
    return kFound;
  }

  int tell_lost(FailureKind kind) {
    Failure f;
    f.kind = FailureKind::kNondeterminism;
    f.message = std::string(failure_kind_name(kind)) +
                ", and not again under the same schedule: the program does something that varies "
                "from run to run";
    say("\nFAILED: nondeterminism\n  " + f.message + "\n\n" + summary_line(f));
    write_json(f, "");
    return kFound;
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

  void write_json(const Failure& failure, const std::string& artifact) {
    if (s_.json.empty()) return;
    const Counts all = jobs_.sum();
    const std::string text = "{\n  \"program\": " + json_string(s_.name) +
                             ",\n  \"seed\": " + std::to_string(s_.seed) +
                             ",\n  \"executions\": " + std::to_string(all.executions) +
                             format(",\n  \"seconds\": %.3f,\n  \"executions_per_second\": %.0f",
                                    seconds(), static_cast<double>(all.executions) / seconds()) +
                             ",\n  \"cut_off\": " + std::to_string(all.cut_off) +
                             ",\n  \"failure\": " + json_string(failure_kind_name(failure.kind)) +
                             ",\n  \"message\": " + json_string(failure.message) +
                             ",\n  \"artifact\": " + json_string(artifact) + "\n}\n";
    if (!write_file(s_.json, text))
      say("lastput: cannot write " + s_.json + ": " + strerror(errno) + "\n");
  }

  const Settings& s_;
  Jobs& jobs_;
  const double start_;
  const bool terminal_;
  Options tried_;
  Profile profile_;                // of the default schedule
  bool plain_points_ = !s_.races;  // then it is they that interleave
  bool told_input_ = false, progress_shown_ = false;
  Counts own_;
  uint32_t most_threads_ = 0;
  double next_progress_ = progress_seconds();
};

}  // namespace

void prepare(bool watched) {
  catch_signals();
  if (watched) watchdog_setup();
  fibers_set_stack(kStackBytes);
}

int search(const Settings& settings) {
  Jobs jobs(settings.jobs);
  prepare(true);  // of this process: timers are not inherited
  return Search(settings, jobs).run();
}

}  // namespace sched::program
