// SPDX-License-Identifier: Apache-2.0
// Threads: their begin, their end, and who waits for that.
#include <errno.h>
#include <pthread.h>

#include "sched/engine.h"
#include "sched/exploration.h"
#include "sched/interpose.h"
#include "sched/locks.h"
#include "sched/real.h"
#include "sched/recorder.h"
#include "sched/sync.h"

namespace sched {
namespace {

[[noreturn]] void fail_thread(const char* call, const char* of, const Thread& t) {
  g.active = false;
  fail_composed(FailureKind::kThreadMisuse, "G9", std::string(call) + " of " + of + ": " + t.name);
}

// The index of a thread that may be joined or detached, or kMaxThreads.
uint32_t joinable(pthread_t donor, const char* call) {
  const uint32_t i = thread_of(donor);
  if (i >= g.thread_count) return kMaxThreads;
  const Thread& t = g.threads[i];
  if (t.joined) fail_thread(call, "a thread that was joined", t);
  if (t.detached) fail_thread(call, "a thread that was detached", t);
  if (t.has_joiner) fail_thread(call, "a thread that another one joins", t);
  return i;
}

// 0, or ETIMEDOUT.
int await_end(Thread& t, const Deadline& deadline, uintptr_t pc) {
  t.has_joiner = true;
  bool timed_out = false;
  while (t.state != State::kDone && !timed_out)
    timed_out = wait_until(WaitFor::kThread, &t, deadline, pc);
  t.has_joiner = false;
  return t.state == State::kDone ? 0 : ETIMEDOUT;
}

void take_result(uint32_t i, void** result, uintptr_t pc) {
  Thread& t = g.threads[i];
  if (g.exploring) {
    explore_touch(kThreadSlots, false);
    explore_join(i);
  }
  t.joined = true;
  g.self->clock.join(t.clock);
  mix_hash(0x701 + i);
  if (g.recording) record_step(StepKind::kJoin, 0, 0, -1, 0, i, pc);
  if (result != nullptr) *result = t.result;
}

}  // namespace

int create_thread(pthread_t* out, bool detached, void* (*function)(void*), void* argument,
                  uintptr_t pc) {
  const uint32_t i = start_thread(function, argument);
  g.threads[i].detached = detached;
  *out = fiber(i).donor;
  mix_hash(0xc4ea7e + i);
  if (g.recording) record_step(StepKind::kCreate, 0, 0, -1, 0, i, pc);
  point();
  return 0;
}

int join_thread(pthread_t donor, void** result, const Deadline& deadline, uintptr_t pc) {
  const uint32_t i = joinable(donor, "join");
  if (i == kMaxThreads) return ESRCH;
  if (i == g.current) fail_thread("join", "the thread itself", *g.self);
  point_before(&g.threads[i], false);
  if (!deadline.valid) return EINVAL;
  if (int rc = await_end(g.threads[i], deadline, pc); rc != 0) return rc;
  take_result(i, result, pc);
  return 0;
}

int detach_thread(pthread_t donor) {
  const uint32_t i = joinable(donor, "detach");
  if (i == kMaxThreads) return ESRCH;
  if (g.exploring) explore_touch(kThreadSlots, false);
  g.threads[i].detached = true;
  return 0;
}

}  // namespace sched

using namespace sched;

// The link asks for this name; the files of the other interposers come with it.
extern "C" const char sched_interpose_c11, sched_interpose_condition, sched_interpose_exit,
    sched_interpose_machine, sched_interpose_mutex, sched_interpose_once, sched_interpose_rwlock,
    sched_interpose_semaphore, sched_interpose_time;
extern "C" const char* const sched_interpose_threads[];
const char* const sched_interpose_threads[] = {
    &sched_interpose_c11,     &sched_interpose_condition, &sched_interpose_exit,
    &sched_interpose_machine, &sched_interpose_mutex,     &sched_interpose_once,
    &sched_interpose_rwlock,  &sched_interpose_semaphore, &sched_interpose_time};

SCHED_EXPORT int pthread_create(pthread_t* out, const pthread_attr_t* attr,
                                void* (*function)(void*), void* argument) {
  if (!here()) return real().pthread_create(out, attr, function, argument);
  int detached = PTHREAD_CREATE_JOINABLE;
  if (attr != nullptr) pthread_attr_getdetachstate(attr, &detached);
  return create_thread(out, detached == PTHREAD_CREATE_DETACHED, function, argument, SCHED_PC());
}

#if SCHED_ASAN
// AddressSanitizer asks for the bounds of a stack on which something is thrown. What the C library allocates for the
// answer is no allocation of the program, and must not fail as one.
SCHED_EXPORT int pthread_getattr_np(pthread_t donor, pthread_attr_t* attr) {
  if (!here()) return real().pthread_getattr_np(donor, attr);
  const EngineOff off;
  return real().pthread_getattr_np(donor, attr);
}
#endif

SCHED_EXPORT int pthread_join(pthread_t donor, void** result) {
  if (!here()) return real().pthread_join(donor, result);
  return join_thread(donor, result, never(), SCHED_PC());
}

SCHED_EXPORT int pthread_timedjoin_np(pthread_t donor, void** result, const timespec* t) {
  if (!here()) return real().pthread_timedjoin_np(donor, result, t);
  const Deadline deadline = t == nullptr ? never() : deadline_at(CLOCK_REALTIME, t);
  return join_thread(donor, result, deadline, SCHED_PC());
}

SCHED_EXPORT int pthread_clockjoin_np(pthread_t donor, void** result, clockid_t clock,
                                      const timespec* t) {
  if (!here()) return real().pthread_clockjoin_np(donor, result, clock, t);
  if (clock != CLOCK_REALTIME && clock != CLOCK_MONOTONIC) return EINVAL;
  return join_thread(donor, result, t == nullptr ? never() : deadline_at(clock, t), SCHED_PC());
}

SCHED_EXPORT int pthread_tryjoin_np(pthread_t donor, void** result) {
  if (!here()) return real().pthread_tryjoin_np(donor, result);
  point();
  const uint32_t i = joinable(donor, "join");
  if (i == kMaxThreads) return ESRCH;
  if (g.exploring) explore_touch(queue_of(&g.threads[i]), false);
  if (g.threads[i].state != State::kDone) return EBUSY;
  take_result(i, result, SCHED_PC());
  return 0;
}

SCHED_EXPORT int pthread_detach(pthread_t donor) {
  return here() ? detach_thread(donor) : real().pthread_detach(donor);
}

// Names in reports are the engine's, so that a schedule can refer to them; these are the program's.
SCHED_EXPORT int pthread_setname_np(pthread_t donor, const char* name) {
  if (!here()) return real().pthread_setname_np(donor, name);
  const uint32_t i = thread_of(donor);
  if (i >= g.thread_count) return ESRCH;
  if (strlen(name) >= sizeof g.threads[i].library_name) return ERANGE;
  copy_name(g.threads[i].library_name, name);
  return 0;
}

SCHED_EXPORT int pthread_getname_np(pthread_t donor, char* name, size_t size) {
  if (!here()) return real().pthread_getname_np(donor, name, size);
  const uint32_t i = thread_of(donor);
  if (i >= g.thread_count) return ESRCH;
  const Thread& t = g.threads[i];
  const char* from = t.library_name[0] != 0 ? t.library_name : t.name;
  if (strlen(from) >= size) return ERANGE;
  strcpy(name, from);
  return 0;
}

SCHED_EXPORT int __cxa_thread_atexit_impl(void (*function)(void*), void* object, void* dso) {
  if (!here()) return real().cxa_thread_atexit_impl(function, object, dso);
  Thread& t = *g.self;
  if (t.destructors == sizeof t.destructor / sizeof *t.destructor)
    fail_execution(FailureKind::kLimit, "", "more than 32 thread_local destructors in one thread");
  t.destructor[t.destructors++] = {function, object};
  return 0;
}
