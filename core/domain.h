// SPDX-License-Identifier: Apache-2.0
// Domain: what several refs share: the CPUs, the percpu memory, and the worker that completes
// switches and runs callbacks. A program may have several; they share nothing.
//
//   call          before the end       in a callback
//   ------------  -------------------  ---------------------------------------------------------
//   Domain()      starts the worker    ok
//   drain()       waits                misuse, returns at once
//   alloc_percpu  ok                   ok
//   free_percpu   ok                   ok
//   ~Domain()     waits, then reports  misuse; on a worker of its own everything is leaked, on
//                 what is left         another thread it goes on
// In an RCU reader drain and ~Domain are misuse, too (rcu.h), and ~Domain leaks everything. A run of
// the manager (manager.h) that is under way is waited for by ~Domain, not by drain.
//
// Who may call what, when: anything from any thread. The domain outlives every call on its refs,
// and its end comes after their exit. What is left at the end (refs not exited, pools not destroyed,
// areas not freed) is reported, and then nothing is freed under anyone: such a ref may still get, put
// and exit, but not switch.
//
// Percpu areas: memory that exists once for each CPU, for counts and the like of a program's own. An
// area is known by its address for CPU 0; per_cpu_ptr finds the others. Every CPU that can come up
// has its own, in cache lines that no other CPU's memory shares. Who frees an area orders all use of
// it before. For those who may not wait for the allocator: pool.h.
//
// fork. The child has the thread that called it, and no worker. A domain made in the child is like
// any other; of one that was made before, and of its refs:
//
//   call                             in the child
//   -------------------------------  ----------------------------------------------------------
//   get, put, tryget, tryget_live    ok
//   is_zero, is_dying                ok
//   init, cancel_init, exit, ~Ref    ok; for a pending switch: as ever, but ~Ref does not wait
//   kill, switch_to_atomic(_sync)    ok in atomic mode; misuse where the worker would be needed
//   switch_to_percpu, _to_managed    ok; but no manager comes
//   resurrect, reinit                ok
//   Manager::start, scan_once        misuse
//   Manager::stop                    ok: it has stopped
//   drain, Rcu::barrier              ok if nothing was queued at the fork; else misuse
//   Rcu::read_lock, read_unlock      ok
//   Rcu()                            ok if the parent has called it for this domain; else misuse
//   Rcu::call, synchronize           misuse
//   alloc_percpu, free_percpu        ok
//   Pool, alloc, fill, empty, ~Pool  ok; but what was made before is not refilled by itself
//   ~Domain                          reports what is left; waits for nothing, leaks its insides
// Misuse of kind fork_child is reported, and changes nothing. It is also what a call meets that
// would wait for a switch, kill or visit which was under way at the fork: in the child that never ends.
// All that other threads were in the middle of stays so: their callbacks stop where they were, what
// was queued does not run, their references are held for ever, and a ref that one of them had in
// init, exit or cancel_init is not to be touched. Counts are right: each get and put is in the
// child's memory, or is not.
//   - Who forks in a callback on a worker: the child may only exec or _exit.
//   - Who forks in an RCU reader, leaves it in the child as ever. On the linux platform with
//     liburcu the child has no RCU beyond that (Rcu() is misuse for new domains, too).
//   - fork MAY BLOCK: on that platform for a grace period of RCU that is under way. The program does
//     not call liburcu's own functions for fork.
//   - After vfork, _Fork or clone, or a fork in a signal handler: only exec or _exit. So for a core
//     built without PERCPU_FORK_HANDLERS (percpu_library.cmake).
//   - Handlers that the program gives to pthread_atfork before its first domain run while the
//     library's locks are held: of all calls they may make get, put (not the last) and tryget.
#ifndef PERCPU_CORE_DOMAIN_H_
#define PERCPU_CORE_DOMAIN_H_

#include <cstddef>
#include <cstdint>

#include "misuse.h"
#include "percpu_platform.h"

namespace percpu {
inline namespace PERCPU_PLATFORM {

class DomainState;

struct DomainOptions {
  // Percpu counters of each ref, 1 to platform::kMaxCpus; 0: the platform's own number. The linux
  // platform always takes its own.
  unsigned cpus = 0;
  // The CPU index of the calling thread, taken modulo cpus; for tests that want to choose it. It
  // may change at any time, and need not be consistent. Null: each thread has a number of its own.
  // The linux platform always asks the kernel.
  unsigned (*cpu_index)(void* context) = nullptr;
  void* cpu_index_context = nullptr;
  // Null: print_misuse, once for each kind.
  MisuseHandler misuse = nullptr;
  void* misuse_context = nullptr;
  // Abort after the handler has returned.
  bool misuse_is_fatal = false;
};

class Domain {
 public:
  // ERRORS: std::bad_alloc, std::system_error (no thread), std::invalid_argument (too many cpus).
  explicit Domain(const DomainOptions& options = {});
  // Stops the manager, completes what is queued, as drain does, then stops the worker and reports
  // what is left. MAY BLOCK.
  ~Domain();
  Domain(const Domain&) = delete;
  Domain& operator=(const Domain&) = delete;

  // Waits until every switch that was queued before the call has completed: callback, the drop of
  // the switch's reference, and release if that was the last; then until every RCU callback that
  // is queued by then has returned; then until every refill of a pool that was asked for by then
  // has ended. What these queue in turn is not waited for. MAY BLOCK.
  void drain() noexcept;

  unsigned cpus() const noexcept;
  // Where the caller runs, or ran a moment ago: a number below cpus(). Signal handlers: yes.
  unsigned current_cpu() const noexcept;

  static constexpr size_t kMaxAreaSize = platform::kStride;          // bytes
  static constexpr size_t kMaxAreaAlignment = platform::kCacheLine;  // bytes

  // A percpu area, all zero on every CPU; or nullptr: out of memory, size 0 or above kMaxAreaSize,
  // an alignment that is no power of two or above kMaxAreaAlignment. MAY BLOCK: in the allocator.
  void* alloc_percpu(size_t size, size_t alignment) noexcept;
  template <typename T>
  T* alloc_percpu() noexcept {
    return static_cast<T*>(alloc_percpu(sizeof(T), alignof(T)));
  }
  // Frees what alloc_percpu or a pool of this domain answered; nullptr: nothing. Any other address
  // is reported (not_an_area), and nothing is done: one inside an area, of another domain, or of an
  // area that has been freed and not handed out since. MAY BLOCK: for a lock.
  void free_percpu(void* area) noexcept;

 private:
  friend class Manager;
  friend class Pool;
  friend class Rcu;
  friend class Ref;
  friend class RefCount;
  DomainState* const state_;
};

// What CPU `cpu` has of an area. REQUIRES: cpu < cpus().
template <typename T>
T* per_cpu_ptr(T* area, unsigned cpu) noexcept {
  return reinterpret_cast<T*>(reinterpret_cast<uintptr_t>(area) + cpu * platform::kStride);
}

}  // namespace PERCPU_PLATFORM
}  // namespace percpu

#endif  // PERCPU_CORE_DOMAIN_H_
