// SPDX-License-Identifier: Apache-2.0
// The engine's inside: logical threads, scheduling points, blocking, failing. Included by the parts
// that instrumented code calls into (tsan_abi.cc, interpose_*.cc); users include sched.h.
//
// Everything here runs on one OS thread, so nothing is atomic and nothing locks. Entry points first
// ask here(): is the caller the current logical thread of a running execution?
#ifndef LASTPUT_SCHED_ENGINE_H_
#define LASTPUT_SCHED_ENGINE_H_

#include <cstdint>
#include <cstring>
#include <string>

#include "sched/clock.h"
#include "sched/fiber.h"
#include "sched/sched.h"
#include "sched/shadow.h"
#include "sched/thread_set.h"

namespace sched {

enum class State : uint8_t { kUnused, kRunnable, kBlocked, kDone };
// What a blocked thread waits for. The key of block() is the object; a Thread for kThread.
enum class WaitFor : uint8_t {
  kNothing,
  kMutex,
  kSpin,
  kReading,
  kWriting,
  kOnce,
  kThread,
  kCondition,
  kFutex,
  kSemaphore,
  kBarrier,
  kTime,
};

// What a thread is about to do at a scheduling point: its operation on an object.
struct Intent {
  uintptr_t address = 0;  // 0: of nothing that others might use, or not known
  bool writes = false;
};

struct TlsDestructor {
  void (*function)(void*);
  void* object;
};

struct Thread {
  VectorClock clock;
  VectorClock acquire_fence;  // what relaxed loads saw, for the next acquire fence
  VectorClock release_fence;  // the clock at the last release fence, for the next relaxed stores
  bool has_acquire_fence, has_release_fence;
  State state;
  WaitFor wait_for;
  bool timed, timed_out;  // blocked with a deadline; woken by it
  bool joined, detached, has_joiner;
  bool serial;  // at a barrier: it returns PTHREAD_BARRIER_SERIAL_THREAD
  int cancel_state, cancel_type;
  void* cleanup;  // innermost pthread_cleanup_push of C code
  const void* wait_key;
  uint32_t futex_bits;
  uint64_t deadline_ns;
  void* (*function)(void*);
  void* argument;
  void* result;
  uint32_t op, choices_in_op;  // anchor of Choice
  uint32_t children;
  uint32_t cursor;  // into Engine::given[thread]
  uint32_t destructors;
  uintptr_t last_pc;
  Intent pending;  // as of the last point at which the strategy was asked
  char name[16];
  char library_name[16];  // as of pthread_setname_np
  TlsDestructor destructor[32];
};

struct Engine {
  // Hot: touched at every point.
  bool active;       // an execution runs
  bool slow_access;  // plain accesses need more than the race check
  bool recording;
  bool exploring;  // an exhaustive search asks and is told (exploration.h)
  bool observed;   // recording or exploring
  bool races;
  bool ordered;  // happens-before is followed: for races, or for the memory model
  uint32_t current;
  int64_t countdown;  // points until slow_point()
  uint64_t hash;
  Epoch epoch;  // of the current thread
  Thread* self;

  ThreadSet runnable;
  ThreadSet timed;  // blocked with a deadline
  uint32_t live;    // threads that have not ended
  uint32_t thread_count;
  uint64_t steps, interval;  // points accounted for; length of the running countdown
  uint64_t switches;
  uint64_t now_ns;  // virtual time since the execution began
  uint32_t looks;   // at a clock so far
  uint64_t random;
  uint64_t strategy_left;  // recording: points until the strategy's next preemption, 0 = never
  bool every_point;        // slow_point at each point
  bool fair;               // the step budget is spent: threads take turns
  uint32_t fair_cursor;    // whose turn came last
  uint64_t step_limit;     // points until the budget that counts now is spent
  bool explain_pass;       // a failure now is final
  size_t bytes_used;
  size_t choices_taken;  // of the given ones
  Clock base;            // the execution's first clock
  Options options;
  const char* next_name;  // set by name_next_thread
  char next_name_buffer[16];

  Failure failure;
  Recording recording_out;
  Thread threads[kMaxThreads];
};
extern Engine g;

// Library calls are real ones meanwhile.
struct EngineOff {
  EngineOff() : was(g.active) { g.active = false; }
  ~EngineOff() { g.active = was; }
  bool was;
};

// Whether the caller is the current logical thread (and not, say, the fuzzer's watchdog thread).
inline bool here() {
  return __builtin_expect(g.active, 0) && read_thread_pointer() == fiber(g.current).thread_pointer;
}

inline void copy_name(char (&to)[16], const char* from) {
  size_t n = strnlen(from, sizeof to - 1);
  memcpy(to, from, n);
  to[n] = 0;
}

// --- Scheduling
// -------------------------------------------------------------------------------------

void slow_point(Intent intent);
// A scheduling point: somebody else may run before the caller's operation takes effect.
inline void point(Intent intent = {}) {
  if (__builtin_expect(--g.countdown == 0, 0)) slow_point(intent);
}
inline void point_before(const volatile void* object, bool writes) {
  point({reinterpret_cast<uintptr_t>(object), writes});
}
inline uint64_t steps_so_far() {
  return g.steps + (g.interval - static_cast<uint64_t>(g.countdown));
}

// Blocks the caller until wake(key) or, if timed, until virtual time reaches the deadline. Returns
// whether the deadline ended the wait. Fails the execution when nobody is left to run.
bool block(WaitFor what, const void* key, bool timed, uint64_t deadline_ns);
// Makes up to `count` threads blocked on `key` runnable; which ones is a choice. Returns how many.
// `futex_bits`: of those that wait on a futex, only such as have a bit in common with it.
uint32_t wake(const void* key, uint32_t count, uint32_t futex_bits = ~0u);
// Prefers any other runnable thread.
void yield();
// A choice of the schedule that is not whose turn it is: one of `departures` (bit n: n, not empty), or
// 0 = as ever. A random schedule departs from that once in `one_in` times.
// `worth`: of these, what an exhaustive search must try (exploration.h).
enum class Departure : uint8_t { kStore, kFailure, kReuse, kSerial };
uint32_t choose_departure(Departure what, uint32_t departures, uint32_t one_in,
                          uint32_t worth = ~0u);
// The set of 1 to n, or to 31.
constexpr uint32_t departures_up_to(uint32_t n) {
  return n < 31 ? (2u << n) - 2 : ~1u;
}
// Which store a load returns. Half of the loads that have a choice return the latest store: too much
// that is stale hides the states behind it.
inline constexpr uint32_t kStaleOneIn = 2;
inline constexpr uint32_t kOldStoreOneIn = 4;
inline constexpr uint32_t kReuseOneIn = 4;
inline constexpr uint32_t kSpuriousOneIn = 8;
// Which thread of a barrier is told that it is the one: seldom another than the last.
inline constexpr uint32_t kSerialOneIn = 4;
// A preemption may go to a thread that waits on a condition variable or a futex, which then wakes up
// for nothing.
inline constexpr uint32_t kSpuriousWakeOneIn = 8;
// The same for one whose deadline then comes.
inline constexpr uint32_t kTimeoutOneIn = 4;
// Starts a logical thread; its index. Fails the execution when there are too many.
uint32_t start_thread(void* (*function)(void*), void* argument);
uint32_t thread_of(pthread_t donor);  // kMaxThreads if it is none of ours
// The current thread ends: destructors of thread_locals, then of keys, then no more.
[[noreturn]] void end_thread(void* result);
// What the thread waits for, and who holds it: "b waits for mutex m, held by a". The engine is
// inactive.
std::string describe_wait(const Thread& thread);
// Fails the execution: everybody waits.
[[noreturn]] void nobody_can_run();
// Fails the execution if the current thread, about to wait for `owner`, would close a circle of threads
// that wait, without a deadline, for locks that the next one holds.
void check_circle(WaitFor what, const void* key, uint32_t owner);

// Ends the execution at once, whatever the other threads do, as exit() ends a process. MAY be called in a
// signal handler that interrupted the current thread.
[[noreturn]] void end_execution(Verdict verdict);

// --- Happens-before
// -----------------------------------------------------------------------------------

// The caller's clock advances: what it does from here on is not covered by what it released so far.
inline void advance() {
  g.epoch++;
  g.self->clock.at[g.current]++;
}
// The caller learns what the releasers knew.
inline void acquire(const Release& release) {
  if (!release.has) return;
  if (release.releaser != 0 && g.self->clock.knows(release.releaser)) return;
  g.self->clock.join(release.clock);
}

// It holds exactly what the caller knows; and, joined, that too.
inline void release(Release& release) {
  release.clock = g.self->clock;
  release.releaser = g.epoch;
  release.has = true;
  advance();
}

inline void release_join(Release& r) {
  if (!r.has) return release(r);
  r.clock.join(g.self->clock);
  r.releaser = 0;
  advance();
}

inline void mix_hash(uint64_t x) {
  uint64_t h = (g.hash ^ x) * 0x9E3779B97F4A7C15u;
  g.hash = h ^ (h >> 32);
}
// Values reach the hash without addresses that vary between processes.
inline uint64_t stable_value(uint64_t v) {
  if (__builtin_expect(v - 0x500000000000u < 0x300000000000u, 0))
    return in_image(v) ? v - shadow.image_base : 0x5ca1ab1e;
  return v;
}
// The object at `address`: heap, stacks and globals are told apart.
inline void hash_step(StepKind kind, uintptr_t address, uint64_t value) {
  mix_hash(stable_value(value) + stable_value(address) * 0xD6E8FEB86659FD93u +
           (uint64_t{g.current} << 32) + (static_cast<uint64_t>(kind) << 56));
}
inline void hash_step(StepKind kind, const Loc* loc, uint64_t value) {
  hash_step(kind, loc->address, value);
}

// --- Failing
// ------------------------------------------------------------------------------------------

// Ends the execution with a failure; does not return.
[[noreturn]] void fail_execution(FailureKind kind, const char* guarantee, const char* message);
// The same with a composed message. REQUIRES: the engine inactive while it was composed, so that it
// lives on the real heap; the caller's frame is abandoned, so it owns nothing else.
[[noreturn]] void fail_composed(FailureKind kind, const char* guarantee, std::string&& message);
inline constexpr char kStackOverflowMessage[] = "the stack overflowed: endless recursion?";
// The same, from places that are on no fiber (the leak check).
void fail_from_host(FailureKind kind, const char* guarantee, std::string&& message);

}  // namespace sched

#endif  // LASTPUT_SCHED_ENGINE_H_
