// SPDX-License-Identifier: Apache-2.0
#include "sched/long_search.h"

#include <time.h>

#include <utility>

namespace sched {
namespace {

constexpr double kKeepSeconds = 0.1, kProgressSeconds = 0.2, kSparseProgressSeconds = 2;

volatile sig_atomic_t stop_requested;

double now() {
  timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_nsec) * 1e-9;
}

}  // namespace

std::string minimized_path(const std::string& path) {
  constexpr char kSuffix[] = ".lastput", kMinimizedSuffix[] = ".min.lastput";
  if (path.ends_with(kMinimizedSuffix)) return path;
  const bool text = path.ends_with(kSuffix);
  return path.substr(0, path.size() - (text ? sizeof kSuffix - 1 : 0)) + kMinimizedSuffix;
}

LongSearch::LongSearch(Options options) : options_(std::move(options)), start_(now()) {
  stop_requested = 0;
  struct sigaction action = {};
  action.sa_handler = [](int) { stop_requested = 1; };
  action.sa_flags = SA_ONSTACK | SA_RESTART | static_cast<int>(SA_RESETHAND);
  sigaction(SIGINT, &action, &interrupt_);
  sigaction(SIGTERM, &action, &terminate_);
}

LongSearch::~LongSearch() {
  sigaction(SIGINT, &interrupt_, nullptr);
  sigaction(SIGTERM, &terminate_, nullptr);
}

double LongSearch::seconds() const {
  return now() - start_;
}

bool LongSearch::enough() {
  const double at = seconds();
  if (at >= next_progress_) {
    next_progress_ = at + (options_.terminal ? kProgressSeconds : kSparseProgressSeconds);
    if (at >= kProgressSeconds) {  // what is over at once needs no progress
      options_.say((options_.terminal ? "\r\033[K" : "") + options_.progress(at) +
                   (options_.terminal ? "" : "\n"));
      shown_ = true;
    }
  }
  return stop_requested != 0 || at >= options_.limit;
}

void LongSearch::improved() {
  if (seconds() < next_keep_) return;
  options_.keep();
  next_keep_ = seconds() + kKeepSeconds;
}

bool LongSearch::end() {
  options_.say((options_.terminal && shown_ ? "\r\033[K" : "") + options_.progress(seconds()) +
               "\n");
  return options_.keep();
}

}  // namespace sched
