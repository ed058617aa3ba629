// SPDX-License-Identifier: Apache-2.0
#include "sched/run/minimize.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <iterator>
#include <utility>

#include "sched/long_search.h"
#include "sched/report.h"
#include "sched/run/explain.h"
#include "sched/run/process.h"
#include "sched/run/words.h"
#include "sched/shrink.h"

namespace sched::program {
namespace {

constexpr unsigned kMeanIntervals[] = {2, 4, 8, 16, 32, 63};
constexpr unsigned kRandomSchedules = 300;

class Minimizer {
 public:
  Minimizer(const std::string& path, double seconds, Artifact* best)
      : best_(*best),
        path_(minimized_path(path)),
        search_({seconds, isatty(own_output()) != 0, say,
                 [this](double at) {
                   return format("minimize: %s -> %s (%llu executions, %.1f s)",
                                 extent(before_).c_str(), extent(best_.schedule.size()).c_str(),
                                 static_cast<unsigned long long>(executions_), at);
                 },
                 [this] { return write_file(path_, print(best_)); }}) {}

  // False: it does not fail.
  bool begin() {
    Options options = best_.options;
    options.choices = &best_.schedule;
    const Result result = run(options);
    if (result.verdict != Verdict::kFailed) return false;
    identity_ = identify(result.failure);
    take(best_.options, result);
    before_ = best_.schedule.size();
    return true;
  }
  // False: it cannot be written, and errno says why.
  bool finish() {
    memory_simplifies();
    while (choices_go() || fewer_are_found()) {
    }
    if (!search_.end()) return false;
    say(path_ + (stopped_ ? ": stopped early: something more may go\n"
                          : ": no choice of the schedule can go\n"));
    return true;
  }

 private:
  static std::string extent(size_t choices) {
    return std::to_string(choices) + (choices == 1 ? " choice" : " choices");
  }
  Result run(Options options) {
    ++executions_;
    options.explain = true;
    return execute(options, true);
  }
  std::string identify(const Failure& failure) {
    const bool status = failure.kind == FailureKind::kExitStatus;
    return failure_kind_name(failure.kind) + (" " + top_function(failure, symbolizer_)) +
           (status ? " " + failure.message : "");
  }
  bool stop() { return stopped_ = stopped_ || search_.enough(); }

  // By the choices that were really made.
  void take(const Options& options, const Result& result) {
    best_.options = options;
    best_.options.choices = nullptr;
    best_.kind = result.failure.kind;
    best_.schedule = result.recording.choices;
    best_.message = result.failure.message;
    best_.steps = result.steps;
    best_.hash = result.trace_hash;
  }
  // Whether one execution under these options fails in the same way; it is the best then.
  bool fails(const Options& options) {
    Options cheap = options;  // what goes on and on is no candidate
    if (best_.kind != FailureKind::kLivelock) cheap.fair_budget = 0;
    const Result result = run(cheap);
    if (result.verdict != Verdict::kFailed || identify(result.failure) != identity_) return false;
    if (must_be_shorter_ && result.recording.choices.size() >= best_.schedule.size()) return false;
    Options kept = best_.options;
    kept.weak_memory = options.weak_memory;
    take(kept, result);
    search_.improved();
    return true;
  }
  bool fails_by(const std::vector<Choice>& schedule, Options options) {
    options.choices = &schedule;
    return fails(options);
  }
  bool fails_by_a_random_one(Options options, unsigned tries) {
    for (unsigned i = 0; i < tries && !stop(); ++i) {
      options.seed = i + 1;
      options.mean_interval = kMeanIntervals[i % std::size(kMeanIntervals)];
      if (fails(options)) return true;
    }
    return false;
  }

  // What fails under sequential consistency, too, is understood without the rest.
  void memory_simplifies() {
    if (!best_.options.weak_memory || stop()) return;
    Options options = best_.options;
    options.weak_memory = false;
    std::vector<Choice> threads_only = best_.schedule;
    std::erase_if(threads_only, [](const Choice& c) { return c.to.starts_with('-'); });
    if (!fails_by(threads_only, options)) fails_by_a_random_one(options, kRandomSchedules);
  }
  bool choices_go() {
    must_be_shorter_ = true;
    const bool some = shrink([this] { return best_.schedule.size(); },
                             [this](size_t first, size_t count) {
                               if (stop()) return false;
                               std::vector<Choice> fewer = best_.schedule;
                               const auto begin = fewer.begin() + static_cast<ptrdiff_t>(first);
                               fewer.erase(begin, begin + static_cast<ptrdiff_t>(count));
                               return fails_by(fewer, best_.options);
                             });
    must_be_shorter_ = false;
    return some && !stopped_;
  }
  bool fewer_are_found() {
    if (best_.schedule.size() < 2) return false;
    must_be_shorter_ = true;
    const bool some = fails_by_a_random_one(best_.options, 10 * kRandomSchedules);
    must_be_shorter_ = false;
    return some;
  }

  Artifact& best_;
  const std::string path_;
  Symbolizer symbolizer_;
  std::string identity_;
  size_t before_ = 0;  // choices
  uint64_t executions_ = 0;
  bool stopped_ = false;
  bool must_be_shorter_ = false;  // the schedule, for a candidate to be taken
  LongSearch search_;
};

}  // namespace

bool minimize(const std::string& path, double seconds, Artifact* artifact, std::string* error) {
  if (!artifact->has_schedule) {
    *error =
        path +
        ": it is without end, so its schedule was not recorded, and there is nothing to leave out";
    return false;
  }
  Minimizer minimizer(path, seconds, artifact);
  if (!minimizer.begin()) {
    *error = path + ": it does not fail here, so there is nothing to minimize";
    return false;
  }
  if (minimizer.finish()) return true;
  *error = "cannot write " + minimized_path(path) + ": " + strerror(errno) + "; it would hold:\n" +
           print(*artifact);
  return false;
}

}  // namespace sched::program
