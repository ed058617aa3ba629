// SPDX-License-Identifier: Apache-2.0
#include "domain_state.h"

#include <cstdlib>
#include <new>
#include <stdexcept>
#include <system_error>

#include "callback_scope.h"
#include "check.h"
#include "pool.h"
#include "rcu_state.h"
#include "refill_worker.h"

namespace percpu {
inline namespace PERCPU_PLATFORM {
namespace {

unsigned chosen_cpus(const DomainOptions& options) {
  if (!platform::kCpusAreChosen || options.cpus == 0) return platform::default_cpus();
  if (options.cpus > platform::kMaxCpus) throw std::invalid_argument("percpu: too many cpus");
  return options.cpus;
}

std::atomic<DomainState*> leaked = nullptr;

}  // namespace

DomainState::DomainState(const DomainOptions& given)
    : Sections(chosen_cpus(given), given.cpu_index, given.cpu_index_context),
      options(given),
      memory(cpus()),
      manager(*this),
      fork_watch_(*this),
      worker_([this] { run_worker(); }) {}

DomainState::~DomainState() {
  PERCPU_CHECK(!worker_.joinable());
}

void DomainState::add_ref(RefData* data, Lock&) noexcept {
  data->next = refs_;
  if (refs_ != nullptr) refs_->previous = data;
  refs_ = data;
}

void DomainState::remove_ref(RefData* data, Lock&) noexcept {
  if (data->next != nullptr) data->next->previous = data->previous;
  if (data->previous != nullptr) {
    data->previous->next = data->next;
  } else {
    refs_ = data->next;
  }
}

bool DomainState::queue_switch(RefData* data, Lock&) noexcept {
  PERCPU_CHECK(data->pending != 0);
  const bool was_empty = queue_last_ == nullptr;
  data->queue_next = nullptr;
  if (was_empty) {
    queue_first_ = data;
  } else {
    queue_last_->queue_next = data;
  }
  queue_last_ = data;
  ++switches_queued_;
  return was_empty;
}

void DomainState::end_switch(RefData* data, Lock& lock) noexcept {
  data->pending = 0;
  if (data->pending_kill) data->killing = false;
  notify(lock);
}

void DomainState::wait_for_grace_period() noexcept {
  std::lock_guard<std::mutex> one_at_a_time(grace_period_mutex_);
  Sections::wait_for_grace_period();
}

void DomainState::run_worker() noexcept {
  Lock lock(mutex);
  while (true) {
    while (queue_first_ == nullptr && !stopping_) queued_.wait(lock);
    if (queue_first_ == nullptr) return;
    RefData* const batch = queue_first_;
    const uint64_t queued = switches_queued_;
    queue_first_ = queue_last_ = nullptr;
    lock.unlock();
    for (RefData* data = batch; data != nullptr; data = data->queue_next) {
      before_grace_period(data->ref);
    }
    wait_for_grace_period();
    Ref::complete_switches(*this, batch);
    lock = this->lock();
    switches_completed_ = queued;
    notify(lock);
  }
}

RcuState& DomainState::rcu() {
  Lock lock(mutex);
  if (rcu_ != nullptr) return *rcu_;
  if (forks_ != 0 || !platform::RcuReaders::available()) {
    lock.unlock();
    report(MisuseKind::kForkChild, nullptr, "Rcu", "in the child of a fork");
    throw std::system_error(std::make_error_code(std::errc::operation_not_permitted),
                            "percpu: no RCU in the child of a fork");
  }
  rcu_ = std::make_unique<RcuState>(*this);
  return *rcu_;
}

RefillWorker& DomainState::refills() {
  Lock lock(mutex);
  if (refills_ == nullptr) refills_ = std::make_unique<RefillWorker>();
  return *refills_;
}

void DomainState::free_counters(RefData* data) noexcept {
  PERCPU_CHECK(memory.free(data->area) == Ref::kCounterSize);  // or they were freed twice
  data->area = nullptr;
}

bool DomainState::on_worker() noexcept {
  Lock lock(mutex);
  return std::this_thread::get_id() == worker_.get_id() || (rcu_ != nullptr && rcu_->on_worker()) ||
         manager.scanning_here(lock);
}

void DomainState::drain() noexcept {
  if (CallbackScope::active()) {
    report(MisuseKind::kWaitInCallback, nullptr, "drain", "in a callback");
    return;
  }
  Lock lock(mutex);
  RcuState* const rcu = rcu_.get();
  RefillWorker* const refills = refills_.get();
  if (rcu != nullptr && RcuState::in_reader()) {
    lock.unlock();
    report(MisuseKind::kWaitInReader, nullptr, "drain", "in a reader");
    return;
  }
  if (forks_ != 0) return drain_in_fork_child(lock);
  wait_for_switches(lock);
  lock.unlock();
  if (rcu != nullptr) rcu->wait_for_callbacks();
  if (refills != nullptr) refills->wait_for_refills();
}

// What was queued at the fork never completes.
void DomainState::drain_in_fork_child(Lock& lock) noexcept {
  const bool drained =
      switches_completed_ == switches_queued_ && (rcu_ == nullptr || rcu_->nothing_queued());
  lock.unlock();
  if (!drained) report(MisuseKind::kForkChild, nullptr, "drain", "in the child of a fork");
}

// A release may queue an RCU callback, and that a switch: waits until a round has found nothing
// new, so that neither worker has anything left to do when the first of them stops.
void DomainState::end_rcu(Lock& lock) noexcept {
  RcuState& rcu = *rcu_;
  uint64_t switches, callbacks;
  do {
    switches = switches_queued_;
    callbacks = rcu.queued();
    wait_for_switches(lock);
    lock.unlock();
    rcu.wait_for_callbacks();
    lock.lock();
  } while (switches_queued_ != switches || rcu.queued() != callbacks);
  lock.unlock();
  rcu.stop();
  lock.lock();
}

void DomainState::wait_for_switches(Lock& lock) noexcept {
  const uint64_t target = switches_queued_;
  wait(lock, [&] { return switches_completed_ >= target; });
}

// Answers the bytes that they have in stock, for each CPU.
size_t DomainState::report_pools() noexcept {
  size_t bytes = 0;
  for (Pool* pool = refills_->next(nullptr); pool != nullptr; pool = refills_->next(pool)) {
    bytes += pool->cached() * PercpuMemory::bytes(pool->size_);
    report(MisuseKind::kPoolAlive, nullptr, "~Domain", "not destroyed", pool);
  }
  return bytes;
}

void DomainState::stop_workers() noexcept {
  {
    Lock lock(mutex);
    if (forks_ != 0) return;  // there is none to join
    manager.end(lock);
    if (rcu_ != nullptr) end_rcu(lock);
    stopping_ = true;
    queued_.notify_one();
  }
  worker_.join();  // unreached: it is; clang does not count it, behind such a block
  if (refills_ != nullptr) refills_->stop();  // now that no callback can ask for more
}

bool DomainState::end() noexcept {
  stop_workers();
  Lock lock(mutex);
  ended_ = true;
  const size_t used = memory.used_bytes();
  size_t owned_by_refs = 0;
  // Nobody but a thread that breaks the contract changes the list now, and none of it is freed.
  for (RefData* data = refs_; data != nullptr; data = data->next) {
    if (data->area != nullptr) owned_by_refs += Ref::kCounterSize;
    const Ref* ref = data->ref;
    lock.unlock();
    report(MisuseKind::kRefNotExited, ref, "~Domain", "not exited");
    lock.lock();
  }
  const bool refs_left = refs_ != nullptr;
  const bool handles_left = forks_ != 0;  // of threads that stayed in the parent
  lock.unlock();
  const bool pools_left = refills_ != nullptr && refills_->next(nullptr) != nullptr;
  const size_t owned_by_pools = pools_left ? report_pools() : 0;
  const bool areas_left = used > owned_by_refs + owned_by_pools;
  if (areas_left) report(MisuseKind::kAreaNotFreed, nullptr, "~Domain", "areas not freed");
  return refs_left || pools_left || areas_left || handles_left;
}

void DomainState::lock_for_fork() noexcept {
  mutex.lock();
  if (RefillWorker* const refills = refills_.get(); refills != nullptr) {
    mutex.unlock();
    refills->lock_for_fork();
    mutex.lock();
  }
  if (rcu_ != nullptr) rcu_->lock_for_fork();
  memory.lock_for_fork();
}

void DomainState::unlock_after_fork(bool in_child) noexcept {
  if (in_child) {
    ++forks_;
    // Those who waited are not here. A condition variable goes on counting them, so that a call on
    // it could wait for them to leave: anew, without the end of the old one, which would do that.
    waiting_ = 0;
    new (&queued_) std::condition_variable;
    new (&something_ended_) std::condition_variable;
  }
  if (in_child) manager.forget_thread();
  memory.unlock_after_fork();
  if (rcu_ != nullptr) rcu_->unlock_after_fork(in_child);
  RefillWorker* const refills = refills_.get();
  mutex.unlock();
  if (refills != nullptr) refills->unlock_after_fork(in_child);
}

void DomainState::leak() noexcept {
  // relaxed: the list is only ever looked at by leak checkers, which stop the world.
  DomainState* head = leaked.load(std::memory_order_relaxed);
  do {
    leaked_next_ = head;
  } while (!leaked.compare_exchange_weak(head, this, std::memory_order_relaxed));
}

void DomainState::report(MisuseKind kind, const Ref* ref, const char* call, const char* state,
                         const void* object) noexcept {
  const Misuse misuse{kind, ref, call, state, object};
  if (options.misuse != nullptr) {
    options.misuse(misuse, options.misuse_context);
  } else {
    const uint32_t bit = uint32_t{1} << static_cast<unsigned>(kind);
    // relaxed: one caller finds the bit clear; nothing else depends on it.
    if ((printed_.fetch_or(bit, std::memory_order_relaxed) & bit) == 0) print_misuse(misuse);
  }
  if (options.misuse_is_fatal) std::abort();
}

}  // namespace PERCPU_PLATFORM
}  // namespace percpu
