// SPDX-License-Identifier: Apache-2.0
#include "sched/sync.h"

#include <pthread.h>
#include <semaphore.h>
#include <sys/mman.h>

#include <cstring>
#include <string>

#include "sched/exploration.h"
#include "sched/fatal.h"
#include "sched/hot.h"
#include "sched/journal.h"
#include "sched/recorder.h"

namespace sched {
namespace {

struct Kind {
  const char* name;
  uint8_t bytes;
  FailureKind misuse;
};
constexpr Kind kinds[] = {
    {"object", 1, FailureKind::kSyncMisuse},
    {"mutex", sizeof(pthread_mutex_t), FailureKind::kLockMisuse},
    {"spin lock", sizeof(pthread_spinlock_t), FailureKind::kLockMisuse},
    {"read-write lock", sizeof(pthread_rwlock_t), FailureKind::kLockMisuse},
    {"condition variable", sizeof(pthread_cond_t), FailureKind::kSyncMisuse},
    {"semaphore", sizeof(sem_t), FailureKind::kSyncMisuse},
    {"barrier", sizeof(pthread_barrier_t), FailureKind::kSyncMisuse},
    {"once control", sizeof(pthread_once_t), FailureKind::kSyncMisuse},
    {"static local", 1, FailureKind::kSyncMisuse},
};
const Kind& info(SyncKind kind) {
  return kinds[static_cast<unsigned>(kind)];
}

// What destroy leaves in every byte; none of the types begins with it while it lives.
constexpr int kDestroyedByte = 0xdd;
constexpr uint32_t kDestroyed = 0xdddddddd;
constexpr uint32_t kFreshHeap = 0xcdcdcdcd;

Sync* syncs;
uint32_t sync_count;  // entry 0 is unused

unsigned first_bytes(SyncKind kind) {
  return info(kind).bytes < 8 ? info(kind).bytes : 8;
}

Sync& state_of(SyncKind kind, uintptr_t address, Cell* cell) {
  Loc* loc = loc_of(cell, address, first_bytes(kind));
  if (loc->sync == 0) {
    if (sync_count + 1 >= kMaxSyncs)
      fail_execution(FailureKind::kLimit, "", "too many locks for one execution");
    loc->sync = static_cast<uint16_t>(++sync_count);
    syncs[loc->sync].kind = SyncKind::kNone;
  }
  Sync& sync = syncs[loc->sync];
  // Another kind of object at the same place: memory that was used again, the old one is gone.
  if (sync.kind != kind) {
    sync = Sync{};
    sync.loc = loc;
    sync.kind = kind;
    sync.owner = -1;
  }
  return sync;
}

void check_alive(SyncKind kind, const volatile void* object, const Sync& sync) {
  if (kind == SyncKind::kGuard) return;
  const uint32_t word = *static_cast<const volatile uint32_t*>(object);
  if (word == kDestroyed) fail_sync(info(kind).misuse, "use of what was destroyed", sync);
  if (word == kFreshHeap) fail_sync(info(kind).misuse, "use of what was never initialised", sync);
}

// All of the object is written: by its begin, or its end.
void write_whole(SyncKind kind, const volatile void* object) {
  auto address = reinterpret_cast<uintptr_t>(object);
  const uintptr_t end = address + info(kind).bytes;
  if (g.recording) record_access(address, info(kind).bytes, true, false);
  journal_write(address, info(kind).bytes);
  for (; address < end; address += 8) {
    Cell* cell = cell_of(address);
    const unsigned size = end - address < 8 ? static_cast<unsigned>(end - address) : 8;
    check_heap(cell, address, size, true);
    if (g.races) check_write(cell, address, size, false);
  }
}

Sync& fresh_state(SyncKind kind, const volatile void* object, const char* if_waited_for) {
  const auto address = reinterpret_cast<uintptr_t>(object);
  Cell* cell = cell_of(address);
  if (g.exploring) explore_sync(object);
  Sync& sync = state_of(kind, address, cell);
  if (sync.waiting != 0 || waiters_of(object) != 0)
    fail_sync(info(kind).misuse, if_waited_for, sync);
  sync.kind = SyncKind::kNone;
  return state_of(kind, address, cell);
}

}  // namespace

const char* sync_kind_name(SyncKind kind) {
  return info(kind).name;
}

void sync_setup() {
  if (syncs != nullptr) return;
  void* p = mmap(nullptr, kMaxSyncs * sizeof(Sync), PROT_READ | PROT_WRITE,
                 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  SCHED_CHECK(p != MAP_FAILED, "no address space for the state of locks");
  syncs = static_cast<Sync*>(p);
}

void sync_reset() {
  sync_count = 0;
}

const void* global_once_of(uint32_t thread) {
  for (uint32_t i = 1; i <= sync_count; ++i) {
    const Sync& sync = syncs[i];
    if (sync.kind != SyncKind::kOnce && sync.kind != SyncKind::kGuard) continue;
    if (sync.count == kOnceRunning && sync.owner == static_cast<int>(thread) &&
        in_image(sync.loc->address))
      return reinterpret_cast<const void*>(sync.loc->address);
  }
  return nullptr;
}

Sync& sync_at(SyncKind kind, const volatile void* object) {
  const auto address = reinterpret_cast<uintptr_t>(object);
  const unsigned size = first_bytes(kind);
  Cell* cell = cell_of(address);
  check_heap(cell, address, size, true);
  Sync& sync = state_of(kind, address, cell);
  check_alive(kind, object, sync);
  if (g.exploring) explore_sync(object);
  if (kind == SyncKind::kGuard) return sync;  // the compiler's own look at it is an atomic access
  if (g.recording) record_access(address, size, true, true);
  if (g.races) check_atomic(cell, sync.loc, address, size, true);
  return sync;
}

Sync* find_sync(const volatile void* object) {
  const auto address = reinterpret_cast<uintptr_t>(object);
  for (Loc* loc = locs_in(cell_of(address)); loc != nullptr;
       loc = loc->next != 0 ? &shadow.locs[loc->next] : nullptr)
    if (loc->address == address && loc->sync != 0) return &syncs[loc->sync];
  return nullptr;
}

Sync& init_sync(SyncKind kind, volatile void* object) {
  Sync& sync = fresh_state(kind, object, "initialisation of what another thread waits for");
  write_whole(kind, object);
  return sync;
}

void destroy_sync(SyncKind kind, volatile void* object) {
  fresh_state(kind, object, "destruction of what another thread waits for");
  write_whole(kind, object);
  memset(const_cast<void*>(object), kDestroyedByte, info(kind).bytes);
}

uint32_t waiters_of(const volatile void* key) {
  uint32_t n = 0;
  for (uint32_t i = 0; i < g.thread_count; ++i)
    n += g.threads[i].state == State::kBlocked && g.threads[i].wait_key == key;
  return n;
}

void trace_sync(StepKind step, const Sync& sync, uint64_t value, uintptr_t pc) {
  hash_step(step, sync.loc, value);
  if (g.recording) record_step(step, sync.loc->address, 0, -1, 0, value, pc);
}

void fail_sync(FailureKind kind, const char* what, const Sync& sync) {
  g.active = false;
  std::string message = std::string(what) + ": " + sync_kind_name(sync.kind) + " " +
                        describe_address(sync.loc->address);
  if (sync.owner >= 0) message += std::string(", held by ") + g.threads[sync.owner].name;
  fail_composed(kind, "G9", std::move(message));
}

void refuse(const char* call, const char* advice) {
  g.active = false;
  fail_composed(FailureKind::kLimit, "",
                std::string(call) + " is not controlled by the engine: " + advice);
}

}  // namespace sched
