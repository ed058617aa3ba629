// SPDX-License-Identifier: Apache-2.0
#include "manager_state.h"

#include <algorithm>
#include <system_error>

#include "callback_scope.h"
#include "check.h"
#include "domain_state.h"

namespace percpu {
inline namespace PERCPU_PLATFORM {
namespace {

using Clock = std::chrono::steady_clock;

// Where the sum cannot be told, the end of time.
Clock::time_point later(Clock::time_point now, std::chrono::nanoseconds interval) noexcept {
  return interval < Clock::time_point::max() - now ? now + interval : Clock::time_point::max();
}

RefData& data_of(ManagedNode* node) noexcept {
  return *static_cast<RefData*>(node);
}

}  // namespace

ManagerState::~ManagerState() {
  PERCPU_CHECK(!thread_.joinable());
}

void ManagerState::add(RefData& data, Lock&) noexcept {
  data.append_to(waiting_);
}

void ManagerState::remove(RefData& data, Lock& lock) noexcept {
  data.leaving = true;
  domain_.wait(lock, [&] { return data.pending == 0; });
  data.leave();
  data.killing = false;  // its release, if it was to come, does not
}

bool ManagerState::may_wait(const char* call) noexcept {
  if (!CallbackScope::active()) return true;
  domain_.report(MisuseKind::kWaitInCallback, nullptr, call, "in a callback");
  return false;
}

bool ManagerState::refuse_fork_child(const char* call, Lock& lock) noexcept {
  if (domain_.forks(lock) == 0) return false;
  lock.unlock();
  domain_.report(MisuseKind::kForkChild, nullptr, call, "in the child of a fork");
  return true;
}

Status ManagerState::start(const ManagerOptions& options) noexcept {
  constexpr const char* kCall = "Manager::start";
  if (options.scan_interval <= std::chrono::nanoseconds(0) || options.max_scan_count <= 0) {
    return Status::kInvalidArgument;
  }
  if (!may_wait(kCall)) return Status::kRefused;
  Lock lock(domain_.mutex);
  domain_.wait(lock, [this] { return phase_ != Phase::kStopping; });
  if (refuse_fork_child(kCall, lock)) return Status::kRefused;
  const bool ended = domain_.ended(lock);
  if (ended || phase_ == Phase::kRunning) {
    lock.unlock();
    domain_.report(ended ? MisuseKind::kDomainEnded : MisuseKind::kManagerRuns, nullptr, kCall,
                   ended ? "the domain has ended" : "running");
    return Status::kRefused;
  }
  try {
    thread_ = std::thread([this, options] { run(options); });
  } catch (const std::system_error&) {
    return Status::kOutOfMemory;
  } catch (const std::bad_alloc&) {
    return Status::kOutOfMemory;
  }
  phase_ = Phase::kRunning;
  return Status::kOk;
}

bool ManagerState::stop() noexcept {
  if (!may_wait("Manager::stop")) return false;
  Lock lock(domain_.mutex);
  end(lock);
  return true;
}

void ManagerState::end(Lock& lock) noexcept {
  if (phase_ == Phase::kRunning) {
    phase_ = Phase::kStopping;
    stop_asked_.notify_one();
    lock.unlock();
    thread_.join();
    lock.lock();
    phase_ = Phase::kStopped;
    domain_.notify(lock);
  }
  // Another thread's stop, or run by hand.
  domain_.wait(lock, [this] { return phase_ != Phase::kStopping && !scanning_; });
}

void ManagerState::run(ManagerOptions options) noexcept {
  Lock lock(domain_.mutex);
  Clock::time_point next = later(Clock::now(), options.scan_interval);
  while (phase_ != Phase::kStopping) {
    if (Clock::now() < next) {
      stop_asked_.wait_until(lock, next);
      continue;  // it may have been woken to stop, or for nothing
    }
    scan(options.max_scan_count, lock);
    // A run that took longer than the interval does not make the next ones come sooner.
    next = later(std::max(next, Clock::now() - options.scan_interval), options.scan_interval);
  }
}

Scan ManagerState::scan(int max_scan_count) noexcept {
  constexpr const char* kCall = "Manager::scan_once";
  if (max_scan_count <= 0 || !may_wait(kCall)) return {};
  Lock lock(domain_.mutex);
  if (refuse_fork_child(kCall, lock)) return {};
  if (domain_.ended(lock)) {
    lock.unlock();
    domain_.report(MisuseKind::kDomainEnded, nullptr, kCall, "the domain has ended");
    return {};
  }
  return scan(max_scan_count, lock);
}

// One run; ref_modes.cc has what it does to each ref.
Scan ManagerState::scan(int max_scan_count, Lock& lock) noexcept {
  const uint64_t turn = runs_asked_++;
  domain_.wait(lock, [this, turn] { return runs_done_ == turn; });
  scanning_ = true;
  scanner_ = std::this_thread::get_id();
  ManagedNode visited, dead;
  Scan done;
  done.visited = begin_visits(max_scan_count, visited, lock);
  lock.unlock();
  if (done.visited != 0) end_visits(visited, dead);
  lock.lock();
  done.released = release(dead, lock);
  scanning_ = false;
  ++runs_done_;
  domain_.notify(lock);
  return done;
}

unsigned ManagerState::begin_visits(int most, ManagedNode& visited, Lock& lock) noexcept {
  unsigned count = 0;
  for (; most > 0 && !waiting_.alone(); --most, ++count) {
    RefData& data = data_of(waiting_.next());
    data.leave();
    data.append_to(visited);
    domain_.begin_switch(&data, false, lock);
    data.ref->begin_visit();
  }
  return count;
}

// Without the lock: as long as a ref is being visited, nobody else takes it off `visited`.
void ManagerState::end_visits(ManagedNode& visited, ManagedNode& dead) noexcept {
  ManagedNode* node = visited.next();
  for (; node != &visited; node = node->next()) {
    domain_.before_grace_period(data_of(node).ref);
  }
  domain_.wait_for_grace_period();
  while (!visited.alone()) {
    RefData& data = data_of(visited.next());
    domain_.after_grace_period(data.ref);
    data.ref->sum_for_visit();
    Lock lock(domain_.mutex);
    data.leave();
    data.killing = data.ref->end_visit();  // until release begins
    if (data.killing) {
      data.append_to(dead);
    } else if (!data.leaving) {
      data.append_to(waiting_);
    }
    domain_.end_switch(&data, lock);
  }
}

unsigned ManagerState::release(ManagedNode& dead, Lock& lock) noexcept {
  unsigned released = 0;
  for (; !dead.alone(); ++released) {
    RefData& data = data_of(dead.next());
    data.leave();
    data.killing = false;
    domain_.notify(lock);  // a reinit may be waiting for this
    Ref* const ref = data.ref;
    lock.unlock();
    ref->reached_zero(data.release);
    lock.lock();
  }
  return released;
}

}  // namespace PERCPU_PLATFORM
}  // namespace percpu
