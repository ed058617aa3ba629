// SPDX-License-Identifier: Apache-2.0
// Internal: what is behind an Rcu: the readers, grace periods that those who wait at the same time
// share, the queue of callbacks, and the worker that runs them.
//
// The worker takes the whole queue as a batch. Each head in it was queued before the batch's grace
// period begins, so that one serves them all. A grace period under way is never joined: it may have
// looked at a count before a reader raised it that has to be waited for.
#ifndef PERCPU_CORE_RCU_STATE_H_
#define PERCPU_CORE_RCU_STATE_H_

#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <thread>

#include "rcu.h"
#include "rcu_readers.h"

namespace percpu {
inline namespace PERCPU_PLATFORM {

class DomainState;

class RcuState {
 public:
  // ERRORS: std::bad_alloc, std::system_error.
  explicit RcuState(DomainState& domain);
  // REQUIRES: stopped.
  ~RcuState();

  void* enter() noexcept;
  void leave(void* token) noexcept;
  // Whether the calling thread is a reader, of whatever domain.
  static bool in_reader() noexcept { return depth_ != 0; }
  // Whether the calling thread may wait for readers, or for callbacks; reports it if not.
  bool may_wait_for_readers(const char* call) noexcept;
  bool may_wait_for_callbacks(const char* call) noexcept;

  void wait_for_grace_period() noexcept;
  bool queue(RcuHead& head, RcuHead::Callback callback) noexcept;
  void wait_for_callbacks() noexcept;

  uint64_t queued() noexcept;  // so far
  bool nothing_queued() noexcept;
  bool on_worker() const noexcept { return std::this_thread::get_id() == worker_.get_id(); }
  // Ends the worker; from here on nothing can be queued. REQUIRES: nothing is queued.
  void stop() noexcept;

  // For DomainState.
  void lock_for_fork() noexcept { mutex_.lock(); }
  void unlock_after_fork(bool in_child) noexcept;

 private:
  using Lock = std::unique_lock<std::mutex>;

  bool may_wait(const char* call) noexcept;
  bool refuse_fork_child(const char* call, const RcuHead* head = nullptr) noexcept;
  void run_worker() noexcept;
  static uint64_t run(RcuHead* batch) noexcept;

  static thread_local constinit inline unsigned depth_ = 0;  // readers that the thread is in

  DomainState& domain_;
  platform::RcuReaders readers_;

  std::mutex mutex_;  // guards all below
  std::condition_variable grace_period_ended_;
  uint64_t grace_periods_begun_ = 0;
  uint64_t grace_periods_ended_ = 0;  // equal, or one less while one is in flight
  unsigned grace_period_waiters_ = 0;

  std::condition_variable queued_;  // the worker waits here
  std::condition_variable callbacks_ran_;
  unsigned barriers_ = 0;  // waiters on callbacks_ran_
  RcuHead* first_ = nullptr;
  RcuHead* last_ = nullptr;
  uint64_t callbacks_queued_ = 0;
  uint64_t callbacks_completed_ = 0;  // advances by whole batches
  bool stopping_ = false;
  bool in_fork_child_ = false;  // the worker and most readers stayed in the parent
  std::thread worker_;          // last: it uses all of the above
};

}  // namespace PERCPU_PLATFORM
}  // namespace percpu

#endif  // PERCPU_CORE_RCU_STATE_H_
