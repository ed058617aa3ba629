// SPDX-License-Identifier: Apache-2.0
// What threads synchronise by, other than atomics. The objects are the library's own (an unmodified
// program declares, copies and initialises them as ever), what the engine knows of them is here, found
// by their address.
//
//   object              state                          who learns what (happens-before)
//   ------------------  -----------------------------  ------------------------------------------
//   mutex, spin lock    owner, depth                   lock: every unlock before it
//   read-write lock     writer, depth of each reader   lock for reading: every writer's unlock;
//                                                        for writing: every unlock
//   condition variable  the mutex of its waiters       nothing by itself
//   semaphore           its value is in the object     wait: every post before it
//   barrier             how many have come             each of a round: all of the round
//   once, static guard  who runs the initialiser       who returns: the initialiser's end
//
// An object's life: init, or a static initialiser, or nothing but zeros; then uses; then destroy, or
// the end of its memory. init and destroy are writes to all of it, every other call is an atomic access
// to it, so a call that is not ordered against the object's begin or end is a data race.
#ifndef LASTPUT_SCHED_SYNC_H_
#define LASTPUT_SCHED_SYNC_H_

#include <cstdint>

#include "sched/engine.h"

namespace sched {

enum class SyncKind : uint8_t {
  kNone,
  kMutex,
  kSpin,
  kRwlock,
  kCondition,
  kSemaphore,
  kBarrier,
  kOnce,
  kGuard,
};
// "mutex", "read-write lock", ...
const char* sync_kind_name(SyncKind kind);

struct Sync {
  Loc* loc;
  SyncKind kind;
  int16_t owner;             // who holds it alone, or runs the initialiser; -1 nobody
  uint16_t waiting;          // threads inside of a call that waits for it
  uint16_t waiting_writers;  // read-write lock
  uint32_t count;            // mutex: depth; once: kOnceRunning or kOnceFinished; barrier: arrivals
  uint8_t reads[kMaxThreads];  // read-write lock: how often each thread holds it for reading
  const void* mutex;           // condition variable: of those who wait
  Release release;             // what the next one learns
  Release read_release;        // read-write lock: what the next writer learns as well
};
inline constexpr uint32_t kOnceRunning = 1, kOnceFinished = 2;  // Sync::count
inline constexpr unsigned kMaxSyncs = 1u << 14;

// Once a process; at each execution.
void sync_setup();
void sync_reset();

// The state of the object that the caller uses now. Fails the execution if its memory is freed, if it
// was destroyed, or is fresh heap memory that nobody initialised. Valid until the next point, or block.
Sync& sync_at(SyncKind kind, const volatile void* object);
// What is known of the object at `object`, or null.
Sync* find_sync(const volatile void* object);
// A global that makes `thread` run an initialiser now: a once control, or the guard of a static; or null.
const void* global_once_of(uint32_t thread);
// The object's life begins; ends. Fails the execution if somebody waits for it.
Sync& init_sync(SyncKind kind, volatile void* object);
void destroy_sync(SyncKind kind, volatile void* object);
// Who waits for `key` now, as a count.
uint32_t waiters_of(const volatile void* key);

void trace_sync(StepKind step, const Sync& sync, uint64_t value, uintptr_t pc);
// Fails the execution: `what` and then the object's name and who holds it.
[[noreturn]] void fail_sync(FailureKind kind, const char* what, const Sync& sync);
// Fails the execution: the engine does not control `call`; `advice` says what to do.
[[noreturn]] void refuse(const char* call, const char* advice);

}  // namespace sched

#endif  // LASTPUT_SCHED_SYNC_H_
