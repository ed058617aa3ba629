// SPDX-License-Identifier: Apache-2.0
// A search for something better that a person waits for: its progress is shown, it ends after a time or by a
// signal, and the best so far is kept again and again, so that nothing is lost.
#ifndef LASTPUT_SCHED_LONG_SEARCH_H_
#define LASTPUT_SCHED_LONG_SEARCH_H_

#include <signal.h>

#include <functional>
#include <string>

namespace sched {

// Where the best of a file is kept: "a/failure-G2-12ab.lastput" -> "a/failure-G2-12ab.min.lastput"; of
// anything else the name with that added; of such a name itself.
std::string minimized_path(const std::string& path);

class LongSearch {
 public:
  struct Options {
    double limit = 60;      // seconds
    bool terminal = false;  // one line that changes; else a line now and then
    std::function<void(const std::string&)> say;
    std::function<std::string(double seconds)> progress;  // one line, of the best so far
    std::function<bool()> keep;                           // the best so far; false: it failed
  };
  // Until it is destroyed, the first SIGINT or SIGTERM ends the search, the second the process.
  explicit LongSearch(Options options);
  ~LongSearch();
  LongSearch(const LongSearch&) = delete;
  LongSearch& operator=(const LongSearch&) = delete;

  // To be asked between executions.
  bool enough();
  // There is a better one.
  void improved();
  // Says the last word, and keeps the best. False: that failed.
  bool end();
  double seconds() const;

 private:
  const Options options_;
  const double start_;
  double next_keep_ = 0, next_progress_ = 0;
  bool shown_ = false;
  struct sigaction interrupt_, terminate_;  // as they were
};

}  // namespace sched

#endif  // LASTPUT_SCHED_LONG_SEARCH_H_
