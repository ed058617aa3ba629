// SPDX-License-Identifier: Apache-2.0
// Domain: what several refs share: the CPUs, the percpu memory, and the worker that completes
// switches and runs callbacks. A program may have several; they share nothing.
//
//   call       before the end       in a callback
//   ---------  -------------------  ---------------------------------------------------------
//   Domain()   starts the worker    ok
//   drain()    waits                misuse, returns at once
//   ~Domain()  waits, then reports  misuse; on a worker of its own everything is leaked, on
//              what is left         another thread it goes on
// In an RCU reader both are misuse, too (rcu.h), and ~Domain leaks everything. A run of the manager
// (manager.h) that is under way is waited for by ~Domain, not by drain.
//
// Who may call what, when: anything from any thread. The domain outlives every call on its refs,
// and its end comes after their exit. What is left at the end (refs not exited, areas not freed) is
// reported, and then nothing is freed under anyone: such a ref may still get, put and exit, but not
// switch.
#ifndef PERCPU_CORE_DOMAIN_H_
#define PERCPU_CORE_DOMAIN_H_

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
  // is queued by then has returned. What these queue in turn is not waited for. MAY BLOCK.
  void drain() noexcept;

  unsigned cpus() const noexcept;

 private:
  friend class Manager;
  friend class Rcu;
  friend class Ref;
  friend class RefCount;
  DomainState* const state_;
};

}  // namespace PERCPU_PLATFORM
}  // namespace percpu

#endif  // PERCPU_CORE_DOMAIN_H_
