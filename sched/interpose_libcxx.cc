// SPDX-License-Identifier: Apache-2.0
// Atomic wait and notify of libc++ (libcxx.h). Its own wait in the kernel for two seconds at a time, so
// that a deadlock would never be one; and they count waiters in a table of the library, which an
// execution that is abandoned would leave as it is.
#include <dlfcn.h>
#include <errno.h>
#include <sched.h>

#include <cstdint>

#include "sched/engine.h"
#include "sched/exploration.h"
#include "sched/libcxx.h"
#include "sched/memory.h"
#include "sched/recorder.h"

namespace sched {
namespace {

#define SCHED_PC() reinterpret_cast<uintptr_t>(__builtin_return_address(0))

// An atomic object that is waited for.
Loc* waitable_at(const volatile void* p, unsigned size) {
  const auto address = reinterpret_cast<uintptr_t>(p);
  Cell* cell = cell_of(address);
  check_heap(cell, address, size, false);
  if (g.exploring) {
    explore_touch(queue_of(const_cast<const void*>(p)), true);
    explore_touch(address, false);
  }
  return loc_of(cell, address, size);
}

void trace(StepKind kind, const volatile void* p, Loc* loc, uint64_t value, uintptr_t pc) {
  hash_step(kind, loc, value);
  if (g.recording) record_step(kind, reinterpret_cast<uintptr_t>(p), 0, -1, 0, value, pc);
}

// Blocks the caller, which found nothing to go on in the latest store that it has seen.
void wait_at(const volatile void* p, Loc* loc, WaitFor what, uintptr_t pc) {
  if (!latest_is_seen(loc)) return;
  trace(StepKind::kWait, p, loc, 0, pc);
  g.self->futex_bits = ~0u;  // any notification wakes it
  block(what, const_cast<const void*>(p), false, 0);
}

void wake_at(const volatile void* p, unsigned size, uint32_t count, uintptr_t pc) {
  point_before(p, true);
  Loc* loc = waitable_at(p, size);
  ++loc->notifications;
  trace(StepKind::kWake, p, loc, wake(const_cast<const void*>(p), count), pc);
}

}  // namespace

void wait_for_once(const volatile unsigned long* flag) {
  if (!here()) {
    sched_yield();
    return;
  }
  point_before(flag, true);
  wait_at(flag, waitable_at(flag, sizeof *flag), WaitFor::kOnce, SCHED_PC());
}

void end_once(const volatile unsigned long* flag) {
  if (here()) wake_at(flag, sizeof *flag, kMaxThreads, SCHED_PC());
}

}  // namespace sched

using namespace sched;

// The link asks for this name, so that these definitions are there for the library.
extern "C" const char sched_interpose_libcxx;
const char sched_interpose_libcxx = 1;

#define SCHED_EXPORT extern "C" __attribute__((visibility("default")))

// There are two forms of each: of any atomic object; and of one of 32 bits, where the kernel would wait
// for the value itself, so that `monitored` is not the count of notifications but what was read.
#define SCHED_ANY(name, length) "_ZNSt3__1" #length #name "EPVKv"
#define SCHED_INT(name, length) \
  "_ZNSt3__1" #length #name "EPVKNS_17__cxx_atomic_implIiNS_22__cxx_atomic_base_implIiEEEE"

// MEMBER(ret, function, its name in libc++, parameters, arguments): declares sched_FUNCTION as that, and
// real_FUNCTION as the library's own, or null in a program without it.
#define SCHED_LIBCXX(ret, function, symbol, parameters)                              \
  static ret(*real_##function) parameters;                                           \
  [[gnu::constructor(101)]] static void resolve_##function() {                       \
    real_##function = reinterpret_cast<ret(*) parameters>(dlsym(RTLD_NEXT, symbol)); \
  }                                                                                  \
  SCHED_EXPORT ret sched_##function parameters __asm__(symbol);                      \
  ret sched_##function parameters

SCHED_LIBCXX(int32_t, monitor_any, SCHED_ANY(__libcpp_atomic_monitor, 23),
             (const volatile void* p)) {
  if (!here()) return real_monitor_any(p);
  point_before(p, false);
  return static_cast<int32_t>(waitable_at(p, 1)->notifications);
}

SCHED_LIBCXX(void, wait_any, SCHED_ANY(__libcpp_atomic_wait, 20) "i",
             (const volatile void* p, int32_t monitored)) {
  if (!here()) return real_wait_any(p, monitored);
  point_before(p, true);
  Loc* loc = waitable_at(p, 1);
  if (static_cast<int32_t>(loc->notifications) == monitored)
    wait_at(p, loc, WaitFor::kFutex, SCHED_PC());
}

SCHED_LIBCXX(void, notify_one_any, SCHED_ANY(__cxx_atomic_notify_one, 23),
             (const volatile void* p)) {
  if (!here()) return real_notify_one_any(p);
  wake_at(p, 1, 1, SCHED_PC());
}

SCHED_LIBCXX(void, notify_all_any, SCHED_ANY(__cxx_atomic_notify_all, 23),
             (const volatile void* p)) {
  if (!here()) return real_notify_all_any(p);
  wake_at(p, 1, kMaxThreads, SCHED_PC());
}

SCHED_LIBCXX(int32_t, monitor_int, SCHED_INT(__libcpp_atomic_monitor, 23),
             (const volatile int32_t* p)) {
  if (!here()) return real_monitor_int(p);
  point_before(p, false);
  return *p;
}

SCHED_LIBCXX(void, wait_int, SCHED_INT(__libcpp_atomic_wait, 20) "i",
             (const volatile int32_t* p, int32_t monitored)) {
  if (!here()) return real_wait_int(p, monitored);
  point_before(p, true);
  if (*p == monitored) wait_at(p, waitable_at(p, 4), WaitFor::kFutex, SCHED_PC());
}

SCHED_LIBCXX(void, notify_one_int, SCHED_INT(__cxx_atomic_notify_one, 23),
             (const volatile int32_t* p)) {
  if (!here()) return real_notify_one_int(p);
  wake_at(p, 4, 1, SCHED_PC());
}

SCHED_LIBCXX(void, notify_all_int, SCHED_INT(__cxx_atomic_notify_all, 23),
             (const volatile int32_t* p)) {
  if (!here()) return real_notify_all_int(p);
  wake_at(p, 4, kMaxThreads, SCHED_PC());
}

// Before the first execution, which would otherwise take another course than later ones.
extern "C" [[gnu::weak]] void* sched_libcxx_thread_data() __asm__(
    "_ZNSt3__119__thread_local_dataEv");
[[gnu::constructor(102)]] static void make_thread_data_key() {
  if (sched_libcxx_thread_data != nullptr) sched_libcxx_thread_data();
}
