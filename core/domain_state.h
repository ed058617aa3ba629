// SPDX-License-Identifier: Apache-2.0
// Internal: what is behind a Domain, and what it keeps for each of its refs.
//
// One lock guards every mode change of every ref; get, put and tryget never take it. Callbacks run
// without it. Waiters wait on `something_ended_`, never on memory of a ref.
//
// The worker takes the whole queue as a batch. Every switch in it set ATOMIC before it was queued,
// so one grace period that begins now serves them all; a grace period under way is never joined. The
// manager does the same with the refs that it visits, on a thread of its own (manager_state.h).
#ifndef PERCPU_CORE_DOMAIN_STATE_H_
#define PERCPU_CORE_DOMAIN_STATE_H_

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <thread>

#include "domain.h"
#include "fork_watch.h"
#include "manager_state.h"
#include "percpu_memory.h"
#include "percpu_platform.h"
#include "ref.h"

namespace percpu {
inline namespace PERCPU_PLATFORM {

class RcuState;
class RefillWorker;

// The domain's record of one ref, from init to exit. Guarded by the lock, unless a field says
// otherwise.
struct RefData : ManagedNode {
  Ref* ref = nullptr;
  Ref::Callback release = nullptr;    // fixed by init
  bool allow_reinit = false;          // fixed by init
  bool sticky = false;                // atomic also when live, until switch_to_percpu
  std::atomic<bool> managed = false;  // changes under the lock; read by messages without it
  bool killing = false;  // DEAD is set, and a kill has yet to drop the initial reference, or the
                         // manager to call release
  bool leaving = false;  // an exit waits for the visit under way: there is no other
  bool pending_kill = false;        // the switch under way is the kill's
  void* area = nullptr;             // the percpu counters; null once they are freed
  uint64_t pending = 0;             // ticket of the switch under way; 0: none
  unsigned begun_in = 0;            // the domain's forks() when the last one began
  Ref::Callback confirm = nullptr;  // of the queued switch; the worker's while it completes it
  RefData* queue_next = nullptr;
  RefData* previous = nullptr;  // list of the domain's refs
  RefData* next = nullptr;
};

class DomainState final : public platform::Sections {
 public:
  using Lock = std::unique_lock<std::mutex>;

  explicit DomainState(const DomainOptions& given);
  ~DomainState();

  // Takes `mutex`. Tries for a while first: what is done under it is short, and to sleep and be woken
  // takes longer.
  Lock lock() noexcept {
    for (unsigned pauses = 1; pauses <= platform::kLockPauses; pauses *= 2) {
      if (mutex.try_lock()) return Lock(mutex, std::adopt_lock);
      for (unsigned i = 0; i < pauses; ++i) platform::pause();
    }
    return Lock(mutex);
  }

  // REQUIRES (here and below, where a Lock is asked for): it holds `mutex`.
  void add_ref(RefData* data, Lock&) noexcept;
  void remove_ref(RefData* data, Lock&) noexcept;

  // Marks a switch of the ref as under way.
  void begin_switch(RefData* data, bool kill, Lock&) noexcept {
    data->pending = ++tickets_;
    data->pending_kill = kill;
    data->begun_in = forks_;
  }
  // Hands the switch to the worker, which calls Ref::complete_switches after a grace period. Answers
  // whether the worker is to be woken: without the lock, or it would wake only to wait for that.
  [[nodiscard]] bool queue_switch(RefData* data, Lock&) noexcept;
  void wake_worker() noexcept { queued_.notify_one(); }
  // Marks it as over, for everybody who waits.
  void end_switch(RefData* data, Lock&) noexcept;
  // Tells those who wait that something has ended.
  void notify(const Lock&) noexcept {
    if (waiting_ != 0) something_ended_.notify_all();
  }
  // Waits until done() holds. done is asked under the lock.
  template <typename Done>
  void wait(Lock& lock, Done done) noexcept {
    while (!done()) {
      ++waiting_;
      something_ended_.wait(lock);
      --waiting_;
    }
  }

  // The domain's RCU, made by the first call. ERRORS: as Rcu's constructor.
  RcuState& rcu();
  // The worker that refills pools, made by the first call. ERRORS: as Pool's constructor.
  RefillWorker& refills();

  // REQUIRES: counters that nobody looks at any more.
  void free_counters(RefData* data) noexcept;

  // Returns when every section has ended that did not see a flag set before the call. MAY BLOCK.
  void wait_for_grace_period() noexcept;
  void drain() noexcept;
  // Drains, stops all threads, and reports what is left. Answers whether anything is left, so that
  // this has to stay.
  bool end() noexcept;
  bool ended(const Lock&) const noexcept { return ended_; }

  // Around a fork (fork_watch.h): takes every lock that is behind the domain, in the order refill
  // worker's, pools', `mutex`, the RCU's, the memory's; and gives them back. Not that of grace periods:
  // in a child there is none.
  void lock_for_fork() noexcept;
  void unlock_after_fork(bool in_child) noexcept;
  // How many forks lie between the domain's making and this process. If any, it has no workers.
  unsigned forks(const Lock&) const noexcept { return forks_; }
  // Whether the switch or kill that the ref is in was another thread's at a fork: it never ends.
  bool abandoned(const RefData* data, const Lock&) const noexcept {
    return (data->pending != 0 || data->killing) && data->begun_in != forks_;
  }
  // Whether the calling thread is one that the domain's end has to wait for.
  bool on_worker() noexcept;
  // Keeps this reachable for ever, for leak checkers: what was reported is not to be reported
  // again.
  void leak() noexcept;

  // Tells the handler. REQUIRES: no lock held.
  void report(MisuseKind kind, const Ref* ref, const char* call, const char* state,
              const void* object = nullptr) noexcept;

  const DomainOptions options;
  std::mutex mutex;
  PercpuMemory memory;   // has a lock of its own
  ManagerState manager;  // guarded by mutex

 private:
  void run_worker() noexcept;
  void wait_for_switches(Lock& lock) noexcept;
  void end_rcu(Lock& lock) noexcept;
  size_t report_pools() noexcept;
  void stop_workers() noexcept;
  void drain_in_fork_child(Lock& lock) noexcept;

  std::atomic<uint32_t> printed_ = 0;  // kinds that the default handler has printed

  std::mutex grace_period_mutex_;  // one at a time

  std::condition_variable queued_;           // the worker waits here
  std::condition_variable something_ended_;  // everybody else but the manager
  unsigned waiting_ = 0;                     // on something_ended_
  uint64_t tickets_ = 0;
  RefData* refs_ = nullptr;
  RefData* queue_first_ = nullptr;
  RefData* queue_last_ = nullptr;
  uint64_t switches_queued_ = 0;
  uint64_t switches_completed_ = 0;  // advances by whole batches
  bool stopping_ = false;
  bool ended_ = false;
  unsigned forks_ = 0;
  DomainState* leaked_next_ = nullptr;
  std::unique_ptr<RcuState> rcu_;          // guarded by mutex until it is there
  std::unique_ptr<RefillWorker> refills_;  // so is this
  ForkWatch fork_watch_;
  std::thread worker_;  // last: it uses all of the above
};

}  // namespace PERCPU_PLATFORM
}  // namespace percpu

#endif  // PERCPU_CORE_DOMAIN_STATE_H_
