// SPDX-License-Identifier: Apache-2.0
#include "sched/signals.h"

#include <signal.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstdio>
#include <string>

#include "sched/engine.h"
#include "sched/fatal.h"
#include "sched/recorder.h"

namespace sched {
namespace {

constexpr size_t kAlternateStackBytes = 64u << 10;
constexpr int kFatal[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT, SIGTRAP};
struct sigaction previous[65];

const char* name_of(int signal) {
  switch (signal) {
    case SIGSEGV:
      return "SIGSEGV (invalid memory access)";
    case SIGBUS:
      return "SIGBUS";
    case SIGILL:
      return "SIGILL";
    case SIGFPE:
      return "SIGFPE (integer division)";
    case SIGABRT:
      return "abort() or a failed assertion";
    default:
      return "SIGTRAP (a compiler's trap)";
  }
}

void hand_on(int signal, siginfo_t* info, void* context) {
  const struct sigaction& old = previous[signal];
  if (old.sa_handler == SIG_IGN) return;
  if (old.sa_handler == SIG_DFL) {
    sigaction(signal, &old, nullptr);
    raise(signal);
    return;
  }
  if (old.sa_flags & SA_SIGINFO)
    old.sa_sigaction(signal, info, context);
  else
    old.sa_handler(signal);
}

void on_fatal(int signal, siginfo_t* info, void* context) {
  if (!here()) return hand_on(signal, info, context);
  g.active = false;
  auto* u = static_cast<ucontext_t*>(context);
  auto pc = static_cast<uintptr_t>(u->uc_mcontext.gregs[REG_RIP]);
  auto frame = static_cast<uintptr_t>(u->uc_mcontext.gregs[REG_RBP]);
  auto address = reinterpret_cast<uintptr_t>(info->si_addr);
  bool overflow = (signal == SIGSEGV || signal == SIGBUS) && in_stack_guard(g.current, address);
  const bool raised = info->si_code <= 0;  // by the C library, whose frames keep no frame pointer
  g.failure.stacks.push_back({std::string("crashed in ") + g.self->name, {pc}});
  if (raised)
    g.failure.stacks.back().pcs = unwind_stack();
  else if (!overflow)
    for (uintptr_t p : capture_stack(reinterpret_cast<void*>(frame)))
      g.failure.stacks.back().pcs.push_back(p);
  std::string message =
      overflow ? kStackOverflowMessage : std::string("crashed with ") + name_of(signal);
  if (!overflow && (signal == SIGSEGV || signal == SIGBUS))
    message += address < 4096 ? " near null" : " at " + describe_address(address);
  // The handler's frame is left for good; its signal must not stay blocked.
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, signal);
  pthread_sigmask(SIG_UNBLOCK, &set, nullptr);
  fail_composed(overflow ? FailureKind::kStackOverflow : FailureKind::kCrash, "G8",
                std::move(message));
}

void on_alarm(int signal, siginfo_t* info, void* context) {
  uint64_t mine = read_thread_pointer();
  bool on_fiber = here();
  if (on_fiber) set_thread_pointer(host_fiber().thread_pointer);
  hand_on(signal, info, context);
  if (on_fiber) set_thread_pointer(mine);
}

void take(int signal, void (*handler)(int, siginfo_t*, void*), int flags) {
  struct sigaction a = {};
  a.sa_sigaction = handler;
  a.sa_flags = SA_SIGINFO | flags;
  sigaction(signal, &a, &previous[signal]);
}

// An overflowed fiber has no stack left for a handler.
void take_alternate_stack() {
  stack_t alternate = {};
  alternate.ss_size = kAlternateStackBytes;
  alternate.ss_sp =
      mmap(nullptr, alternate.ss_size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  SCHED_CHECK(alternate.ss_sp != MAP_FAILED, "no memory for the signal stack");
  sigaltstack(&alternate, nullptr);
}
}  // namespace

void signals_setup_donor() {
  take_alternate_stack();
  sigset_t others;
  sigfillset(&others);
  for (int signal : kFatal) sigdelset(&others, signal);
  pthread_sigmask(SIG_BLOCK, &others, nullptr);
}

void signals_setup() {
  static bool done;
  if (done) return;
  done = true;
  take_alternate_stack();
  for (int signal : kFatal) take(signal, on_fatal, SA_ONSTACK | SA_NODEFER);
  struct sigaction alarm = {};
  sigaction(SIGALRM, nullptr, &alarm);
  if (alarm.sa_handler != SIG_DFL) take(SIGALRM, on_alarm, SA_ONSTACK | SA_RESTART);
}

}  // namespace sched
