// SPDX-License-Identifier: Apache-2.0
// The machine as logical threads see it: the same everywhere. And futexes, by which programs call the
// kernel themselves.
#include <errno.h>
#include <linux/futex.h>
#include <sched.h>
#include <stdarg.h>
#include <sys/syscall.h>
#include <sys/sysinfo.h>
#include <unistd.h>

#include <cstring>

#include "sched/exploration.h"
#include "sched/interpose.h"
#include "sched/real.h"
#include "sched/recorder.h"
#include "sched/sync.h"
#include "sched/virtual_time.h"

namespace sched {
namespace {

// CPUs of the machine: few, so that what a program does for each of them stays small.
constexpr int kCpus = 4;

// --- Futex
// ----------------------------------------------------------------------------------------------

struct FutexCall {
  int* word;
  int op;
  int value;
  const timespec* timeout;
  uint32_t bits;
};

int futex_error(int error) {
  errno = error;
  return -1;
}

Deadline futex_deadline(const FutexCall& call) {
  if (call.timeout == nullptr) return never();
  if ((call.op & FUTEX_CMD_MASK) == FUTEX_WAIT) return deadline_after(call.timeout);
  const bool calendar = (call.op & FUTEX_CLOCK_REALTIME) != 0;
  return deadline_at(calendar ? CLOCK_REALTIME : CLOCK_MONOTONIC, call.timeout);
}

Loc* futex_at(int* word) {
  const auto address = reinterpret_cast<uintptr_t>(word);
  Cell* cell = cell_of(address);
  check_heap(cell, address, sizeof *word, false);
  return loc_of(cell, address, sizeof *word);
}

void trace_futex(StepKind step, const FutexCall& call, uint64_t value, uintptr_t pc) {
  hash_step(step, futex_at(call.word), value);
  if (g.recording) record_step(step, reinterpret_cast<uintptr_t>(call.word), 0, -1, 0, value, pc);
}

int futex_wait(const FutexCall& call, uintptr_t pc) {
  futex_at(call.word);
  if (g.exploring) explore_touch(object_at(call.word), false);
  if (*static_cast<volatile int*>(call.word) != call.value) return futex_error(EAGAIN);
  const Deadline deadline = futex_deadline(call);
  if (!deadline.valid) return futex_error(EINVAL);
  trace_futex(StepKind::kWait, call, 0, pc);
  g.self->futex_bits = call.bits;
  return wait_until(WaitFor::kFutex, call.word, deadline, pc) ? futex_error(ETIMEDOUT) : 0;
}

int futex_wake(const FutexCall& call, uintptr_t pc) {
  const uint32_t count = call.value < 0 ? kMaxThreads : static_cast<uint32_t>(call.value);
  const uint32_t woken = wake(call.word, count, call.bits);
  trace_futex(StepKind::kWake, call, woken, pc);
  return static_cast<int>(woken);
}

int futex(const FutexCall& call, uintptr_t pc) {
  point_before(call.word, true);
  const int command = call.op & FUTEX_CMD_MASK;
  const bool with_bits = command == FUTEX_WAIT_BITSET || command == FUTEX_WAKE_BITSET;
  if (with_bits && call.bits == 0) return futex_error(EINVAL);
  switch (command) {
    case FUTEX_WAIT:
    case FUTEX_WAIT_BITSET:
      return futex_wait(call, pc);
    case FUTEX_WAKE:
    case FUTEX_WAKE_BITSET:
      return futex_wake(call, pc);
    default:
      refuse("a futex operation other than FUTEX_WAIT, _WAKE, _WAIT_BITSET and _WAKE_BITSET",
             "use one of these");
  }
}

long raw_syscall(long number, long a, long b, long c, long d, long e, long f) {
  long r = number;
  register long r10 asm("r10") = d;
  register long r8 asm("r8") = e;
  register long r9 asm("r9") = f;
  asm volatile("syscall"
               : "+a"(r)
               : "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
               : "rcx", "r11", "memory");
  if (static_cast<unsigned long>(r) > -4096ul) {
    errno = static_cast<int>(-r);
    return -1;
  }
  return r;
}

int all_cpus(size_t bytes, cpu_set_t* set) {
  if (bytes < sizeof(unsigned long)) return EINVAL;
  memset(set, 0, bytes);
  for (int i = 0; i < kCpus; ++i) CPU_SET_S(i, bytes, set);
  return 0;
}

}  // namespace
}  // namespace sched

using namespace sched;

SCHED_INTERPOSERS(machine)

SCHED_EXPORT long syscall(long number, ...) {
  va_list args;
  va_start(args, number);
  long a = va_arg(args, long), b = va_arg(args, long), c = va_arg(args, long),
       d = va_arg(args, long), e = va_arg(args, long), f = va_arg(args, long);
  va_end(args);
  if (number != SYS_futex || !here()) return raw_syscall(number, a, b, c, d, e, f);
  const int command = static_cast<int>(b) & FUTEX_CMD_MASK;
  const bool with_bits = command == FUTEX_WAIT_BITSET || command == FUTEX_WAKE_BITSET;
  return futex({reinterpret_cast<int*>(a), static_cast<int>(b), static_cast<int>(c),
                reinterpret_cast<const timespec*>(d),
                with_bits ? static_cast<uint32_t>(f) : FUTEX_BITSET_MATCH_ANY},
               SCHED_PC());
}

SCHED_EXPORT int sched_yield() {
  if (!here()) return static_cast<int>(raw_syscall(SYS_sched_yield, 0, 0, 0, 0, 0, 0));
  mix_hash(0x41e1d);
  if (g.recording) record_step(StepKind::kYield, 0, 0, -1, 0, 0, SCHED_PC());
  yield();
  return 0;
}

// Another thread may be given the same pages, which are not what they were.
SCHED_EXPORT_WEAK int munmap(void* address, size_t bytes) {
  const auto from = reinterpret_cast<uintptr_t>(address);
  if (here()) shadow_forget_elsewhere(from, from + (bytes + 7));
  return static_cast<int>(
      raw_syscall(SYS_munmap, static_cast<long>(from), static_cast<long>(bytes), 0, 0, 0, 0));
}

// --- CPUs
// -----------------------------------------------------------------------------------------------

SCHED_EXPORT int sched_getcpu() {
  if (here()) return static_cast<int>(g.current % kCpus);
  unsigned cpu = 0;
  raw_syscall(SYS_getcpu, reinterpret_cast<long>(&cpu), 0, 0, 0, 0, 0);
  return static_cast<int>(cpu);
}

SCHED_EXPORT int sched_getaffinity(pid_t pid, size_t bytes, cpu_set_t* set) {
  if (!here()) return real().sched_getaffinity(pid, bytes, set);
  const int rc = all_cpus(bytes, set);
  return rc == 0 ? 0 : futex_error(rc);
}
SCHED_EXPORT int pthread_getaffinity_np(pthread_t t, size_t bytes, cpu_set_t* set) {
  return here() ? all_cpus(bytes, set) : real().pthread_getaffinity_np(t, bytes, set);
}
// Where a logical thread runs is the schedule's business alone.
SCHED_EXPORT int sched_setaffinity(pid_t pid, size_t bytes, const cpu_set_t* set) {
  return here() ? 0 : real().sched_setaffinity(pid, bytes, set);
}
SCHED_EXPORT int pthread_setaffinity_np(pthread_t t, size_t bytes, const cpu_set_t* set) {
  return here() ? 0 : real().pthread_setaffinity_np(t, bytes, set);
}

SCHED_EXPORT int get_nprocs() {
  return here() ? kCpus : real().get_nprocs();
}
SCHED_EXPORT int get_nprocs_conf() {
  return here() ? kCpus : real().get_nprocs_conf();
}
SCHED_EXPORT long sysconf(int name) {
  if (here() && (name == _SC_NPROCESSORS_ONLN || name == _SC_NPROCESSORS_CONF)) return kCpus;
  return real().sysconf(name);
}
