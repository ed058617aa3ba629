// SPDX-License-Identifier: Apache-2.0
#include "sched/run/jobs.h"

#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>

#include "sched/fatal.h"
#include "sched/run/search.h"

namespace sched::program {

constexpr auto kRelaxed = std::memory_order_relaxed;

Jobs::Jobs(unsigned count) : count_(count) {
  void* p =
      mmap(nullptr, sizeof(Shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  SCHED_CHECK(p != MAP_FAILED, "no memory for what the jobs share");
  shared_ = static_cast<Shared*>(p);  // zero is its first state
  const pid_t first = getpid();
  for (unsigned i = 1; i < count; ++i) {
    const pid_t pid = fork();
    SCHED_CHECK(pid >= 0, "cannot start another job");
    if (pid != 0) {
      others_.push_back(pid);
      continue;
    }
    index_ = i;
    others_.clear();
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != first) _exit(kBroken);
    return;
  }
}

void Jobs::publish(const Counts& own) {
  auto& mine = shared_->of[index_];
  mine.executions.store(own.executions, kRelaxed);
  mine.points.store(own.points, kRelaxed);
  mine.cut_off.store(own.cut_off, kRelaxed);
}

Counts Jobs::sum() const {
  Counts all;
  for (unsigned i = 0; i < count_; ++i) {
    all.executions += shared_->of[i].executions.load(kRelaxed);
    all.points += shared_->of[i].points.load(kRelaxed);
    all.cut_off += shared_->of[i].cut_off.load(kRelaxed);
  }
  return all;
}

bool Jobs::claim() {
  return !shared_->claimed.exchange(true, kRelaxed);
}

bool Jobs::over() const {
  return shared_->claimed.load(kRelaxed);
}

int Jobs::wait(int otherwise) {
  int code = otherwise;
  for (const pid_t pid : others_) {
    int status = 0;
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {
    }
    const int theirs = WIFEXITED(status) ? WEXITSTATUS(status) : kBroken;
    if (code == kClean) code = theirs;
  }
  return code;
}

}  // namespace sched::program
