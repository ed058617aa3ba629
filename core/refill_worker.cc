// SPDX-License-Identifier: Apache-2.0
#include "refill_worker.h"

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
  // relaxed: the worker asks under the lock before it begins; one under way looks now and then.
  pool->refills_.holders.fetch_add(1, std::memory_order_relaxed);
  while (current_ == pool) {
    ++waiting_;
    ended_.wait(lock);
    --waiting_;
  }
}

void RefillWorker::let_go(Pool* pool) noexcept {
  Lock lock(mutex_);
  // relaxed (both): the worker looks under the lock. Whoever sets `wanted` later is in a call that
  // ends after this one.
  pool->refills_.wanted.store(false, std::memory_order_relaxed);
  pool->refills_.holders.fetch_sub(1, std::memory_order_relaxed);
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
    // relaxed: written under the lock.
    if (record.holders.load(std::memory_order_relaxed) != 0) continue;
    if (record.round == rounds_begun_) continue;  // who has asked since has kicked again
    // sync[refill] acquire: whoever has set it has counted before what it took.
    if (!record.wanted.exchange(false, std::memory_order_acquire)) continue;
    record.round = rounds_begun_;
    return pool;
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

Pool* RefillWorker::next(const Pool* pool) noexcept {
  Lock lock(mutex_);
  return pool == nullptr ? pools_ : pool->refills_.next;
}

}  // namespace PERCPU_PLATFORM
}  // namespace percpu
