// SPDX-License-Identifier: Apache-2.0
#include "rcu_state.h"

#include "callback_scope.h"
#include "check.h"
#include "domain_state.h"

namespace percpu {
inline namespace PERCPU_PLATFORM {

RcuState::RcuState(DomainState& domain)
    : domain_(domain),
      readers_(domain.cpus(), domain.options.cpu_index, domain.options.cpu_index_context),
      worker_([this] { run_worker(); }) {}

RcuState::~RcuState() {
  PERCPU_CHECK(!worker_.joinable());
}

void* RcuState::enter() noexcept {
  ++depth_;
  return readers_.enter();
}

void RcuState::leave(void* token) noexcept {
  if (depth_ == 0) {
    domain_.report(MisuseKind::kNotInReader, nullptr, "read_unlock", "in no reader");
    return;
  }
  readers_.leave(token);
  --depth_;
}

bool RcuState::may_wait(const char* call) noexcept {
  if (in_reader()) {
    domain_.report(MisuseKind::kWaitInReader, nullptr, call, "in a reader");
    return false;
  }
  if (CallbackScope::active()) {
    domain_.report(MisuseKind::kWaitInCallback, nullptr, call, "in a callback");
    return false;
  }
  return true;
}

bool RcuState::refuse_fork_child(const char* call, const RcuHead* head) noexcept {
  domain_.report(MisuseKind::kForkChild, nullptr, call, "in the child of a fork", head);
  return false;
}

bool RcuState::may_wait_for_readers(const char* call) noexcept {
  if (!may_wait(call)) return false;
  Lock lock(mutex_);
  if (!in_fork_child_) return true;
  lock.unlock();
  return refuse_fork_child(call);
}

bool RcuState::may_wait_for_callbacks(const char* call) noexcept {
  if (!may_wait(call)) return false;
  Lock lock(mutex_);
  if (!in_fork_child_ || callbacks_completed_ == callbacks_queued_) return true;
  lock.unlock();
  return refuse_fork_child(call);
}

void RcuState::wait_for_grace_period() noexcept {
  Lock lock(mutex_);
  const uint64_t needed = grace_periods_begun_ + 1;
  while (grace_periods_ended_ < needed) {
    if (grace_periods_begun_ != grace_periods_ended_) {
      ++grace_period_waiters_;
      grace_period_ended_.wait(lock);
      --grace_period_waiters_;
      continue;
    }
    ++grace_periods_begun_;
    lock.unlock();
    readers_.wait_for_grace_period();
    lock.lock();
    ++grace_periods_ended_;
    if (grace_period_waiters_ != 0) grace_period_ended_.notify_all();
  }
}

bool RcuState::queue(RcuHead& head, RcuHead::Callback callback) noexcept {
  PERCPU_CHECK(callback != nullptr);
  Lock lock(mutex_);
  if (in_fork_child_) {
    lock.unlock();
    return refuse_fork_child("call", &head);
  }
  if (stopping_ || head.callback_ != nullptr) {
    const bool ended = stopping_;
    lock.unlock();
    domain_.report(ended ? MisuseKind::kDomainEnded : MisuseKind::kHeadQueuedTwice, nullptr, "call",
                   ended ? "the domain has ended" : "queued", &head);
    return false;
  }
  head.next_ = nullptr;
  head.callback_ = callback;
  if (last_ != nullptr) {
    last_->next_ = &head;
  } else {
    first_ = &head;
    queued_.notify_one();
  }
  last_ = &head;
  ++callbacks_queued_;
  return true;
}

void RcuState::wait_for_callbacks() noexcept {
  Lock lock(mutex_);
  const uint64_t target = callbacks_queued_;
  while (callbacks_completed_ < target) {
    ++barriers_;
    callbacks_ran_.wait(lock);
    --barriers_;
  }
}

uint64_t RcuState::queued() noexcept {
  Lock lock(mutex_);
  return callbacks_queued_;
}

bool RcuState::nothing_queued() noexcept {
  Lock lock(mutex_);
  return callbacks_completed_ == callbacks_queued_;
}

void RcuState::unlock_after_fork(bool in_child) noexcept {
  if (in_child) {
    in_fork_child_ = true;
    // Nobody waits here, and a notification of those who did could wait for them to leave.
    grace_period_waiters_ = barriers_ = 0;
  }
  mutex_.unlock();
}

void RcuState::run_worker() noexcept {
  Lock lock(mutex_);
  while (true) {
    while (first_ == nullptr && !stopping_) queued_.wait(lock);
    if (first_ == nullptr) return;
    RcuHead* const batch = first_;
    first_ = last_ = nullptr;
    lock.unlock();
    wait_for_grace_period();
    const uint64_t completed = run(batch);
    lock.lock();
    callbacks_completed_ += completed;
    if (barriers_ != 0) callbacks_ran_.notify_all();
  }
}

uint64_t RcuState::run(RcuHead* batch) noexcept {
  uint64_t completed = 0;
  while (batch != nullptr) {
    RcuHead& head = *batch;
    batch = head.next_;  // first: the callback may free the head, or queue it again
    const RcuHead::Callback callback = head.callback_;
    head.callback_ = nullptr;
    CallbackScope scope(nullptr);
    callback(head);
    ++completed;
  }
  return completed;
}

void RcuState::stop() noexcept {
  {
    Lock lock(mutex_);
    stopping_ = true;
    queued_.notify_one();
  }
  worker_.join();
}

}  // namespace PERCPU_PLATFORM
}  // namespace percpu
