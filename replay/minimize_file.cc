// SPDX-License-Identifier: Apache-2.0
#include "replay/minimize_file.h"

#include <signal.h>
#include <unistd.h>

#include <chrono>
#include <cinttypes>
#include <cstdio>

#include "targets/artifact.h"

namespace replay {
namespace {

constexpr double kWriteSeconds = 0.1, kProgressSeconds = 0.2, kSparseProgressSeconds = 2;
constexpr char kSuffix[] = ".lastput", kMinimizedSuffix[] = ".min.lastput";

volatile sig_atomic_t stop_requested;

// A second signal has its usual effect.
class UntilSignal {
 public:
  UntilSignal() {
    struct sigaction action = {};
    action.sa_handler = [](int) { stop_requested = 1; };
    action.sa_flags = SA_ONSTACK | SA_RESTART | static_cast<int>(SA_RESETHAND);
    sigaction(SIGINT, &action, &interrupt_);
    sigaction(SIGTERM, &action, &terminate_);
  }
  ~UntilSignal() {
    sigaction(SIGINT, &interrupt_, nullptr);
    sigaction(SIGTERM, &terminate_, nullptr);
  }
  UntilSignal(const UntilSignal&) = delete;
  UntilSignal& operator=(const UntilSignal&) = delete;

 private:
  struct sigaction interrupt_, terminate_;
};

class Watch {
 public:
  double seconds() const {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count();
  }

 private:
  const std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

class Session {
 public:
  Session(std::string path, double limit) : path_(std::move(path)), limit_(limit) {}

  void keep(const Minimized& best) {
    if (watch_.seconds() >= next_write_) write(best);
  }
  bool enough(const Minimized& best) {
    show(best);
    return stop_requested != 0 || watch_.seconds() >= limit_;
  }
  // False: it could not be written.
  bool write(const Minimized& best) {
    next_write_ = watch_.seconds() + kWriteSeconds;
    error_.clear();
    return targets::write_file(path_, targets::print(best.artifact), &error_);
  }
  void end(Minimized& best) {
    best.seconds = watch_.seconds();
    if (terminal_ && shown_) std::fputs("\r\033[K", stdout);
    std::printf("%s\n", line(best).c_str());
  }
  const std::string& error() const { return error_; }

 private:
  std::string line(const Minimized& best) const {
    char cost[64];
    std::snprintf(cost, sizeof cost, " (%" PRIu64 " executions, %.1f s)", best.executions,
                  watch_.seconds());
    return "minimize: " + describe(best.before) + " -> " + describe(best.after) + cost;
  }
  void show(const Minimized& best) {
    if (watch_.seconds() < next_progress_) return;
    next_progress_ = watch_.seconds() + (terminal_ ? kProgressSeconds : kSparseProgressSeconds);
    if (watch_.seconds() < kProgressSeconds) return;
    std::printf(terminal_ ? "\r\033[K%s" : "%s\n", line(best).c_str());
    std::fflush(stdout);
    shown_ = true;
  }

  const std::string path_;
  const double limit_;
  const Watch watch_;
  const bool terminal_ = isatty(STDOUT_FILENO) != 0;
  double next_write_ = 0, next_progress_ = 0;
  bool shown_ = false;
  std::string error_;
};

}  // namespace

std::string minimized_path(const std::string& path) {
  if (path.ends_with(kMinimizedSuffix)) return path;
  const bool text = path.ends_with(kSuffix);
  return path.substr(0, path.size() - (text ? sizeof kSuffix - 1 : 0)) + kMinimizedSuffix;
}

std::optional<Minimized> minimize_file(const std::string& path, const targets::Artifact& failing,
                                       targets::Body body, double seconds, std::string* error) {
  const UntilSignal until_signal;
  const std::string to = minimized_path(path);
  Session session(to, seconds);
  MinimizeOptions options;
  options.stop = [&](const Minimized& best) { return session.enough(best); };
  options.improved = [&](const Minimized& best) { session.keep(best); };
  std::optional<Minimized> result = minimize(failing, body, options);
  if (!result) {
    *error = path + ": it does not fail here, so there is nothing to minimize";
    return std::nullopt;
  }
  session.end(*result);
  if (session.write(*result)) return result;
  *error = session.error() + "; it would hold:\n" + targets::print(result->artifact);
  return std::nullopt;
}

}  // namespace replay
