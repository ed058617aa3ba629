// SPDX-License-Identifier: Apache-2.0
// rcuref: four ways to count references to the elements of a list, for where a Ref (ref.h) would
// take too much memory. They differ in how a reader is protected between finding an element and
// counting its reference, and so in what that takes:
//
//   form  header             readers hold   taking a reference  at 0            drop_initial
//   ----  -----------------  -------------  ------------------  --------------  ---------------
//   (1)   rcuref_locked.h    the list lock  always succeeds     freed at once   at once
//   (2)   rcuref_tryget.h    an Rcu reader  may fail            freed by an     at once
//                                                               RCU callback
//   (3)   rcuref_deferred.h  an Rcu reader  always succeeds     freed at once   by RCU callback
//   (4)   rcuref_blocking.h  an Rcu reader  always succeeds     freed at once   waits, MAY BLOCK
//
// In each, init gives an element the initial reference, which belongs to the list; whoever takes
// the element off the list calls drop_initial, once. The list itself, its lock, and the order that
// its pointers need (store with release, load with acquire) are the program's. core/examples has
// one for each form.
//
// Guarantees of all four; each header adds its own.
//   R1  free is called exactly once for each init.
//   R2  free is not called while a reference is held, the initial one included.
//   R3  free is called once no reference is held, when the form says so.
//   R4  free sees every write made before a put.
//   R5  misuse that a count shows is reported (misuse.h), and frees nothing twice: where a
//       reference was taken from 0, or init met a count, the element leaks; where one was dropped
//       that nobody held, the count stays 0. No more than a hint where the memory was freed
//       already.
//
// Who may call put: who owns the reference, anywhere, except in signal handlers.
#ifndef PERCPU_CORE_RCUREF_COUNT_H_
#define PERCPU_CORE_RCUREF_COUNT_H_

#include <atomic>
#include <cstdint>

#include "domain.h"
#include "misuse.h"
#include "percpu_platform.h"

namespace percpu {
inline namespace PERCPU_PLATFORM {

// The count in an element. `call` names who asks, for reports.
class RefCount {
 public:
  constexpr RefCount() noexcept = default;
  RefCount(const RefCount&) = delete;
  RefCount& operator=(const RefCount&) = delete;

  // Sets the count to 1. REQUIRES: it is 0: new, or freed.
  void init(Domain& domain, const char* call) noexcept {
    // relaxed: the list hands the element to other threads, which orders all of init.
    const uint64_t before = count_.exchange(1, std::memory_order_relaxed);
    if (before != 0) [[unlikely]]
      misused(domain, MisuseKind::kInitTwice, call);
  }

  // Takes a reference. REQUIRES: the count is not 0, and cannot become 0 meanwhile.
  void get(Domain& domain, const char* call) noexcept {
    // relaxed: the caller knows by other means that a reference is held; nothing else depends on
    // it.
    const uint64_t before = count_.fetch_add(1, std::memory_order_relaxed);
    if (before == 0) [[unlikely]]
      misused(domain, MisuseKind::kGetFromZero, call);
  }

  // Takes a reference unless there is none. REQUIRES: the element's memory stays meanwhile.
  // ORDERING: none, also where the answer is true.
  [[nodiscard]] bool get_unless_zero() noexcept {
    // relaxed (all of it): whether the count is 0 is settled by the exchange; it orders nothing.
    uint64_t count = count_.load(std::memory_order_relaxed);
    while (count != 0) {
      if (count_.compare_exchange_weak(count, count + 1, std::memory_order_relaxed)) return true;
    }
    return false;
  }

  // Drops a reference. True to exactly one caller: that was the last. ORDERING: what precedes any
  // put happens before the return of true.
  [[nodiscard]] bool put(Domain& domain, const char* call) noexcept {
    // sync[put] acq_rel: release: what this thread did before is visible to whoever drops the last;
    // acquire: who drops the last frees after all that the others did (R4).
    const uint64_t before = count_.fetch_sub(1, std::memory_order_acq_rel);
    if (before == 0) [[unlikely]]
      misused(domain, MisuseKind::kPutBelowZero, call);
    return before == 1;
  }

 private:
  // The count of an element that leaks: so far from 0 that no number of calls leads there.
  static constexpr uint64_t kLeaked = uint64_t{1} << 62;

  void misused(Domain& domain, MisuseKind kind, const char* call) noexcept;

  std::atomic<uint64_t> count_ = 0;
};

}  // namespace PERCPU_PLATFORM
}  // namespace percpu

#endif  // PERCPU_CORE_RCUREF_COUNT_H_
