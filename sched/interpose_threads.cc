// SPDX-License-Identifier: Apache-2.0
// pthreads, futexes, static guards and time, as logical threads see them. Each function first asks
// whether its caller is one; everybody else gets the real thing.
#include <errno.h>
#include <linux/futex.h>
#include <pthread.h>
#include <sched.h>
#include <stdarg.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include "sched/engine.h"
#include "sched/journal.h"
#include "sched/real.h"
#include "sched/recorder.h"

namespace sched {
namespace {

#define SCHED_PC() reinterpret_cast<uintptr_t>(__builtin_return_address(0))

constexpr uint64_t kSecond = 1'000'000'000;
// What the clocks showed when the execution began: any fixed day will do.
constexpr uint64_t kEpochNs = 1'700'000'000 * kSecond;

uint64_t to_ns(const timespec& t) {
  return static_cast<uint64_t>(t.tv_sec) * kSecond + static_cast<uint64_t>(t.tv_nsec);
}
timespec from_ns(uint64_t ns) {
  timespec t;
  t.tv_sec = static_cast<time_t>(ns / kSecond);
  t.tv_nsec = static_cast<long>(ns % kSecond);
  return t;
}
// Absolute time of any clock to time since the execution began.
uint64_t deadline_of(const timespec* t) {
  uint64_t ns = to_ns(*t);
  return ns > kEpochNs ? ns - kEpochNs : 0;
}

// The synchronisation state of the object at `p`; checks that its memory is live.
Loc* sync_at(const volatile void* p, unsigned size, bool writes) {
  auto address = reinterpret_cast<uintptr_t>(p);
  Cell* cell = cell_of(address);
  check_heap(cell, address, size, writes);
  return loc_of(cell, address, size);
}

void trace(StepKind kind, const volatile void* p, Loc* loc, uint64_t value, uintptr_t pc) {
  hash_step(kind, loc, value);
  if (g.recording) record_step(kind, reinterpret_cast<uintptr_t>(p), 0, -1, 0, value, pc);
}

// --- Mutexes
// --------------------------------------------------------------------------------------------

int kind_of(const pthread_mutex_t* m) {
  return m->__data.__kind & 3;
}

int lock_mutex(pthread_mutex_t* m, bool timed, uint64_t deadline, uintptr_t pc) {
  Loc* loc = sync_at(m, 8, true);
  if (loc->owner == static_cast<int>(g.current)) {
    if (kind_of(m) == PTHREAD_MUTEX_RECURSIVE) {
      ++loc->count;
      return 0;
    }
    if (kind_of(m) == PTHREAD_MUTEX_ERRORCHECK) return EDEADLK;
    fail_execution(FailureKind::kLockMisuse, "G9", "a thread locks a mutex that it already holds");
  }
  while (loc->owner >= 0) {
    if (block(WaitFor::kLock, m, timed, deadline)) return ETIMEDOUT;
    loc = sync_at(m, 8, true);
  }
  loc->owner = static_cast<int8_t>(g.current);
  loc->count = 1;
  acquire(loc->release);
  trace(StepKind::kLock, m, loc, 0, pc);
  return 0;
}

int unlock_mutex(pthread_mutex_t* m, uintptr_t pc) {
  Loc* loc = sync_at(m, 8, true);
  if (loc->owner != static_cast<int>(g.current)) {
    if (kind_of(m) == PTHREAD_MUTEX_ERRORCHECK) return EPERM;
    fail_execution(FailureKind::kLockMisuse, "G9",
                   "a thread unlocks a mutex that it does not hold");
  }
  if (--loc->count != 0) return 0;
  loc->owner = -1;
  release(loc->release);
  trace(StepKind::kUnlock, m, loc, 0, pc);
  wake(m, kMaxThreads);
  return 0;
}

int wait_condition(pthread_cond_t* c, pthread_mutex_t* m, bool timed, uint64_t deadline,
                   uintptr_t pc) {
  point();
  Loc* loc = sync_at(c, 8, true);
  trace(StepKind::kWait, c, loc, 0, pc);
  if (int rc = unlock_mutex(m, pc); rc != 0) return rc;
  bool timed_out = block(WaitFor::kCondition, c, timed, deadline);
  if (int rc = lock_mutex(m, false, 0, pc); rc != 0) return rc;
  return timed_out ? ETIMEDOUT : 0;
}

int signal_condition(pthread_cond_t* c, uint32_t count, uintptr_t pc) {
  point();
  Loc* loc = sync_at(c, 8, true);
  trace(StepKind::kWake, c, loc, wake(c, count), pc);
  return 0;
}

// --- Once and static guards
// -----------------------------------------------------------------------------

constexpr uint32_t kRunning = 1, kFinished = 2;

// True if the caller shall run the initialiser; false when it has been run.
bool once_begin(void* object, Loc* loc, bool done) {
  while (!done && loc->count == kRunning) {
    block(WaitFor::kLock, object, false, 0);
    loc = sync_at(object, 1, true);
    done = loc->count == kFinished;
  }
  if (done || loc->count == kFinished) {
    acquire(loc->release);
    return false;
  }
  loc->count = kRunning;
  acquire(loc->release);  // of one who tried before, and threw
  return true;
}

void once_end(void* object, uint32_t state) {
  Loc* loc = sync_at(object, 1, true);
  loc->count = state;
  release(loc->release);
  wake(object, kMaxThreads);
}

// --- Futex
// ----------------------------------------------------------------------------------------------

long futex(int* word, int op, int value, const timespec* timeout, uintptr_t pc) {
  int command = op & FUTEX_CMD_MASK;
  if (command == FUTEX_WAKE || command == FUTEX_WAKE_BITSET) {
    point();
    Loc* loc = sync_at(word, 4, false);
    uint32_t n = wake(word, value < 0 ? kMaxThreads : static_cast<uint32_t>(value));
    trace(StepKind::kWake, word, loc, n, pc);
    return n;
  }
  if (command != FUTEX_WAIT && command != FUTEX_WAIT_BITSET)
    fail_execution(FailureKind::kLimit, "", "a futex operation that the engine does not control");
  point();
  Loc* loc = sync_at(word, 4, false);
  if (*static_cast<volatile int*>(word) != value) {
    errno = EAGAIN;
    return -1;
  }
  uint64_t deadline = 0;
  if (timeout != nullptr)
    deadline = command == FUTEX_WAIT ? g.now_ns + to_ns(*timeout) : deadline_of(timeout);
  trace(StepKind::kWait, word, loc, 0, pc);
  if (block(WaitFor::kFutex, word, timeout != nullptr, deadline)) {
    errno = ETIMEDOUT;
    return -1;
  }
  return 0;
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

void sleep_until(uint64_t deadline) {
  point();
  mix_hash(0x51ee9);
  if (g.recording) record_step(StepKind::kSleep, 0, 0, -1, 0, deadline, 0);
  block(WaitFor::kTime, g.self, true, deadline);
}

}  // namespace
}  // namespace sched

using namespace sched;

// The link asks for this name, so that these definitions are taken before a sanitizer's weak ones.
extern "C" const char sched_interpose_threads;
const char sched_interpose_threads = 1;

#define SCHED_EXPORT extern "C" __attribute__((visibility("default")))

// --- Threads
// --------------------------------------------------------------------------------------------

SCHED_EXPORT int pthread_create(pthread_t* out, const pthread_attr_t* attr,
                                void* (*function)(void*), void* argument) {
  if (!here()) return real().pthread_create(out, attr, function, argument);
  int detached = PTHREAD_CREATE_JOINABLE;
  if (attr != nullptr) pthread_attr_getdetachstate(attr, &detached);
  uint32_t i = start_thread(function, argument);
  g.threads[i].detached = detached == PTHREAD_CREATE_DETACHED;
  *out = fiber(i).donor;
  mix_hash(0xc4ea7e + i);
  if (g.recording) {
    record_step(StepKind::kCreate, 0, 0, -1, 0, i, SCHED_PC());
  }
  point();
  return 0;
}

SCHED_EXPORT int pthread_join(pthread_t donor, void** result) {
  if (!here()) return real().pthread_join(donor, result);
  uint32_t i = thread_of(donor);
  if (i == kMaxThreads || i == g.current) return i == g.current ? EDEADLK : ESRCH;
  Thread& t = g.threads[i];
  point();
  while (t.state != State::kDone) block(WaitFor::kThread, &t, false, 0);
  if (t.joined || t.detached) return EINVAL;
  t.joined = true;
  g.self->clock.join(t.clock);
  mix_hash(0x701 + i);
  if (g.recording) record_step(StepKind::kJoin, 0, 0, -1, 0, i, SCHED_PC());
  if (result != nullptr) *result = t.result;
  return 0;
}

SCHED_EXPORT int pthread_detach(pthread_t donor) {
  if (!here()) return real().pthread_detach(donor);
  uint32_t i = thread_of(donor);
  if (i == kMaxThreads) return ESRCH;
  g.threads[i].detached = true;
  return 0;
}

SCHED_EXPORT int pthread_setname_np(pthread_t donor, const char* name) {
  if (!here()) return real().pthread_setname_np(donor, name);
  return 0;  // names in reports are the engine's, so that a schedule can refer to them
}

SCHED_EXPORT int __cxa_thread_atexit_impl(void (*function)(void*), void* object, void* dso) {
  if (!here()) return real().cxa_thread_atexit_impl(function, object, dso);
  Thread& t = *g.self;
  if (t.destructors == sizeof t.destructor / sizeof *t.destructor)
    fail_execution(FailureKind::kLimit, "", "more than 32 thread_local destructors in one thread");
  t.destructor[t.destructors++] = {function, object};
  return 0;
}

// --- Mutexes and condition variables
// ----------------------------------------------------------------------

SCHED_EXPORT int pthread_mutex_lock(pthread_mutex_t* m) {
  if (!here()) return real().pthread_mutex_lock(m);
  point();
  return lock_mutex(m, false, 0, SCHED_PC());
}

SCHED_EXPORT int pthread_mutex_timedlock(pthread_mutex_t* m, const timespec* t) {
  if (!here()) return real().pthread_mutex_timedlock(m, t);
  point();
  return lock_mutex(m, true, deadline_of(t), SCHED_PC());
}

SCHED_EXPORT int pthread_mutex_clocklock(pthread_mutex_t* m, clockid_t clock, const timespec* t) {
  if (!here()) return real().pthread_mutex_clocklock(m, clock, t);
  point();
  return lock_mutex(m, true, deadline_of(t), SCHED_PC());
}

SCHED_EXPORT int pthread_mutex_trylock(pthread_mutex_t* m) {
  if (!here()) return real().pthread_mutex_trylock(m);
  point();
  Loc* loc = sync_at(m, 8, true);
  bool mine = loc->owner == static_cast<int>(g.current);
  if (loc->owner >= 0 && !(mine && kind_of(m) == PTHREAD_MUTEX_RECURSIVE)) {
    trace(StepKind::kTryLock, m, loc, 0, SCHED_PC());
    return EBUSY;
  }
  return lock_mutex(m, false, 0, SCHED_PC());
}

SCHED_EXPORT int pthread_mutex_unlock(pthread_mutex_t* m) {
  if (!here()) return real().pthread_mutex_unlock(m);
  point();
  return unlock_mutex(m, SCHED_PC());
}

SCHED_EXPORT int pthread_cond_wait(pthread_cond_t* c, pthread_mutex_t* m) {
  if (!here()) return real().pthread_cond_wait(c, m);
  return wait_condition(c, m, false, 0, SCHED_PC());
}

SCHED_EXPORT int pthread_cond_timedwait(pthread_cond_t* c, pthread_mutex_t* m, const timespec* t) {
  if (!here()) return real().pthread_cond_timedwait(c, m, t);
  return wait_condition(c, m, true, deadline_of(t), SCHED_PC());
}

SCHED_EXPORT int pthread_cond_clockwait(pthread_cond_t* c, pthread_mutex_t* m, clockid_t clock,
                                        const timespec* t) {
  if (!here()) return real().pthread_cond_clockwait(c, m, clock, t);
  return wait_condition(c, m, true, deadline_of(t), SCHED_PC());
}

SCHED_EXPORT int pthread_cond_signal(pthread_cond_t* c) {
  if (!here()) return real().pthread_cond_signal(c);
  return signal_condition(c, 1, SCHED_PC());
}

SCHED_EXPORT int pthread_cond_broadcast(pthread_cond_t* c) {
  if (!here()) return real().pthread_cond_broadcast(c);
  return signal_condition(c, kMaxThreads, SCHED_PC());
}

// --- Once
// -------------------------------------------------------------------------------------------------

SCHED_EXPORT int pthread_once(pthread_once_t* once, void (*function)()) {
  if (!here()) return real().pthread_once(once, function);
  point();
  // glibc marks a finished once with bit 1 of the word; so do we, for callers outside.
  if (!once_begin(once, sync_at(once, 4, true), *once == 2)) return 0;
  try {
    function();
  } catch (...) {
    once_end(once, 0);
    throw;
  }
  journal_write(reinterpret_cast<uintptr_t>(once), sizeof *once);
  *once = 2;
  once_end(once, kFinished);
  return 0;
}

// Byte 0 of a guard says "initialised" (Itanium C++ ABI, 3.3.3); byte 1 is ours: somebody is at it.
SCHED_EXPORT int __cxa_guard_acquire(uint8_t* guard) {
  if (here()) {
    point();
    return once_begin(guard, sync_at(guard, 1, true), guard[0] != 0) ? 1 : 0;
  }
  if (__atomic_load_n(guard, __ATOMIC_ACQUIRE) != 0) return 0;
  while (__atomic_exchange_n(guard + 1, 1, __ATOMIC_ACQUIRE) != 0) usleep(50);
  if (__atomic_load_n(guard, __ATOMIC_ACQUIRE) == 0) return 1;
  __atomic_store_n(guard + 1, 0, __ATOMIC_RELEASE);
  return 0;
}

SCHED_EXPORT void __cxa_guard_release(uint8_t* guard) {
  if (here()) journal_write(reinterpret_cast<uintptr_t>(guard), 8);
  __atomic_store_n(guard, 1, __ATOMIC_RELEASE);
  __atomic_store_n(guard + 1, 0, __ATOMIC_RELEASE);
  if (here()) once_end(guard, kFinished);
}

SCHED_EXPORT void __cxa_guard_abort(uint8_t* guard) {
  __atomic_store_n(guard + 1, 0, __ATOMIC_RELEASE);
  if (here()) once_end(guard, 0);
}

// --- System calls, yields, time
// ---------------------------------------------------------------------------

SCHED_EXPORT long syscall(long number, ...) {
  va_list args;
  va_start(args, number);
  long a = va_arg(args, long), b = va_arg(args, long), c = va_arg(args, long),
       d = va_arg(args, long), e = va_arg(args, long), f = va_arg(args, long);
  va_end(args);
  if (number == SYS_futex && here())
    return futex(reinterpret_cast<int*>(a), static_cast<int>(b), static_cast<int>(c),
                 reinterpret_cast<const timespec*>(d), SCHED_PC());
  return raw_syscall(number, a, b, c, d, e, f);
}

SCHED_EXPORT int sched_yield() {
  if (!here()) return static_cast<int>(raw_syscall(SYS_sched_yield, 0, 0, 0, 0, 0, 0));
  mix_hash(0x41e1d);
  if (g.recording) record_step(StepKind::kYield, 0, 0, -1, 0, 0, SCHED_PC());
  yield();
  return 0;
}

SCHED_EXPORT int sched_getcpu() {
  if (here()) return static_cast<int>(g.current);
  unsigned cpu = 0;
  raw_syscall(SYS_getcpu, reinterpret_cast<long>(&cpu), 0, 0, 0, 0, 0);
  return static_cast<int>(cpu);
}

SCHED_EXPORT int clock_gettime(clockid_t clock, timespec* t) {
  if (!here()) return real().clock_gettime(clock, t);
  g.now_ns += 1000;
  *t = from_ns(kEpochNs + g.now_ns);
  return 0;
}

SCHED_EXPORT time_t time(time_t* out) {
  timespec t;
  clock_gettime(CLOCK_REALTIME, &t);
  if (out != nullptr) *out = t.tv_sec;
  return t.tv_sec;
}

SCHED_EXPORT int gettimeofday(timeval* __restrict tv, void* __restrict) {
  timespec t;
  clock_gettime(CLOCK_REALTIME, &t);
  tv->tv_sec = t.tv_sec;
  tv->tv_usec = t.tv_nsec / 1000;
  return 0;
}

SCHED_EXPORT int nanosleep(const timespec* t, timespec* left) {
  if (!here()) return real().nanosleep(t, left);
  sleep_until(g.now_ns + to_ns(*t));
  return 0;
}

SCHED_EXPORT int clock_nanosleep(clockid_t clock, int flags, const timespec* t, timespec* left) {
  if (!here()) return real().clock_nanosleep(clock, flags, t, left);
  sleep_until(flags == TIMER_ABSTIME ? deadline_of(t) : g.now_ns + to_ns(*t));
  return 0;
}

SCHED_EXPORT int usleep(useconds_t us) {
  timespec t = from_ns(uint64_t{us} * 1000);
  return nanosleep(&t, nullptr);
}

SCHED_EXPORT unsigned sleep(unsigned seconds) {
  timespec t = from_ns(seconds * kSecond);
  nanosleep(&t, nullptr);
  return 0;
}
