// SPDX-License-Identifier: Apache-2.0
#include "stress/adversity.h"

#include <sched.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstring>

#include "stress/abort_points.h"

namespace stress {
namespace {

using std::chrono::microseconds;

constexpr unsigned kMostPause_us = 4000;  // between two troubles
constexpr unsigned kMostStutter_us = 3000;
constexpr unsigned kMostSignals = 40;     // of a burst
constexpr unsigned kMostBetween_us = 60;  // two of them
constexpr unsigned kMostArms = 60;        // breakpoints of a burst
constexpr unsigned kMostStall_us = 4000;
constexpr int kLowestNice = 10;

// trouble | how often, of 64
constexpr unsigned kWeights[kTroubles] = {8, 2, 4, 16, 20, 8, 6};

void sleep_us(unsigned us) {
  std::this_thread::sleep_for(microseconds(us));
}

}  // namespace

const char* trouble_name(unsigned trouble) {
  static constexpr const char* kNames[kTroubles] = {
      "shuffles", "stutters", "priorities", "signals", "breakpoints", "stalls", "new threads"};
  return kNames[trouble];
}

int trouble_signal() {
  return SIGRTMIN + 3;
}

Adversity::Adversity(uint64_t seed, Ring& ring, std::array<Seat, kMaxWorkers>& seats,
                     unsigned workers)
    : random_(seed), ring_(ring), seats_(seats), workers_(workers) {}

void Adversity::start() {
  thread_ = std::thread([this] { run(); });
}

void Adversity::stop() {
  stopping_.store(true, std::memory_order_relaxed);
  if (thread_.joinable()) thread_.join();
}

std::vector<std::string> Adversity::obstacles() const {
  std::vector<std::string> all;
  for (const std::string& words : left_out_)
    if (!words.empty() && std::find(all.begin(), all.end(), words) == all.end())
      all.push_back(words);
  return all;
}

void Adversity::run() {
  while (!stopping_.load(std::memory_order_relaxed)) {
    sleep_us(random_.below(kMostPause_us));
    if (!active_.load(std::memory_order_relaxed)) continue;
    unsigned dice = random_.below(64);
    unsigned trouble = 0;
    while (dice >= kWeights[trouble]) dice -= kWeights[trouble++];
    if (left_out_[trouble].empty()) make(static_cast<Trouble>(trouble));
  }
}

void Adversity::leave_out(Trouble trouble, const char* what, int error) {
  left_out_[static_cast<size_t>(trouble)] = std::string(what) + ": " + std::strerror(error);
}

void Adversity::make(Trouble trouble) {
  const auto index = static_cast<unsigned>(trouble);
  const unsigned worker = random_.below(workers_);
  const pid_t thread = seats_[worker].thread.load(std::memory_order_relaxed);
  if (thread == 0) return;
  // In the ring: kMigrate names any trouble, its number and the worker.
  ring_.begin(targets::OpCode::kMigrate, index, worker);
  counts_[index].add(1);
  switch (trouble) {
    case Trouble::kShuffle:
      return shuffle(thread);
    case Trouble::kStutter:
      stutter_.store(true, std::memory_order_relaxed);
      sleep_us(random_.below(kMostStutter_us));
      return stutter_.store(false, std::memory_order_relaxed);
    case Trouble::kPriority:
      return change_priority(thread);
    case Trouble::kSignals:
      return send_signals();
    case Trouble::kAborts:
      return force_aborts(thread);
    case Trouble::kStall:
      if (may_go_on(trouble, arm_stall(thread, random_))) sleep_us(random_.below(kMostStall_us));
      return disarm_stall();
    case Trouble::kReplace:
      return seats_[worker].replace.store(true, std::memory_order_relaxed);
  }
}

// Whether a breakpoint was set; if none ever can be, the trouble is left out.
bool Adversity::may_go_on(Trouble trouble, int error) {
  if (error == ENOENT)
    left_out_[static_cast<size_t>(trouble)] = "restartable sections in this program";
  if (error != 0 && error != ENOENT && error != ESRCH)
    leave_out(trouble, "breakpoints in the sections", error);
  return error == 0;
}

void Adversity::force_aborts(pid_t thread) {
  const unsigned arms = 1 + random_.below(kMostArms);
  for (unsigned i = 0; i < arms && active_.load(std::memory_order_relaxed); ++i) {
    if (!may_go_on(Trouble::kAborts, arm_abort_point(thread, random_))) return;
    sleep_us(random_.below(kMostBetween_us));
  }
}

void Adversity::shuffle(pid_t thread) {
  cpu_set_t allowed;
  CPU_ZERO(&allowed);
  if (sched_getaffinity(getpid(), sizeof allowed, &allowed) != 0)
    return leave_out(Trouble::kShuffle, "affinity", errno);
  cpu_set_t some;
  CPU_ZERO(&some);
  bool any = false;
  for (int cpu = 0; cpu < CPU_SETSIZE; ++cpu) {
    if (!CPU_ISSET(cpu, &allowed) || random_.one_in(2)) continue;
    CPU_SET(cpu, &some);
    any = true;
  }
  if (sched_setaffinity(thread, sizeof some, any ? &some : &allowed) != 0 && errno != ESRCH)
    leave_out(Trouble::kShuffle, "affinity", errno);
}

void Adversity::change_priority(pid_t thread) {
  // Without the right to lower a nice value it only goes up, until the thread is replaced.
  const int nice = static_cast<int>(random_.below(can_lower_ ? kLowestNice : 3));
  if (setpriority(PRIO_PROCESS, static_cast<id_t>(thread), nice) == 0 || errno == ESRCH) return;
  if (can_lower_ && (errno == EACCES || errno == EPERM)) {
    can_lower_ = false;
    return;
  }
  leave_out(Trouble::kPriority, "priorities", errno);
}

void Adversity::send_signals() {
  const unsigned signals = 1 + random_.below(kMostSignals);
  for (unsigned i = 0; i < signals && active_.load(std::memory_order_relaxed); ++i) {
    const pid_t thread = seats_[random_.below(workers_)].thread.load(std::memory_order_relaxed);
    // The thread may have ended; its number is not used again so soon.
    if (thread != 0 && syscall(SYS_tgkill, getpid(), thread, trouble_signal()) == 0)
      count(Stat::kSignals);
    sleep_us(random_.below(kMostBetween_us));
  }
}

}  // namespace stress
