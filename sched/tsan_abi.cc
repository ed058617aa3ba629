// SPDX-License-Identifier: Apache-2.0
// The entry points that -fsanitize=thread makes the compiler call: every plain and atomic access of
// the code under test arrives here. (The ABI is that of compiler-rt's tsan_interface.h.)
#include <cstring>
#include <type_traits>

#include "sched/engine.h"
#include "sched/exploration.h"
#include "sched/fatal.h"
#include "sched/hot.h"
#include "sched/journal.h"
#include "sched/recorder.h"

#if SCHED_ASAN
extern "C" int __asan_address_is_poisoned(const volatile void*);
extern "C" void __asan_report_load_n(void*, size_t);
extern "C" void __asan_report_store_n(void*, size_t);
#endif

// Where the fuzzer's inline counters lie, if the program has any.
extern "C" {
[[gnu::weak, gnu::visibility("hidden")]] extern uint8_t __start___sancov_cntrs[];
[[gnu::weak, gnu::visibility("hidden")]] extern uint8_t __stop___sancov_cntrs[];
}

namespace sched {
namespace {

// In each entry point, or it costs as much as what it does.
#define SCHED_INLINE inline __attribute__((always_inline))
#define SCHED_PC() reinterpret_cast<uintptr_t>(__builtin_return_address(0))

// --- Plain accesses
// -----------------------------------------------------------------------------------

template <class F>
void for_each_granule(uintptr_t address, size_t size, F f) {
  for (uintptr_t end = address + size; address < end;) {
    uintptr_t next = (address | 7) + 1;
    if (next > end) next = end;
    f(address, static_cast<unsigned>(next - address));
    address = next;
  }
}

[[gnu::noinline]] void slow_access(uintptr_t address, size_t size, bool writes, uintptr_t pc) {
  if (g.options.plain_points) {
    point({address, writes});
    if (g.exploring)
      for_each_granule(address, size, [&](uintptr_t a, unsigned) {
        explore_touch(object_at(a & ~uintptr_t{7}), writes);
      });
  }
  if (!g.recording || size == 0) return;
  record_access(address, static_cast<unsigned>(size), writes, false);
  if (g.options.record_plain)
    record_step(writes ? StepKind::kWrite : StepKind::kRead, address, static_cast<unsigned>(size),
                -1, 0, 0, pc);
}

// Whether the memory is live, and its value before, where that will be needed: all that is left where
// nobody asks for races.
SCHED_INLINE void check_live(uintptr_t address, unsigned size, bool writes) {
  if (in_heap(address))
    check_heap(cell_of(address), address, size, writes);
  else if (writes && !in_world(address))
    journal_write(address, size);
}

inline void check_granule(uintptr_t address, unsigned size, bool writes) {
  if (!g.races) return check_live(address, size, writes);
  Cell* cell = cell_of(address);
  check_heap(cell, address, size, writes);
  if (writes && !in_world(address)) journal_write(address, size);
  if (writes)
    check_write(cell, address, size, false);
  else
    check_read(cell, address, size);
}

void access_range(uintptr_t address, size_t size, bool writes, uintptr_t pc) {
  if (!g.active) return;
  if (g.slow_access) slow_access(address, size, writes, pc);
  for_each_granule(address, size, [&](uintptr_t a, unsigned n) { check_granule(a, n, writes); });
}

// clang before 16 instruments the increments of coverage counters as if the program had written them:
// they would race, and be undone with the globals. All of them are accesses of one byte.
bool is_coverage_counter(uintptr_t address) {
  return address - reinterpret_cast<uintptr_t>(__start___sancov_cntrs) <
         static_cast<uintptr_t>(__stop___sancov_cntrs - __start___sancov_cntrs);
}

inline void access(uintptr_t address, unsigned size, bool writes, uintptr_t pc) {
  if (!g.active) return;
  if (size == 1 && is_coverage_counter(address)) return;
  if (__builtin_expect(g.slow_access, 0)) slow_access(address, size, writes, pc);
  if (__builtin_expect((address & 7) + size <= 8, 1)) return check_granule(address, size, writes);
  for_each_granule(address, size, [&](uintptr_t a, unsigned n) { check_granule(a, n, writes); });
}

// --- Atomics
// ------------------------------------------------------------------------------------------

constexpr bool acquires(int order) {
  return order == __ATOMIC_ACQUIRE || order == __ATOMIC_CONSUME || order == __ATOMIC_ACQ_REL ||
         order == __ATOMIC_SEQ_CST;
}
constexpr bool releases(int order) {
  return order == __ATOMIC_RELEASE || order == __ATOMIC_ACQ_REL || order == __ATOMIC_SEQ_CST;
}

// An object of 16 bytes has no old values: its loads return the latest store.
using Wide = unsigned __int128;

template <class T>
uint64_t bits(T v) {
  return static_cast<uint64_t>(v);
}
template <>
uint64_t bits(Wide v) {
  return static_cast<uint64_t>(v) ^ static_cast<uint64_t>(v >> 64) * 0x9E3779B97F4A7C15u;
}

// Outside executions.
template <class T>
bool real_compare_exchange(volatile T* a, T* expected, T v) {
  return __atomic_compare_exchange_n(a, expected, v, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
}
bool real_compare_exchange(volatile Wide* a, Wide* expected, Wide v) {
  auto low = static_cast<uint64_t>(*expected), high = static_cast<uint64_t>(*expected >> 64);
  bool equal;
  asm volatile("lock cmpxchg16b %1"
               : "=@ccz"(equal), "+m"(*a), "+a"(low), "+d"(high)
               : "b"(static_cast<uint64_t>(v)), "c"(static_cast<uint64_t>(v >> 64))
               : "memory");
  *expected = Wide{high} << 64 | low;
  return equal;
}
template <class T>
T real_load(const volatile T* a) {
  return *a;
}
template <>
Wide real_load(const volatile Wide* a) {
  Wide v = 0;
  real_compare_exchange(const_cast<volatile Wide*>(a), &v, v);
  return v;
}

// Heap check of 8 bytes or less, which lie in one granule; the location's state.
SCHED_INLINE Loc* locate(uintptr_t address, unsigned size, bool writes) {
  Cell* cell = cell_of(address);
  check_heap(cell, address, size, writes);
  return loc_of(cell, address, size);
}
// Race check of the same.
SCHED_INLINE void check_location(Loc* loc, uintptr_t address, unsigned size, bool writes) {
  if (writes && !in_world(address)) journal_write(address, size);
  if (g.recording) record_access(address, size, writes, true);
  if (g.races) check_atomic(loc->cell, loc, address, size, writes);
}

template <class T>
SCHED_INLINE void check_poison([[maybe_unused]] const volatile T* a, [[maybe_unused]] bool writes) {
#if SCHED_ASAN
  if (__asan_address_is_poisoned(a) && !in_heap(reinterpret_cast<uintptr_t>(a))) {
    if (writes)
      __asan_report_store_n(const_cast<T*>(a), sizeof(T));
    else
      __asan_report_load_n(const_cast<T*>(a), sizeof(T));
  }
#endif
}
// Memory check; the location's state. `writes`: what it is told as.
template <class T>
SCHED_INLINE Loc* locate_atomic(const volatile T* a, bool writes) {
  check_poison(a, writes);
  return locate(reinterpret_cast<uintptr_t>(a), sizeof(T) > 8 ? 8 : sizeof(T), writes);
}
// Race check against plain accesses.
template <class T>
SCHED_INLINE void check_races(const volatile T* a, Loc* loc, bool writes) {
  auto address = reinterpret_cast<uintptr_t>(a);
  if constexpr (sizeof(T) > 8)
    check_location(locate(address + 8, 8, writes), address + 8, 8, writes);
  check_location(loc, address, sizeof(T) > 8 ? 8 : sizeof(T), writes);
}
// Both; and the value that the memory holds.
template <class T>
SCHED_INLINE Loc* enter_atomic(const volatile T* a, bool writes, T* value) {
  Loc* loc = locate_atomic(a, writes);
  check_races(a, loc, writes);
  *value = *const_cast<const T*>(a);
  latest_store(loc, bits(*value));
  return loc;
}

// An atomic access where nobody asks for happens-before.
template <class T>
SCHED_INLINE void enter_unordered(const volatile T* a, bool writes) {
  check_poison(a, writes);
  check_live(reinterpret_cast<uintptr_t>(a), sizeof(T), writes);
}

// The value of an older store.
template <class T>
SCHED_INLINE T value_of_age(Loc* loc, uint32_t age, T latest) {
  if constexpr (sizeof(T) > 8)
    return latest;
  else
    return age == 0 ? latest : static_cast<T>(store_of_age(loc, age).value);
}

// Whether the current thread knows all that a release tells.
SCHED_INLINE bool covered(const Release& release) {
  return release.releaser != 0 && g.self->clock.knows(release.releaser);
}

// The reader's side of synchronises-with.
SCHED_INLINE void did_read(Loc* loc, Store& store, int order) {
  mark_seen(loc, store, order == __ATOMIC_SEQ_CST);
  const Release& release = store.release;
  if (!release.has) return;
  if (covered(release)) return;
  if (acquires(order)) return g.self->clock.join(release.clock);
  if (!g.self->has_acquire_fence)
    g.self->acquire_fence = release.clock;
  else
    g.self->acquire_fence.join(release.clock);
  g.self->has_acquire_fence = true;
}

// The writer's side. `continued`: the store that a read-modify-write read, whose release sequence goes
// on; a plain store begins anew.
SCHED_INLINE void did_write(Store& store, int order, const Store* continued) {
  bool goes_on = continued != nullptr && continued->release.has;
  Release& r = store.release;
  if (releases(order)) {
    // An acquiring RMW already knows what the sequence released, so its own clock covers it.
    if (goes_on && !acquires(order) && !covered(continued->release)) {
      r = continued->release;
      release_join(r);
    } else {
      release(r);
    }
    return;
  }
  if (goes_on) r = continued->release;
  if (!g.self->has_release_fence) return;
  if (goes_on)
    r.clock.join(g.self->release_fence);
  else
    r.clock = g.self->release_fence;
  r.has = true;
  r.releaser = 0;
}

[[gnu::noinline]] void observe(const AtomicAccess& access, unsigned size, uint64_t before) {
  if (g.exploring) explore_atomic(access);
  if (g.recording)
    record_step(access.kind, access.address, size, access.order, before, access.value, access.pc,
                access.age);
}

template <class T>
SCHED_INLINE void finish_step(StepKind kind, const volatile T* a, int order, T before, T value,
                              uintptr_t pc, uint32_t age = 0) {
  hash_step(kind, reinterpret_cast<uintptr_t>(a),
            bits(before) * 31 + bits(value) + age * 0x9E3779B97F4A7C15u);
  if (__builtin_expect(g.observed, 0))
    observe({kind, reinterpret_cast<uintptr_t>(a), order, age, bits(value), pc}, sizeof(T),
            bits(before));
}

template <class T>
constexpr bool kHasHistory = sizeof(T) <= 8;

template <class T>
T load(const volatile T* a, int order, uintptr_t pc) {
  if (!g.active) return real_load(a);
  point_before(a, false);
  T v;
  if (kHasHistory<T> && !g.ordered) {
    enter_unordered(a, false);
    v = *a;
    finish_step(StepKind::kLoad, a, order, v, v, pc);
    return v;
  }
  Loc* loc = enter_atomic(a, false, &v);
  const uint32_t age = kHasHistory<T> ? choose_read(loc, order == __ATOMIC_SEQ_CST) : 0;
  v = value_of_age(loc, age, v);
  did_read(loc, store_of_age(loc, age), order);
  finish_step(StepKind::kLoad, a, order, v, v, pc, age);
  return v;
}

template <class T>
void store(volatile T* a, T v, int order, uintptr_t pc) {
  if (!g.active) {
    if constexpr (sizeof(T) > 8) {
      T old = real_load(a);
      while (!real_compare_exchange(a, &old, v)) {
      }
    } else {
      *a = v;
    }
    return;
  }
  point_before(a, true);
  T before;
  if (kHasHistory<T> && !g.ordered) {
    enter_unordered(a, true);
    before = *a;
    *a = v;
    return finish_step(StepKind::kStore, a, order, before, v, pc);
  }
  Loc* loc = enter_atomic<T>(a, true, &before);
  const bool seq_cst = order == __ATOMIC_SEQ_CST;
  const uint32_t age = kHasHistory<T> ? choose_write(loc, seq_cst) : 0;
  did_write(insert_store(loc, age, bits(v), seq_cst, false), order, nullptr);
  if (age == 0) *a = v;
  finish_step(StepKind::kStore, a, order, before, v, pc, age);
}

template <class T>
SCHED_INLINE void did_rmw(volatile T* a, Loc* loc, uint32_t age, T old, T v, int order,
                          uintptr_t pc) {
  did_read(loc, store_of_age(loc, age), order);
  Store& store = insert_store(loc, age, bits(v), order == __ATOMIC_SEQ_CST, true);
  did_write(store, order, &store_of_age(loc, age + 1));
  if (age == 0) *a = v;
  finish_step(StepKind::kRmw, a, order, old, v, pc, age);
}

// Outside an execution these run on the host thread before or after all logical threads, but other OS
// threads may exist: so they stay atomic there, by the compiler's own builtins.
template <class T, class F>
T rmw(volatile T* a, int order, uintptr_t pc, F f) {
  if (!g.active) {
    T old = real_load(a);
    while (!real_compare_exchange(a, &old, f(old))) {
    }
    return old;
  }
  point_before(a, true);
  T old;
  if (kHasHistory<T> && !g.ordered) {
    enter_unordered(a, true);
    old = *a;
    const T v = f(old);
    *a = v;
    finish_step(StepKind::kRmw, a, order, old, v, pc);
    return old;
  }
  Loc* loc = enter_atomic<T>(a, true, &old);
  const uint32_t age = kHasHistory<T> ? choose_modify(loc, order == __ATOMIC_SEQ_CST) : 0;
  old = value_of_age(loc, age, old);
  did_rmw(a, loc, age, old, f(old), order, pc);
  return old;
}

// A weak compare-exchange that finds what it expects. Not for ever in a row.
bool fails_for_nothing(Loc* loc) {
  uint8_t& run = loc->stale_run[g.current];
  if (!g.options.weak_memory || run >= kMaxStaleRun ||
      choose_departure(Departure::kFailure, departures_up_to(1), kSpuriousOneIn) == 0)
    return false;
  ++run;
  return true;
}

template <class T>
bool compare_exchange(volatile T* a, T* expected, T v, int order, int failure_order, uintptr_t pc,
                      bool weak = false) {
  if (!g.active) return real_compare_exchange(a, expected, v);
  T want = *expected;
  point_before(a, true);
  const T now = *a;
  if (kHasHistory<T> && !g.ordered) {
    enter_unordered(a, now == want);
    if (now == want) *a = v;
    *expected = now;
    finish_step(now == want ? StepKind::kRmw : StepKind::kCasFail, a,
                now == want ? order : failure_order, now, now == want ? v : now, pc);
    return now == want;
  }
  Loc* loc = locate_atomic(a, now == want);
  latest_store(loc, bits(now));
  uint32_t age = 0;
  if constexpr (kHasHistory<T>)
    age = choose_compare(loc, bits(want), order == __ATOMIC_SEQ_CST,
                         failure_order == __ATOMIC_SEQ_CST);
  T old = value_of_age(loc, age, now);
  if (old == want && !(weak && fails_for_nothing(loc))) {
    // Only now it is known to write, which decides which races it can have.
    check_races(a, loc, true);
    did_rmw(a, loc, age, old, v, order, pc);
    return true;
  }
  if (old == want) {
    age = 0;  // for nothing: as a load of the latest
    old = now;
  }
  check_races(a, loc, false);
  did_read(loc, store_of_age(loc, age), failure_order);
  *expected = old;
  finish_step(StepKind::kCasFail, a, failure_order, old, old, pc, age);
  return false;
}

void fence(int order, uintptr_t pc) {
  if (!g.active) return __atomic_thread_fence(__ATOMIC_SEQ_CST);
  point();
  Thread& t = *g.self;
  if (acquires(order) && t.has_acquire_fence) {
    t.clock.join(t.acquire_fence);
    t.has_acquire_fence = false;
  }
  if (releases(order)) {
    t.release_fence = t.clock;
    t.has_release_fence = true;
    if (order == __ATOMIC_SEQ_CST) seq_cst_fence();
    advance();
  }
  mix_hash(0xfe4ce + static_cast<uint64_t>(order));
  if (g.recording) record_step(StepKind::kFence, 0, 0, order, 0, 0, pc, 0);
  if (g.exploring && order == __ATOMIC_SEQ_CST) explore_touch(kScOrder, true);
}

}  // namespace
}  // namespace sched

using sched::access;
using sched::access_range;

#define SCHED_EXPORT extern "C" __attribute__((visibility("default")))
#define SCHED_ADDR(p) reinterpret_cast<uintptr_t>(p)

#define SCHED_PLAIN(N)                                            \
  SCHED_EXPORT void __tsan_read##N(void* a) {                     \
    access(SCHED_ADDR(a), N, false, SCHED_PC());                  \
  }                                                               \
  SCHED_EXPORT void __tsan_write##N(void* a) {                    \
    access(SCHED_ADDR(a), N, true, SCHED_PC());                   \
  }                                                               \
  SCHED_EXPORT void __tsan_unaligned_read##N(void* a) {           \
    access(SCHED_ADDR(a), N, false, SCHED_PC());                  \
  }                                                               \
  SCHED_EXPORT void __tsan_unaligned_write##N(void* a) {          \
    access(SCHED_ADDR(a), N, true, SCHED_PC());                   \
  }                                                               \
  SCHED_EXPORT void __tsan_volatile_read##N(void* a) {            \
    access(SCHED_ADDR(a), N, false, SCHED_PC());                  \
  }                                                               \
  SCHED_EXPORT void __tsan_volatile_write##N(void* a) {           \
    access(SCHED_ADDR(a), N, true, SCHED_PC());                   \
  }                                                               \
  SCHED_EXPORT void __tsan_unaligned_volatile_read##N(void* a) {  \
    access(SCHED_ADDR(a), N, false, SCHED_PC());                  \
  }                                                               \
  SCHED_EXPORT void __tsan_unaligned_volatile_write##N(void* a) { \
    access(SCHED_ADDR(a), N, true, SCHED_PC());                   \
  }                                                               \
  SCHED_EXPORT void __tsan_read_write##N(void* a) {               \
    access(SCHED_ADDR(a), N, false, SCHED_PC());                  \
    access(SCHED_ADDR(a), N, true, SCHED_PC());                   \
  }                                                               \
  SCHED_EXPORT void __tsan_unaligned_read_write##N(void* a) {     \
    access(SCHED_ADDR(a), N, false, SCHED_PC());                  \
    access(SCHED_ADDR(a), N, true, SCHED_PC());                   \
  }
SCHED_PLAIN(1)
SCHED_PLAIN(2)
SCHED_PLAIN(4)
SCHED_PLAIN(8)
SCHED_PLAIN(16)

SCHED_EXPORT void __tsan_read_range(void* a, size_t n) {
  access_range(SCHED_ADDR(a), n, false, SCHED_PC());
}
SCHED_EXPORT void __tsan_write_range(void* a, size_t n) {
  access_range(SCHED_ADDR(a), n, true, SCHED_PC());
}
SCHED_EXPORT void __tsan_vptr_read(void** a) {
  access(SCHED_ADDR(a), 8, false, SCHED_PC());
}
SCHED_EXPORT void __tsan_vptr_update(void** a, void* v) {
  // Constructors of a hierarchy store the same table again and again; only a change is a write.
  if (*a != v) access(SCHED_ADDR(a), 8, true, SCHED_PC());
}
SCHED_EXPORT void* __tsan_memcpy(void* to, const void* from, size_t n) {
  access_range(SCHED_ADDR(from), n, false, SCHED_PC());
  access_range(SCHED_ADDR(to), n, true, SCHED_PC());
  return memcpy(to, from, n);
}
SCHED_EXPORT void* __tsan_memmove(void* to, const void* from, size_t n) {
  access_range(SCHED_ADDR(from), n, false, SCHED_PC());
  access_range(SCHED_ADDR(to), n, true, SCHED_PC());
  return memmove(to, from, n);
}
SCHED_EXPORT void* __tsan_memset(void* to, int v, size_t n) {
  access_range(SCHED_ADDR(to), n, true, SCHED_PC());
  return memset(to, v, n);
}

SCHED_EXPORT void __tsan_init() {}
SCHED_EXPORT void __tsan_func_entry(void*) {}
SCHED_EXPORT void __tsan_func_exit() {}
SCHED_EXPORT void __tsan_ignore_thread_begin() {}
SCHED_EXPORT void __tsan_ignore_thread_end() {}
SCHED_EXPORT void __tsan_atomic_thread_fence(int order) {
  sched::fence(order, SCHED_PC());
}
SCHED_EXPORT void __tsan_atomic_signal_fence(int) {}

#define SCHED_RMW(N, T, NAME, EXPR)                                         \
  SCHED_EXPORT T __tsan_atomic##N##_##NAME(volatile T* a, T v, int order) { \
    return sched::rmw<T>(a, order, SCHED_PC(), [&](T old) -> T {            \
      (void)old;                                                            \
      return static_cast<T>(EXPR);                                          \
    });                                                                     \
  }
#define SCHED_ATOMICS(N, T)                                                                        \
  SCHED_EXPORT T __tsan_atomic##N##_load(const volatile T* a, int order) {                         \
    return sched::load<T>(a, order, SCHED_PC());                                                   \
  }                                                                                                \
  SCHED_EXPORT void __tsan_atomic##N##_store(volatile T* a, T v, int order) {                      \
    sched::store<T>(a, v, order, SCHED_PC());                                                      \
  }                                                                                                \
  SCHED_RMW(N, T, exchange, v)                                                                     \
  SCHED_RMW(N, T, fetch_add, old + v)                                                              \
  SCHED_RMW(N, T, fetch_sub, old - v)                                                              \
  SCHED_RMW(N, T, fetch_and, old& v)                                                               \
  SCHED_RMW(N, T, fetch_or, old | v)                                                               \
  SCHED_RMW(N, T, fetch_xor, old ^ v)                                                              \
  SCHED_RMW(N, T, fetch_nand, ~(old & v))                                                          \
  SCHED_EXPORT int __tsan_atomic##N##_compare_exchange_strong(volatile T* a, T* e, T v, int order, \
                                                              int failure_order) {                 \
    return sched::compare_exchange<T>(a, e, v, order, failure_order, SCHED_PC());                  \
  }                                                                                                \
  SCHED_EXPORT int __tsan_atomic##N##_compare_exchange_weak(volatile T* a, T* e, T v, int order,   \
                                                            int failure_order) {                   \
    return sched::compare_exchange<T>(a, e, v, order, failure_order, SCHED_PC(), true);            \
  }                                                                                                \
  SCHED_EXPORT T __tsan_atomic##N##_compare_exchange_val(volatile T* a, T e, T v, int order,       \
                                                         int failure_order) {                      \
    sched::compare_exchange<T>(a, &e, v, order, failure_order, SCHED_PC());                        \
    return e;                                                                                      \
  }
SCHED_ATOMICS(8, uint8_t)
SCHED_ATOMICS(16, uint16_t)
SCHED_ATOMICS(32, uint32_t)
SCHED_ATOMICS(64, uint64_t)
SCHED_ATOMICS(128, sched::Wide)

// A compiler that is not told of cmpxchg16b (-mcx16) calls the library that comes with it for objects
// of 16 bytes, by two families of names. Larger ones are not simulated.
namespace sched {
namespace {

void require_wide(size_t size) {
  if (size == sizeof(Wide)) return;
  if (g.active) fail_execution(FailureKind::kLimit, "", "an atomic object of more than 16 bytes");
  SCHED_CHECK(false, "an atomic object of more than 16 bytes is not supported under the engine");
}

}  // namespace
}  // namespace sched

using sched::Wide;
SCHED_EXPORT Wide __atomic_load_16(const volatile void* a, int order) {
  return sched::load(static_cast<const volatile Wide*>(a), order, SCHED_PC());
}
SCHED_EXPORT void __atomic_store_16(volatile void* a, Wide v, int order) {
  sched::store(static_cast<volatile Wide*>(a), v, order, SCHED_PC());
}
SCHED_EXPORT Wide __atomic_exchange_16(volatile void* a, Wide v, int order) {
  return sched::rmw(static_cast<volatile Wide*>(a), order, SCHED_PC(), [&](Wide) { return v; });
}
SCHED_EXPORT bool __atomic_compare_exchange_16(volatile void* a, void* expected, Wide v, bool weak,
                                               int order, int failure_order) {
  return sched::compare_exchange(static_cast<volatile Wide*>(a), static_cast<Wide*>(expected), v,
                                 order, failure_order, SCHED_PC(), weak);
}

#define SCHED_LIBRARY_NAME(name) __asm__(name)
SCHED_EXPORT void sched_atomic_load(size_t n, const volatile void* a, void* result, int order)
    SCHED_LIBRARY_NAME("__atomic_load");
SCHED_EXPORT void sched_atomic_store(size_t n, volatile void* a, const void* v, int order)
    SCHED_LIBRARY_NAME("__atomic_store");
SCHED_EXPORT void sched_atomic_exchange(size_t n, volatile void* a, const void* v, void* result,
                                        int order) SCHED_LIBRARY_NAME("__atomic_exchange");
SCHED_EXPORT bool sched_atomic_compare_exchange(size_t n, volatile void* a, void* expected,
                                                const void* v, int order, int failure_order)
    SCHED_LIBRARY_NAME("__atomic_compare_exchange");

void sched_atomic_load(size_t n, const volatile void* a, void* result, int order) {
  sched::require_wide(n);
  Wide v = sched::load(static_cast<const volatile Wide*>(a), order, SCHED_PC());
  memcpy(result, &v, sizeof v);
}
void sched_atomic_store(size_t n, volatile void* a, const void* v, int order) {
  sched::require_wide(n);
  Wide wide;
  memcpy(&wide, v, sizeof wide);
  sched::store(static_cast<volatile Wide*>(a), wide, order, SCHED_PC());
}
void sched_atomic_exchange(size_t n, volatile void* a, const void* v, void* result, int order) {
  sched::require_wide(n);
  Wide wide;
  memcpy(&wide, v, sizeof wide);
  Wide old =
      sched::rmw(static_cast<volatile Wide*>(a), order, SCHED_PC(), [&](Wide) { return wide; });
  memcpy(result, &old, sizeof old);
}
bool sched_atomic_compare_exchange(size_t n, volatile void* a, void* expected, const void* v,
                                   int order, int failure_order) {
  sched::require_wide(n);
  Wide wide, want;
  memcpy(&wide, v, sizeof wide);
  memcpy(&want, expected, sizeof want);
  bool done = sched::compare_exchange(static_cast<volatile Wide*>(a), &want, wide, order,
                                      failure_order, SCHED_PC());
  memcpy(expected, &want, sizeof want);
  return done;
}
