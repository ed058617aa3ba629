// SPDX-License-Identifier: Apache-2.0
#include "targets/foreign/atomic_count.h"

#include <new>

// ATOMIC_COUNT_BROKEN builds one of the classic mistakes in.
#ifndef ATOMIC_COUNT_BROKEN
#define ATOMIC_COUNT_BROKEN kNothing
#endif

namespace atomic_count {
namespace {

enum class Broken : uint8_t {
  kNothing,
  kRelaxedPut,      // the last put does not acquire: release misses what others wrote
  kRevivingTryget,  // looks at the count, then adds: takes a reference of what is at its end
  kFreedAtOnce,     // frees the block in the last put, under the trygets that look at it
};
constexpr Broken kBroken = Broken::ATOMIC_COUNT_BROKEN;

}  // namespace

Domain::Domain() : reclaimer_(&Domain::reclaim, this) {}

Domain::~Domain() {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    ends_ = true;
  }
  changed_.notify_all();
  reclaimer_.join();
}

void Domain::drain() {
  std::unique_lock<std::mutex> lock(mutex_);
  changed_.wait(lock, [this] { return retired_.empty() && !reclaiming_; });
}

void Domain::retire(Count& count) {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    retired_.push_back(&count);
  }
  changed_.notify_all();
}

void Domain::reclaim() {
  std::unique_lock<std::mutex> lock(mutex_);
  for (;;) {
    changed_.wait(lock, [this] { return ends_ || !retired_.empty(); });
    if (retired_.empty()) return;
    Count* const count = retired_.front();
    retired_.pop_front();
    reclaiming_ = true;
    lock.unlock();
    count->end();
    lock.lock();
    reclaiming_ = false;
    changed_.notify_all();
  }
}

bool Count::init(Domain& domain, Callback release, uint8_t) {
  Block* const block = new (std::nothrow) Block;
  if (block == nullptr) return false;
  domain_ = &domain;
  release_ = release;
  // relaxed: whoever calls anything else knows of the init.
  block_.store(block, std::memory_order_relaxed);
  return true;
}

void Count::get() {
  // relaxed, both: a reference is held, so the block stays, and the count is not 0.
  block_.load(std::memory_order_relaxed)->references.fetch_add(1, std::memory_order_relaxed);
}

void Count::put() {
  // relaxed: as in get; until the reference is dropped.
  Block* const block = block_.load(std::memory_order_relaxed);
  Domain* const domain = domain_;
  // sync[atomic_count_put] acq_rel: what each holder did before its put happens before release.
  constexpr auto order =
      kBroken == Broken::kRelaxedPut ? std::memory_order_relaxed : std::memory_order_acq_rel;
  if (block->references.fetch_sub(1, order) != 1) return;
  if constexpr (kBroken == Broken::kFreedAtOnce)
    end();
  else
    domain->retire(*this);
}

bool Count::tryget() {
  // sync[atomic_count_grace] seq_cst: either the reclaimer sees this tryget, or this one sees no block.
  domain_->trygets_.fetch_add(1, std::memory_order_seq_cst);
  bool taken = false;
  // sync[atomic_count_grace] seq_cst: see above; and acquire: what init wrote in it.
  if (Block* const block = block_.load(std::memory_order_seq_cst); block != nullptr) {
    // relaxed: a tryget orders nothing.
    uint64_t references = block->references.load(std::memory_order_relaxed);
    if constexpr (kBroken == Broken::kRevivingTryget) {
      taken = references != 0;
      if (taken) block->references.fetch_add(1, std::memory_order_relaxed);
    } else {
      while (references != 0 && !taken)
        taken = block->references.compare_exchange_weak(references, references + 1,
                                                        std::memory_order_relaxed);
    }
  }
  // sync[atomic_count_grace] release: what was read of the block is read before it is freed.
  domain_->trygets_.fetch_sub(1, std::memory_order_release);
  return taken;
}

bool Count::is_zero() const {
  // Looks at the block as tryget does.
  // sync[atomic_count_grace] seq_cst: as in tryget.
  domain_->trygets_.fetch_add(1, std::memory_order_seq_cst);
  // sync[atomic_count_grace] seq_cst: as in tryget; no block: what the reclaimer saw of the puts.
  const Block* const block = block_.load(std::memory_order_seq_cst);
  // sync[atomic_count_put] acquire: who sees 0 sees what the holders did before their puts.
  const bool zero = block == nullptr || block->references.load(std::memory_order_acquire) == 0;
  // sync[atomic_count_grace] release: as in tryget.
  domain_->trygets_.fetch_sub(1, std::memory_order_release);
  return zero;
}

void Count::end() {
  Domain* const domain = domain_;
  // sync[atomic_count_grace] seq_cst: who comes later sees no block.
  Block* const block = block_.exchange(nullptr, std::memory_order_seq_cst);
  if constexpr (kBroken != Broken::kFreedAtOnce) {
    // sync[atomic_count_grace] seq_cst: who came before is waited for; and acquire, for what it has read.
    while (domain->trygets_.load(std::memory_order_seq_cst) != 0) std::this_thread::yield();
  }
  release_(*this);
  delete block;
}

}  // namespace atomic_count
