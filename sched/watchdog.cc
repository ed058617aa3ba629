// SPDX-License-Identifier: Apache-2.0
#include "sched/watchdog.h"

#include <signal.h>
#include <time.h>

#include <string>

#include "sched/engine.h"
#include "sched/fatal.h"
#include "sched/real.h"
#include "sched/recorder.h"

namespace sched {
namespace {

constexpr long kTickNs = 250'000'000;
constexpr double kSlowness = 10;  // of a recording execution

// Where the execution was when it last got on. Read and written by one OS thread only.
struct Mark {
  uint64_t execution, steps;
  double cpu, now;
} last;
uint64_t execution;
bool stalled;

double seconds(clockid_t clock) {
  timespec t;
  real().clock_gettime(clock, &t);
  return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_nsec) * 1e-9;
}

[[noreturn]] void fail_stalled(const ucontext_t* u, bool computes) {
  const auto pc = static_cast<uintptr_t>(u->uc_mcontext.gregs[REG_RIP]);
  auto* frame = reinterpret_cast<void*>(u->uc_mcontext.gregs[REG_RBP]);
  g.active = false;
  g.failure.stacks.push_back({std::string("no progress in ") + g.self->name, {pc}});
  for (uintptr_t p : capture_stack(frame)) g.failure.stacks.back().pcs.push_back(p);
  fail_composed(FailureKind::kNoProgress, "",
                std::string(g.self->name) +
                    (computes ? " loops, and does nothing that other threads could see"
                              : " waits in a call that the engine does not control"));
}

void on_tick(int signal, siginfo_t*, void* context) {
  if (!here()) return;
  const Mark at{execution, steps_so_far(), seconds(CLOCK_PROCESS_CPUTIME_ID),
                seconds(CLOCK_MONOTONIC)};
  if (at.execution != last.execution || at.steps != last.steps) {
    last = at;
    return;
  }
  const double slowness = g.recording ? kSlowness : 1;
  const bool computes = at.cpu - last.cpu >= kMostCpuSeconds * slowness;
  if (!computes && at.now - last.now < kMostRealSeconds * slowness) return;
  last = at;
  // The handler's frame is left for good; its signal must not stay blocked.
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, signal);
  pthread_sigmask(SIG_UNBLOCK, &set, nullptr);
  if (g.options.plain_points) fail_stalled(static_cast<ucontext_t*>(context), computes);
  stalled = true;
  end_execution(Verdict::kCutOff);
}

}  // namespace

void watchdog_setup() {
  const int signal = SIGRTMAX - 1;
  struct sigaction action = {};
  action.sa_sigaction = on_tick;
  action.sa_flags = SA_SIGINFO | SA_ONSTACK | SA_RESTART;
  sigaction(signal, &action, nullptr);
  sigevent event = {};
  event.sigev_notify = SIGEV_SIGNAL;
  event.sigev_signo = signal;
  timer_t timer;
  SCHED_CHECK(timer_create(CLOCK_MONOTONIC, &event, &timer) == 0, "timer_create failed");
  const itimerspec every = {{0, kTickNs}, {0, kTickNs}};
  timer_settime(timer, 0, &every, nullptr);
}

void watchdog_watch() {
  ++execution;
  stalled = false;
}

bool watchdog_stalled() {
  return stalled;
}

}  // namespace sched
