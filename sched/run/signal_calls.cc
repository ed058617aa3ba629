// SPDX-License-Identifier: Apache-2.0
// Signals that the program sends itself, and handlers that it sets, in an execution:
//
//   call                               what happens
//   ---------------------------------  ---------------------------------------------------------------
//   raise(), kill() of itself          to a signal with a handler of the program: that runs. To one that
//                                        would end the process: a failure. Else nothing
//   signal(), sigaction() of a crash   remembered by nobody: crashes stay verdicts
//   the same of other signals          the real thing, and not undone
//   alarm(), setitimer()               nothing: real time passes at another pace than the program's
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>

#include <string>

#include "sched/engine.h"
#include "sched/recorder.h"
#include "sched/run/real_function.h"

namespace sched::program {
namespace {

bool means_crash(int signal) {
  switch (signal) {
    case SIGSEGV:
    case SIGBUS:
    case SIGILL:
    case SIGFPE:
    case SIGABRT:
    case SIGTRAP:
      return true;
    default:
      return false;
  }
}

bool ignored_by_default(int signal) {
  return signal == SIGCHLD || signal == SIGCONT || signal == SIGURG || signal == SIGWINCH;
}

// Set by the program since it started. SIGINT and SIGTERM have handlers of ours.
bool handled[65];

// Ends the execution if the signal would end the process.
void consider(int signal) {
  if (signal <= 0 || signal > 64 || handled[signal] || means_crash(signal) ||
      ignored_by_default(signal))
    return;
  g.active = false;
  g.failure.stacks.push_back({std::string("failed in ") + g.self->name, unwind_stack()});
  fail_composed(FailureKind::kCrash, "",
                std::string("ended itself by signal ") + std::to_string(signal) + " (" +
                    strsignal(signal) + ")");
}

void note_handler(int signal, bool is_default) {
  if (here() && signal > 0 && signal <= 64) handled[signal] = !is_default;
}

SCHED_RUN_REAL(int, raise, (int signal), (signal))
SCHED_RUN_REAL(int, kill, (pid_t pid, int signal), (pid, signal))
SCHED_RUN_REAL(int, sigaction, (int signal, const struct sigaction* act, struct sigaction* old),
               (signal, act, old))
SCHED_RUN_REAL(sighandler_t, signal, (int signal, sighandler_t handler), (signal, handler))
SCHED_RUN_REAL(unsigned, alarm, (unsigned seconds), (seconds))
SCHED_RUN_REAL(int, setitimer, (__itimer_which_t which, const itimerval* to, itimerval* old),
               (which, to, old))

}  // namespace
}  // namespace sched::program

using namespace sched;
using namespace sched::program;

SCHED_RUN_EXPORT int raise(int signal) {
  if (here()) consider(signal);
  return real_raise(signal);
}

SCHED_RUN_EXPORT int kill(pid_t pid, int signal) {
  if (here() && pid == getpid()) consider(signal);
  return real_kill(pid, signal);
}

SCHED_RUN_EXPORT int sigaction(int signal, const struct sigaction* act, struct sigaction* old) {
  if (here() && means_crash(signal)) {
    if (old != nullptr) *old = {};
    return 0;
  }
  if (act != nullptr) note_handler(signal, act->sa_handler == SIG_DFL);
  return real_sigaction(signal, act, old);
}

SCHED_RUN_EXPORT sighandler_t signal(int signal, sighandler_t handler) {
  if (here() && means_crash(signal)) return SIG_DFL;
  note_handler(signal, handler == SIG_DFL);
  return real_signal(signal, handler);
}

SCHED_RUN_EXPORT unsigned alarm(unsigned seconds) {
  return here() ? 0 : real_alarm(seconds);
}

SCHED_RUN_EXPORT int setitimer(__itimer_which_t which, const itimerval* to, itimerval* old) {
  if (!here()) return real_setitimer(which, to, old);
  if (old != nullptr) *old = {};
  return 0;
}
