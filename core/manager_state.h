// SPDX-License-Identifier: Apache-2.0
// Internal: what is behind a Manager: the refs in the order in which they are to be visited, and the
// thread.
//
// There is no position in the list that could dangle: a run takes refs off the front, and puts those
// that stay at the back, where newcomers go, too. So the front is always who has waited longest
// (M2), and a run that takes no more than there were at its beginning meets nobody twice (M3).
//
// No callback runs before the last visit of a run is over, so a visit ends by itself, and exit may
// wait for it anywhere (M4), the releases of the same run included (M6).
#ifndef PERCPU_CORE_MANAGER_STATE_H_
#define PERCPU_CORE_MANAGER_STATE_H_

#include <condition_variable>
#include <mutex>
#include <thread>

#include "manager.h"

namespace percpu {
inline namespace PERCPU_PLATFORM {

class DomainState;
struct RefData;

// A ref's place in one of the manager's lists, which are rings: alone, it is in none. It is part of
// the domain's record of the ref, never of the program's object: that goes when release wants.
class ManagedNode {
 public:
  ManagedNode() noexcept = default;
  ManagedNode(const ManagedNode&) = delete;
  ManagedNode& operator=(const ManagedNode&) = delete;

  bool alone() const noexcept { return next_ == this; }
  ManagedNode* next() const noexcept { return next_; }
  void leave() noexcept {
    previous_->next_ = next_;
    next_->previous_ = previous_;
    previous_ = next_ = this;
  }
  // To the end of the list that begins after `head`. REQUIRES: alone.
  void append_to(ManagedNode& head) noexcept {
    previous_ = head.previous_;
    next_ = &head;
    previous_->next_ = head.previous_ = this;
  }

 private:
  ManagedNode* previous_ = this;
  ManagedNode* next_ = this;
};

// Guarded by the domain's lock, all of it.
class ManagerState {
 public:
  using Lock = std::unique_lock<std::mutex>;

  explicit ManagerState(DomainState& domain) noexcept : domain_(domain) {}
  // REQUIRES: stopped.
  ~ManagerState();

  // The ref is managed and live from here on. REQUIRES (here and below): the domain's lock.
  void add(RefData& data, Lock&) noexcept;
  // Takes the ref out of the manager's hands, for its exit. Waits for the visit under way, and for no other.
  void remove(RefData& data, Lock&) noexcept;

  Status start(const ManagerOptions& options) noexcept;
  bool stop() noexcept;
  bool running(const Lock&) const noexcept { return phase_ == Phase::kRunning; }
  Scan scan(int max_scan_count) noexcept;

  // In the child of a fork: neither the thread nor a run of another thread is here.
  void forget_thread() noexcept {
    phase_ = Phase::kStopped;
    scanning_ = false;
    runs_done_ = runs_asked_;
  }
  // For the domain's end, which is never refused.
  void end(Lock& lock) noexcept;
  // Whether the calling thread is making a run, so that it cannot wait for its end.
  bool scanning_here(const Lock&) const noexcept {
    return scanning_ && scanner_ == std::this_thread::get_id();
  }

 private:
  enum class Phase : unsigned char { kStopped, kRunning, kStopping };

  bool may_wait(const char* call) noexcept;
  // Gives the lock back where it answers true.
  bool refuse_fork_child(const char* call, Lock& lock) noexcept;
  void run(ManagerOptions options) noexcept;
  Scan scan(int max_scan_count, Lock& lock) noexcept;
  unsigned begin_visits(int most, ManagedNode& visited, Lock& lock) noexcept;
  void end_visits(ManagedNode& visited, ManagedNode& dead) noexcept;
  unsigned release(ManagedNode& dead, Lock& lock) noexcept;

  DomainState& domain_;
  ManagedNode waiting_;  // head of the refs to visit
  // Runs come one after the other, in the order in which they were asked for: one that is always due
  // must not keep those by hand waiting for ever (G9).
  uint64_t runs_asked_ = 0;
  uint64_t runs_done_ = 0;
  bool scanning_ = false;
  std::thread::id scanner_;  // while scanning_
  Phase phase_ = Phase::kStopped;
  std::condition_variable stop_asked_;  // the thread waits here between runs
  std::thread thread_;
};

}  // namespace PERCPU_PLATFORM
}  // namespace percpu

#endif  // PERCPU_CORE_MANAGER_STATE_H_
