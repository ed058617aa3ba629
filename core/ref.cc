// SPDX-License-Identifier: Apache-2.0
// Counting on the shared counter, and the beginning and the end of a life.
#include "ref.h"

#include <new>

#include "callback_scope.h"
#include "check.h"
#include "domain_state.h"

namespace percpu {
inline namespace PERCPU_PLATFORM {
namespace {

// The flags are the low three bits of the word: atomic, dead, not initialised.
const char* state_name(uintptr_t word, bool managed) noexcept {
  static constexpr const char* kNames[] = {"percpu", "atomic", "percpu, dead", "atomic, dead"};
  // Atomic: the manager is looking.
  static constexpr const char* kManaged[] = {"managed", "managed, atomic", "managed, percpu, dead",
                                             "managed, dead"};
  return (word & 4) != 0 ? "not initialised" : (managed ? kManaged : kNames)[word & 3];
}

// relaxed: for messages.
bool is_managed(const RefData* data) noexcept {
  return data != nullptr && data->managed.load(std::memory_order_relaxed);
}

}  // namespace

DomainState& Ref::domain() const noexcept {
  return *static_cast<DomainState*>(sections_);
}

const char* Ref::state() const noexcept {
  // relaxed: says what the state is about now, in a message.
  const uintptr_t word = word_.load(std::memory_order_relaxed);
  return state_name(word, (word & kAbsent) == 0 && is_managed(data_));
}

void Ref::report(MisuseKind kind, const char* call) const noexcept {
  if (sections_ != nullptr) {
    domain().report(kind, this, call, state());
  } else {
    print_misuse({kind, this, call, state()});  // never initialised: there is no handler to ask
  }
}

bool Ref::refuse_count(const char* call) const noexcept {
  report(MisuseKind::kBadCount, call);
  return true;
}

bool Ref::refuse_absent(uintptr_t word, const char* call) const noexcept {
  if ((word & kAbsent) == 0) return false;
  report(MisuseKind::kNotInitialised, call);
  return true;
}

// The ref can no longer be trusted to reach 0 once only: it never will.
void Ref::leak(MisuseKind kind, const char* call, uintptr_t word) noexcept {
  DomainState& owner = domain();
  // relaxed: whatever the count was, it says nothing about anybody's writes any more.
  count_.store(kLeaked, std::memory_order_relaxed);
  owner.report(kind, this, call, state_name(word, is_managed(data_)));
}

void Ref::get_shared(uintptr_t word, uint64_t n) noexcept {
  if (refuse_absent(word, n == 1 ? "get" : "get_many")) return;
  // relaxed: taking a reference orders nothing; the caller was handed one that is held.
  if (count_.fetch_add(n, std::memory_order_relaxed) == 0) [[unlikely]] {
    leak(MisuseKind::kGetFromZero, n == 1 ? "get" : "get_many", word);
  }
}

void Ref::put_shared(uintptr_t word, uint64_t n) noexcept {
  const char* const call = n == 1 ? "put" : "put_many";
  if (refuse_absent(word, call)) return;
  // sync[put] acq_rel: release: what this thread did before is visible to whoever drops the last;
  // acquire: the last one's release sees what all others did (G7).
  const uint64_t before = count_.fetch_sub(n, std::memory_order_acq_rel);
  if (before > n) [[likely]]
    return;
  if (before == n) {
    reached_zero(data_->release);
  } else {
    leak(MisuseKind::kPutBelowZero, call, word);
  }
}

bool Ref::tryget_shared(uintptr_t word, uint64_t n, const char* call) noexcept {
  if (refuse_absent(word, call)) return false;
  // relaxed (all of it): whether the count is 0 is settled by the exchange; it orders nothing else.
  uint64_t count = count_.load(std::memory_order_relaxed);
  while (count != 0) {
    if (count_.compare_exchange_weak(count, count + n, std::memory_order_relaxed)) return true;
  }
  return false;
}

bool Ref::tryget_live_shared(uintptr_t word, uint64_t n) noexcept {
  if ((word & (kDead | kAbsent)) == kDead) return false;
  return tryget_shared(word, n, "tryget_live");
}

// The caller has dropped the last reference, so the ref is its own until release has it.
void Ref::reached_zero(Callback release) noexcept {
  // Only if nobody has: reinit needs DEAD, so after a kill somebody who saw the count 0 may have
  // begun the next life already, which an unconditional store would kill. relaxed (both): who acts
  // on DEAD takes the lock, or has synchronised with the caller.
  if ((word_.load(std::memory_order_relaxed) & kDead) == 0) {
    word_.fetch_or(kDead, std::memory_order_relaxed);
  }
  CallbackScope scope(nullptr);
  release(*this);
}

Status Ref::init(Domain& domain, Callback release, Flags flags) noexcept {
  constexpr Flags kKnown =
      Flags::kInitAtomic | Flags::kInitDead | Flags::kAllowReinit | Flags::kManaged;
  // relaxed: init is alone with the ref.
  if ((word_.load(std::memory_order_relaxed) & kAbsent) == 0) {
    report(MisuseKind::kInitTwice, "init");
    return Status::kInvalidArgument;
  }
  if (release == nullptr || (flags | kKnown) != kKnown) return Status::kInvalidArgument;

  DomainState& state = *domain.state_;
  RefData* data = new (std::nothrow) RefData;
  if (data == nullptr) return Status::kOutOfMemory;
  data->ref = this;
  data->release = release;
  data->allow_reinit = flags != Flags::kNone;
  const bool managed = has(flags, Flags::kManaged), dead = has(flags, Flags::kInitDead);
  data->sticky = has(flags, Flags::kInitAtomic) && !managed;
  // relaxed: init is alone with the ref.
  data->managed.store(managed, std::memory_order_relaxed);

  data->area = state.memory.allocate(kCounterSize, alignof(uint64_t));
  if (data->area == nullptr) {
    delete data;
    return Status::kOutOfMemory;
  }
  DomainState::Lock lock(state.mutex);
  state.add_ref(data, lock);
  uintptr_t word = reinterpret_cast<uintptr_t>(data->area);
  if (dead) word |= kDead;
  if (dead || data->sticky) word |= kAtomic;
  sections_ = &state;
  data_ = data;
  // relaxed (both): the program hands the ref to other threads, which orders all of init.
  count_.store((dead ? 0 : live_references(*data)) + ((word & kAtomic) != 0 ? 0 : kBias),
               std::memory_order_relaxed);
  word_.store(word, std::memory_order_relaxed);
  // Last, and under the lock: the manager may take up the ref from here on.
  if (managed && !dead) state.manager.add(*data, lock);
  return Status::kOk;
}

// References that a life begins with: the initial one, and the manager's.
uint64_t Ref::live_references(const RefData& data) noexcept {
  // relaxed: callers hold the lock, or are alone with the ref.
  return data.managed.load(std::memory_order_relaxed) ? 2 : 1;
}

uint64_t Ref::sum_counters() const noexcept {
  uint64_t sum = 0;
  // relaxed: the callers are ordered after every section by a grace period, or are alone.
  const uintptr_t area = word_.load(std::memory_order_relaxed) & ~platform::kFlagMask;
  for (unsigned cpu = 0; cpu < sections_->cpus(); ++cpu) {
    sum += platform::Sections::counter(area, cpu).load(std::memory_order_relaxed);
  }
  return sum;
}

// Whether nothing has happened since init, as far as the counters tell. `counted`: the true count.
bool Ref::unused(uint64_t counted) const noexcept {
  // relaxed (all of it): cancel_init is alone with the ref.
  const uintptr_t word = word_.load(std::memory_order_relaxed);
  if ((word & kDead) != 0) return counted == 0;
  if (counted != live_references(*data_)) return false;
  const uintptr_t area = word & ~platform::kFlagMask;
  for (unsigned cpu = 0; cpu < sections_->cpus(); ++cpu) {
    if (platform::Sections::counter(area, cpu).load(std::memory_order_relaxed) != 0) return false;
  }
  return true;
}

// Refused and reported with a switch pending.
bool Ref::end_life(const char* call, bool expect_unused) noexcept {
  // relaxed (all of it): who ends a life is alone with the ref, but for the manager.
  if ((word_.load(std::memory_order_relaxed) & kAbsent) != 0) return true;
  if (CallbackScope::confirming(this)) {
    report(MisuseKind::kInConfirm, call);
    return false;
  }
  DomainState& state = domain();
  RefData* const data = data_;
  DomainState::Lock lock(state.mutex);
  // relaxed (all that follows): alone with the ref, or under the lock.
  const bool managed = data->managed.load(std::memory_order_relaxed);
  if (managed && !state.abandoned(data, lock)) state.manager.remove(*data, lock);
  if (data->pending != 0 || data->killing) {
    lock.unlock();
    report(MisuseKind::kExitDuringSwitch, call);
    return false;
  }
  const uintptr_t word = word_.load(std::memory_order_relaxed);
  uint64_t count = count_.load(std::memory_order_relaxed);
  if ((word & kAtomic) == 0) count += sum_counters() - kBias;
  const bool used = expect_unused && !unused(count);
  if (managed && (word & kDead) == 0) --count;  // the manager's
  count_.store(count, std::memory_order_relaxed);
  word_.store((word & kDead) | kAtomic | kAbsent, std::memory_order_relaxed);
  data_ = nullptr;
  state.remove_ref(data, lock);
  lock.unlock();
  if (data->area != nullptr) state.free_counters(data);
  delete data;
  if (used) state.report(MisuseKind::kCancelAfterUse, this, call, state_name(word, managed));
  return true;
}

void Ref::cancel_init() noexcept {
  end_life("cancel_init", true);
}

void Ref::exit() noexcept {
  end_life("exit", false);
}

Ref::~Ref() {
  if (end_life("~Ref", false) || CallbackScope::active()) return;
  DomainState& state = domain();
  {
    DomainState::Lock lock(state.mutex);
    if (state.abandoned(data_, lock)) return;  // the record stays with the domain
    state.wait(lock, [this] { return data_->pending == 0 && !data_->killing; });
  }
  end_life("~Ref", false);  // unreached: it is; clang does not count it, behind such a block
}

}  // namespace PERCPU_PLATFORM
}  // namespace percpu
