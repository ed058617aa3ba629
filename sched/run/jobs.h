// SPDX-License-Identifier: Apache-2.0
// Several processes that search at once, each with schedules of its own. The first failure ends all of them,
// and is told by the one that found it; the first process says what is run, and the sums.
#ifndef LASTPUT_SCHED_RUN_JOBS_H_
#define LASTPUT_SCHED_RUN_JOBS_H_

#include <sys/types.h>

#include <atomic>
#include <cstdint>
#include <vector>

namespace sched::program {

inline constexpr unsigned kMaxJobs = 64;

struct Counts {
  uint64_t executions = 0, points = 0, cut_off = 0;
};

class Jobs {
 public:
  // Makes the other processes. REQUIRES: 1 <= count <= kMaxJobs; no execution has run.
  explicit Jobs(unsigned count);
  unsigned index() const { return index_; }  // of this process; 0 is the first
  unsigned count() const { return count_; }

  void publish(const Counts& own);
  Counts sum() const;
  // True for the first process that asks: it tells its failure. From then on over() is true for all.
  bool claim();
  bool over() const;
  // Of the first process: waits for the others. `otherwise`, or the exit code of one that did not end clean.
  // MAY BLOCK: until their executions end.
  int wait(int otherwise);

 private:
  // Counts of each, read by others for people only: relaxed all of them, nothing hangs on their order.
  struct Shared {
    std::atomic<bool> claimed;
    struct {
      std::atomic<uint64_t> executions, points, cut_off;
    } of[kMaxJobs];
  };
  Shared* shared_;
  const unsigned count_;
  unsigned index_ = 0;
  std::vector<pid_t> others_;
};

}  // namespace sched::program

#endif  // LASTPUT_SCHED_RUN_JOBS_H_
