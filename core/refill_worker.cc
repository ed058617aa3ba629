// SPDX-License-Identifier: Apache-2.0
#include "refill_worker.h"

#include <new>

#include "check.h"
#include "pool.h"

namespace percpu {
inline namespace PERCPU_PLATFORM {

RefillWorker::RefillWorker() : worker_([this] { run(); }) {}

RefillWorker::~RefillWorker() {
  PERCPU_CHECK(!worker_.joinable());
}

void RefillWorker::add(Pool* pool) noexcept {
  Lock lock(mutex_);
  pool->refills_.next = pools_;
  if (pools_ != nullptr) pools_->refills_.previous = pool;
  pools_ = pool;
}

void RefillWorker::remove(Pool* pool) noexcept {
  Lock lock(mutex_);
  PERCPU_CHECK(pool != current_);
  const RefillRecord& record = pool->refills_;
  if (record.next != nullptr) record.next->refills_.previous = record.previous;
  (record.previous != nullptr ? record.previous->refills_.next : pools_) = record.next;
}

void RefillWorker::hold(Pool* pool) noexcept {
  Lock lock(mutex_);
  // relaxed: the worker looks under the lock before it begins; a refill under way now and then.
  pool->refills_.state.fetch_add(RefillRecord::kHolder, std::memory_order_relaxed);
  while (current_ == pool) {
    ++waiting_;
    ended_.wait(lock);
    --waiting_;
  }
}

void RefillWorker::let_go(Pool* pool) noexcept {
  std::atomic<uint32_t>& state = pool->refills_.state;
  // relaxed (both): a refill that begins later takes the pool's lock.
  uint32_t seen = state.load(std::memory_order_relaxed), then;
  do {
    then = (seen - RefillRecord::kHolder) & ~RefillRecord::kWanted;
  } while (!state.compare_exchange_weak(seen, then, std::memory_order_relaxed));
}

void RefillWorker::run() noexcept {
  while (true) {
    kick_.wait();
    Lock lock(mutex_);
    if (stopping_) return;
    ++rounds_begun_;
    while (Pool* pool = next_wanted(lock)) refill(pool, lock);
    rounds_ended_ = rounds_begun_;
    if (waiting_ != 0) ended_.notify_all();
  }
}

Pool* RefillWorker::next_wanted(Lock&) noexcept {
  for (Pool* pool = pools_; pool != nullptr; pool = pool->refills_.next) {
    RefillRecord& record = pool->refills_;
    if (record.round == rounds_begun_) continue;  // who has asked since has kicked again
    uint32_t wanted = RefillRecord::kWanted;      // and not held
    // sync[refill] acquire: whoever has set it has counted before what it took. relaxed: nothing
    // was found.
    if (record.state.compare_exchange_strong(wanted, 0, std::memory_order_acquire,
                                             std::memory_order_relaxed)) {
      record.round = rounds_begun_;
      return pool;
    }
  }
  return nullptr;
}

void RefillWorker::refill(Pool* pool, Lock& lock) noexcept {
  current_ = pool;
  lock.unlock();
  pool->refill();
  lock.lock();
  current_ = nullptr;
  if (waiting_ != 0) ended_.notify_all();
}

void RefillWorker::wait_for_refills() noexcept {
  Lock lock(mutex_);
  const uint64_t needed = rounds_begun_ + 1;  // one under way may have passed the pool by
  kick_.notify();
  while (rounds_ended_ < needed) {
    ++waiting_;
    ended_.wait(lock);
    --waiting_;
  }
}

void RefillWorker::stop() noexcept {
  wait_for_refills();
  {
    Lock lock(mutex_);
    stopping_ = true;
    kick_.notify();
  }
  worker_.join();
}

void RefillWorker::lock_for_fork() noexcept {
  mutex_.lock();
  for (Pool* pool = pools_; pool != nullptr; pool = pool->refills_.next) pool->mutex_.lock();
}

void RefillWorker::unlock_after_fork(bool in_child) noexcept {
  if (in_child) {
    // The thread is not here, and with it the refill that may have been under way: between two
    // areas, since it had no pool's lock.
    current_ = nullptr;
    waiting_ = 0;
    new (&ended_) std::condition_variable;
  }
  for (Pool* pool = pools_; pool != nullptr; pool = pool->refills_.next) pool->mutex_.unlock();
  mutex_.unlock();
}

Pool* RefillWorker::next(const Pool* pool) noexcept {
  Lock lock(mutex_);
  return pool == nullptr ? pools_ : pool->refills_.next;
}

}  // namespace PERCPU_PLATFORM
}  // namespace percpu
