// SPDX-License-Identifier: Apache-2.0
// Internal: the pools of a domain, and the thread that refills them. It is not the callbacks'
// worker: an allocator that is slow, or waits, holds up no release.
//
// A pool asks by setting kWanted and kicking, which is all that alloc does. The worker goes round all
// pools once for each kick; it clears kWanted before it looks at the pool, so whoever sets it later
// kicks again, and nobody is overlooked. A refill that fails leaves it clear: nothing happens until
// the next alloc.
//
// While a pool is held no refill of it is under way, and none begins. What was asked for meanwhile is
// forgotten as the hold ends, in one step, the last that let_go takes: were there a moment in
// between, or after it, an alloc that has returned before let_go could still cause a refill.
#ifndef PERCPU_CORE_REFILL_WORKER_H_
#define PERCPU_CORE_REFILL_WORKER_H_

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <thread>

#include "kick.h"
#include "percpu_platform.h"
#include "refill_record.h"

namespace percpu {
inline namespace PERCPU_PLATFORM {

class Pool;

class RefillWorker {
 public:
  // ERRORS: std::system_error (no thread).
  RefillWorker();
  // REQUIRES: stopped.
  ~RefillWorker();

  void add(Pool* pool) noexcept;
  void remove(Pool* pool) noexcept;

  // Signal handlers: yes.
  void kick() noexcept { kick_.notify(); }
  // Holds of several callers add up. hold MAY BLOCK: until a refill under way has stopped.
  void hold(Pool* pool) noexcept;
  void let_go(Pool* pool) noexcept;

  // Waits until every refill has ended that was asked for before. MAY BLOCK.
  void wait_for_refills() noexcept;
  // Waits for refills, then ends the worker.
  void stop() noexcept;
  // Around a fork: its own lock, then each pool's. Nobody else holds both, or takes either with the
  // domain's held.
  void lock_for_fork() noexcept;
  void unlock_after_fork(bool in_child) noexcept;
  // The pool after `pool` in no particular order, the first for null. REQUIRES: stopped.
  Pool* next(const Pool* pool) noexcept;

 private:
  using Lock = std::unique_lock<std::mutex>;

  void run() noexcept;
  Pool* next_wanted(Lock&) noexcept;
  void refill(Pool* pool, Lock& lock) noexcept;

  platform::Kick kick_;
  std::mutex mutex_;  // guards all below
  Pool* pools_ = nullptr;
  Pool* current_ = nullptr;  // the pool that is being refilled
  uint64_t rounds_begun_ = 0;
  uint64_t rounds_ended_ = 0;
  std::condition_variable ended_;  // a refill, or a round
  unsigned waiting_ = 0;           // on ended_
  bool stopping_ = false;
  std::thread worker_;  // last: it uses all of the above
};

}  // namespace PERCPU_PLATFORM
}  // namespace percpu

#endif  // PERCPU_CORE_REFILL_WORKER_H_
