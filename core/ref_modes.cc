// SPDX-License-Identifier: Apache-2.0
// Switches between the modes, kill, and the ways back from death. All of it is serialised by the
// domain's lock and by RefData::pending, which is set while the lock is dropped for a callback or a
// grace period.
//
// From percpu to atomic mode, the only hard one:
//   1. under the lock: a reference is taken (or, for a kill, the initial one used) so that the ref
//      stays; ATOMIC is set; the switch is queued. The bias stays in the shared counter: gets and
//      puts from here on may go to either counter, and none can be mistaken for the last (G2).
//   2. the worker waits for a grace period: no section is left that has not seen ATOMIC, and what
//      such sections did is visible (G6, G7).
//   3. the sum of all counters, less the bias, is added in one step. From here on the shared
//      counter is the count. In several steps, it could pass through 0 on the way.
//   4. the callback; then, in one critical section, the switch is over and its reference dropped.
//      That may be the last, so nothing touches the ref after it but release.
// The worker does 3 and 4 for many refs at a time.
// A visit of the manager is the same up to 3; then, in one critical section, the ref goes back to
// percpu mode, or from the last two references, the manager's and the visit's, to 0.
#include <array>
#include <cstddef>
#include <cstdint>

#include "callback_scope.h"
#include "check.h"
#include "domain_state.h"
#include "ref.h"

namespace percpu {
inline namespace PERCPU_PLATFORM {
namespace {

constexpr const char* kSwitchToAtomic = "switch to atomic mode";  // the worker's call, in messages

}  // namespace

// One call that changes the mode of one ref: holds the domain's lock until finish() or the end.
class ModeChange {
 public:
  // The end of a switch: it is over, and the references that it held are dropped, in one step for
  // everybody who looks under the lock. If they were the last, act() releases; else nothing of the
  // ref is touched any more.
  class End {
   public:
    End() = default;
    End(Ref& ref, uint64_t held, DomainState& domain, DomainState::Lock& lock) noexcept
        : ref_(&ref),
          release_(ref.data_->release),
          held_(held),
          // sync[put] acq_rel: as in put.
          before_(held == 0 ? 1 : ref.count_.fetch_sub(held, std::memory_order_acq_rel)) {
      domain.end_switch(ref.data_, lock);
    }
    // REQUIRES: not the lock.
    void act(const char* call) const noexcept {
      if (before_ > held_) return;
      if (before_ == held_) {
        ref_->reached_zero(release_);
      } else {
        // relaxed: for a message.
        ref_->leak(MisuseKind::kPutBelowZero, call, ref_->word_.load(std::memory_order_relaxed));
      }
    }

   private:
    Ref* ref_ = nullptr;
    Ref::Callback release_ = nullptr;
    uint64_t held_ = 0;
    uint64_t before_ = 1;
  };

  ModeChange(Ref& ref, const char* call) noexcept
      : ref_(ref), data_(*ref.data_), domain_(ref.domain()), call_(call), lock_(domain_.lock()) {}

  // These answer false after they have reported why the call is refused.
  bool refuse(MisuseKind kind) noexcept {
    lock_.unlock();
    ref_.report(kind, call_);
    return false;
  }
  // Whether the domain has a worker for a switch.
  bool has_worker() noexcept {
    if (domain_.ended(lock_)) return refuse(MisuseKind::kDomainEnded);
    if (domain_.forks(lock_) != 0) return refuse(MisuseKind::kForkChild);
    return true;
  }
  // Waits until no switch is pending and, if asked, no kill on its way.
  bool wait_for_turn(bool for_kill_too) noexcept {
    const auto my_turn = [&] { return data_.pending == 0 && !(for_kill_too && data_.killing); };
    if (!my_turn() && CallbackScope::active()) return refuse(MisuseKind::kWaitInCallback);
    if (!my_turn() && domain_.abandoned(&data_, lock_)) return refuse(MisuseKind::kForkChild);
    domain_.wait(lock_, my_turn);
    return true;
  }

  // The same for a switch that a managed ref may not make, whenever it has become one.
  bool wait_for_unmanaged_turn() noexcept {
    if (managed()) return refuse(MisuseKind::kManaged);
    if (!wait_for_turn(false)) return false;
    return !managed() || refuse(MisuseKind::kManaged);
  }

  // To atomic mode on the worker; drops the lock, and answers a ticket to wait with. REQUIRES: percpu
  // mode, and a reference that finish() will drop.
  uint64_t start(Ref::Callback done, bool kill) noexcept {
    data_.confirm = done;
    domain_.begin_switch(&data_, kill, lock_);
    // sync[section] seq_cst: ATOMIC comes before the grace period's loads of the reader counts in
    // the one total order; otherwise a section and the grace period can miss each other.
    ref_.word_.fetch_or(Ref::kAtomic, std::memory_order_seq_cst);
    const uint64_t ticket = data_.pending;
    const bool wake = domain_.queue_switch(&data_, lock_);
    lock_.unlock();
    if (wake) domain_.wake_worker();
    return ticket;
  }
  // REQUIRES: a reference that the caller holds.
  void wait_for_started(uint64_t ticket) noexcept {
    lock_.lock();
    domain_.wait(lock_, [this, ticket] { return data_.pending != ticket; });
  }
  // The same where nothing has to be waited for: runs `done` here, as a switch of its own.
  void run_here(Ref::Callback done, bool kill) noexcept {
    domain_.begin_switch(&data_, kill, lock_);
    if (done == nullptr) return;
    lock_.unlock();
    {
      CallbackScope scope(&ref_);
      done(ref_);
    }
    lock_.lock();
  }
  // The end of the call's own switch, which held `held` references.
  void finish(uint64_t held) noexcept {
    const End end(ref_, held, domain_, lock_);
    lock_.unlock();
    end.act(call_);
  }

  // relaxed: flags that matter here change under the lock only, but for the DEAD of a last put,
  // whose ref nobody may change the mode of.
  uintptr_t word() const noexcept { return ref_.word_.load(std::memory_order_relaxed); }
  bool atomic() const noexcept { return (word() & Ref::kAtomic) != 0; }
  bool dead() const noexcept { return (word() & Ref::kDead) != 0; }
  bool abandoned() const noexcept { return domain_.abandoned(&data_, lock_); }
  // relaxed: changes under the lock only.
  bool managed() const noexcept { return data_.managed.load(std::memory_order_relaxed); }
  bool ended() const noexcept { return domain_.ended(lock_); }
  // From here on the ref is managed when it is live, and never sticky.
  void set_managed() noexcept {
    // relaxed: as in managed().
    data_.managed.store(true, std::memory_order_relaxed);
    data_.sticky = false;
  }
  // The manager may visit the ref. REQUIRES: its reference is counted.
  void hand_to_manager() noexcept { domain_.manager.add(data_, lock_); }
  RefData& data() noexcept { return data_; }

 private:
  Ref& ref_;
  RefData& data_;
  DomainState& domain_;
  const char* const call_;
  DomainState::Lock lock_;
};

// Whether a change of mode may go on, as far as can be told without the lock.
bool Ref::may_change_mode(const char* call) const noexcept {
  // relaxed: ABSENT changes only while nobody else is in a call.
  if (refuse_absent(word_.load(std::memory_order_relaxed), call)) return false;
  if (CallbackScope::confirming(this)) {
    report(MisuseKind::kInConfirm, call);
    return false;
  }
  return true;
}

bool Ref::kill_and_confirm_as(const char* call, Callback confirm) noexcept {
  if (!may_change_mode(call)) return false;
  ModeChange change(*this, call);
  if (change.dead()) return false;
  if (change.managed()) return change.refuse(MisuseKind::kManaged);
  if (change.data().pending != 0 && CallbackScope::active()) {
    return change.refuse(MisuseKind::kWaitInCallback);
  }
  if (!change.atomic() && !change.has_worker()) return false;
  if (change.abandoned()) return change.refuse(MisuseKind::kForkChild);

  // relaxed: what happens after the callback's start, which follows, sees DEAD by coherence (G4).
  word_.fetch_or(kDead, std::memory_order_relaxed);
  change.data().killing = true;
  change.wait_for_turn(false);
  if (!change.atomic()) {
    change.start(confirm, true);
    return true;
  }
  // sync[put] acq_rel: acquire: the callback sees what preceded the puts so far (G7). An addition, since
  // it reads the latest count where a load may return an older one.
  // audit[acq_rel to acquire] kept: clang 14 makes a load of an addition of zero that only acquires.
  if (confirm != nullptr) count_.fetch_add(0, std::memory_order_acq_rel);
  change.run_here(confirm, true);
  change.finish(1);
  return true;
}

bool Ref::switch_to_atomic(Callback done) noexcept {
  return to_atomic("switch_to_atomic", done, false);
}

bool Ref::switch_to_atomic_sync() noexcept {
  return to_atomic("switch_to_atomic_sync", nullptr, true);
}

bool Ref::to_atomic(const char* call, Callback done, bool sync) noexcept {
  if (!may_change_mode(call)) return false;
  ModeChange change(*this, call);
  if (!change.data().allow_reinit) return change.refuse(MisuseKind::kNoReinit);
  if (!change.wait_for_unmanaged_turn()) return false;
  if (!change.atomic()) {
    if (sync && CallbackScope::active()) return change.refuse(MisuseKind::kWaitInCallback);
    if (!change.has_worker()) return false;
    change.data().sticky = true;
    // relaxed: the reference of the switch itself; the bias keeps the counter from 0.
    count_.fetch_add(1, std::memory_order_relaxed);
    const uint64_t ticket = change.start(done, false);
    if (sync) change.wait_for_started(ticket);
    return true;
  }
  change.data().sticky = true;
  if (done == nullptr) return true;
  // The callback may drop its caller's reference, so it runs on one of its own; a dead ref at 0 has
  // none. sync[put] acquire, also at 0: the callback sees what preceded the puts so far (G7). finish
  // drops the reference, with release.
  uint64_t count = count_.load(std::memory_order_acquire);
  bool counted = false;
  while (count != 0 && !counted)
    counted = count_.compare_exchange_weak(count, count + 1, std::memory_order_acquire,
                                           std::memory_order_acquire);
  change.run_here(done, false);
  change.finish(count != 0 ? 1 : 0);
  return true;
}

bool Ref::switch_to_percpu() noexcept {
  constexpr const char* kCall = "switch_to_percpu";
  if (!may_change_mode(kCall)) return false;
  ModeChange change(*this, kCall);
  if (!change.data().allow_reinit) return change.refuse(MisuseKind::kNoReinit);
  if (!change.wait_for_unmanaged_turn()) return false;
  change.data().sticky = false;
  if (change.atomic() && !change.dead()) go_percpu(0);
  return true;
}

bool Ref::switch_to_managed() noexcept {
  constexpr const char* kCall = "switch_to_managed";
  if (!may_change_mode(kCall)) return false;
  ModeChange change(*this, kCall);
  if (!change.data().allow_reinit) return change.refuse(MisuseKind::kNoReinit);
  if (change.managed()) return true;
  if (!change.wait_for_turn(false)) return false;
  if (change.managed()) return true;  // made so meanwhile
  if (change.ended()) return change.refuse(MisuseKind::kDomainEnded);
  change.set_managed();
  if (change.dead()) return true;
  if (change.atomic()) {
    go_percpu(1);
  } else {
    // relaxed: the manager's reference, which it drops after a grace period and under the lock.
    count_.fetch_add(1, std::memory_order_relaxed);
  }
  change.hand_to_manager();
  return true;
}

bool Ref::revive(const char* call, bool from_zero) noexcept {
  if (!may_change_mode(call)) return false;
  ModeChange change(*this, call);
  if (!change.data().allow_reinit) return change.refuse(MisuseKind::kNoReinit);
  if (!change.wait_for_turn(true)) return false;
  if (!change.dead()) return change.refuse(MisuseKind::kNotDead);
  PERCPU_CHECK(change.atomic());
  // sync[put] acquire: a life that starts from 0 comes after the puts that ended the one before.
  const bool zero = count_.load(std::memory_order_acquire) == 0;
  if (zero != from_zero) {
    return change.refuse(zero ? MisuseKind::kCountZero : MisuseKind::kCountNotZero);
  }
  if (!change.data().sticky) {
    go_percpu(live_references(change.data()));
    if (change.managed()) change.hand_to_manager();
    return true;
  }
  // relaxed: the initial reference; it is there before anybody can see the ref live.
  count_.fetch_add(1, std::memory_order_relaxed);
  // sync[publish] release: who sees the ref live sees the initial reference counted.
  word_.fetch_and(~kDead, std::memory_order_release);
  return true;
}

// REQUIRES: the lock; atomic mode, no switch pending but the caller's. `change`: references to count
// at the same time.
void Ref::go_percpu(uint64_t change) noexcept {
  // relaxed: the bias is in before any section can count, by the release below. The caller holds a
  // reference until then, or nobody does, so no put can reach 0 meanwhile.
  count_.fetch_add(kBias + change, std::memory_order_relaxed);
  const uintptr_t area = word_.load(std::memory_order_relaxed) & ~platform::kFlagMask;
  for (unsigned cpu = 0; cpu < sections_->cpus(); ++cpu) {
    // relaxed: published below; the sections before were waited for by the switch to atomic.
    platform::Sections::counter(area, cpu).store(0, std::memory_order_relaxed);
  }
  // sync[publish] release: the zeroed counters are visible before the mode flips; otherwise an add
  // is lost, or an old sum counted twice (G6).
  word_.fetch_and(~(kAtomic | kDead), std::memory_order_release);
}

// The sum of the percpu counters replaces the bias. Answers false if the count comes out below
// `known`, the references that the caller knows to be held: then the ref leaks.
bool Ref::leave_percpu(uint64_t known) noexcept {
  const uint64_t change = sum_counters() - kBias;
  // relaxed: the exchange settles it.
  uint64_t before = count_.load(std::memory_order_relaxed);
  uint64_t after;
  do {
    after = before + change;
    if (after < known || !valid(after)) after = kLeaked;
    // sync[put] acquire: the callback sees the puts on the shared counter, too. What the grace period
    // made visible here, of the puts in percpu mode, is not passed on by this but by what ends the
    // switch or the visit, before the count can be 0: by the release there, or by the lock.
    // audit[acquire to relaxed] kept: on the portable platform a put on the shared counter has been
    // through a section before, whose end the grace period acquires; where a thread has no sections
    // (linux without rseq) there is only this. And a put that comes after the grace period is one
    // that no program can tell from one that comes after this.
  } while (!count_.compare_exchange_weak(before, after, std::memory_order_acquire,
                                         std::memory_order_relaxed));
  return after == before + change;
}

// For the worker. A lock taken for each ref would go back and forth between it and a thread that kills
// many; so it is taken once for a group, and the callbacks of a group come before its releases.
void Ref::complete_switches(DomainState& domain, RefData* batch) noexcept {
  while (batch != nullptr) batch = complete_group(domain, batch);
}

// Answers what is left of the batch.
RefData* Ref::complete_group(DomainState& domain, RefData* const batch) noexcept {
  constexpr size_t kGroup = 64;
  std::array<ModeChange::End, kGroup> ends;
  size_t size = 0;
  RefData* rest = batch;
  for (; rest != nullptr && size < kGroup; rest = rest->queue_next, ++size) {
    domain.after_grace_period(rest->ref);
    rest->ref->become_atomic(domain);
  }
  DomainState::Lock lock = domain.lock();
  RefData* data = batch;  // each stays at least until the lock is dropped
  for (size_t i = 0; i < size; ++i, data = data->queue_next) {
    ends[i] = ModeChange::End(*data->ref, 1, domain, lock);
  }
  lock.unlock();
  for (size_t i = 0; i < size; ++i) ends[i].act(kSwitchToAtomic);
  return rest;
}

// Up to the end of the switch, in which nobody else looks at the counters.
void Ref::become_atomic(DomainState& domain) noexcept {
  if (!leave_percpu(1)) report(MisuseKind::kSumBelowOne, kSwitchToAtomic);
  if (data_->confirm != nullptr) {
    CallbackScope scope(this);
    data_->confirm(*this);
  }
  if (data_->allow_reinit) return;
  // relaxed: nobody looks at the address again.
  word_.fetch_and(platform::kFlagMask, std::memory_order_relaxed);
  domain.free_counters(data_);
}

// A visit of the manager, in three steps. REQUIRES: the lock; a managed ref that is live, marked as
// being switched.
void Ref::begin_visit() noexcept {
  // relaxed: the reference of the visit itself; the bias keeps the counter from 0.
  count_.fetch_add(1, std::memory_order_relaxed);
  // sync[section] seq_cst: as where any switch begins.
  word_.fetch_or(kAtomic, std::memory_order_seq_cst);
}

// REQUIRES: a grace period after begin_visit; not the lock.
void Ref::sum_for_visit() noexcept {
  if (!leave_percpu(kVisitReferences)) report(MisuseKind::kSumBelowOne, "visit of the manager");
}

// Answers whether nobody held a reference: then the ref is dead. REQUIRES: the lock.
bool Ref::end_visit() noexcept {
  uint64_t count = kVisitReferences;
  // sync[put] acq_rel: as in put, since this drops the last.
  if (!count_.compare_exchange_strong(count, 0, std::memory_order_acq_rel,
                                      std::memory_order_relaxed)) {
    go_percpu(-uint64_t{1});
    return false;
  }
  // relaxed: who acts on DEAD takes the lock.
  word_.fetch_or(kDead, std::memory_order_relaxed);
  return true;
}

}  // namespace PERCPU_PLATFORM
}  // namespace percpu
