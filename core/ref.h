// SPDX-License-Identifier: Apache-2.0
// Ref: a reference count that costs a percpu addition while the object lives, and knows when the
// last reference goes once somebody has asked for its end.
//
// In percpu mode get and put add to a counter of the current CPU, and nobody knows the count. In
// atomic mode they work on one shared counter, and the put that reaches 0 calls release. A switch
// between the two waits for a grace period of the percpu sections, then sums the counters.
//
//   call              percpu     atomic     dead        dead         not          in the ref's own
//                     live       live       count > 0   count 0      initialised  switch callback
//   ----------------  ---------  ---------  ----------  -----------  -----------  ----------------
//   init              misuse     misuse     misuse      misuse       ok           misuse
//   exit              ok         ok         ok          ok           no effect    misuse
//   cancel_init       if unused  if unused  misuse      if kInitDead no effect    misuse
//   get               ok         ok         ok          misuse       misuse       ok
//   put               ok         ok, last   ok, last    misuse       misuse       ok
//                                releases   releases
//   tryget            true       true       true        false        misuse       ok
//   tryget_live       true       true       false       false        misuse       ok
//   kill              true       true       false       false        misuse       misuse
//   switch_to_atomic  ok (1)     ok (1)     ok (1,2)    ok (1,2)     misuse       misuse
//   switch_to_percpu  ok (1)     ok (1)     ok (1,2)    ok (1,2)     misuse       misuse
//   switch_to_managed ok (1)     ok (1)     ok (1,2)    ok (1,2)     misuse       misuse
//   resurrect         misuse     misuse     ok (1)      misuse       misuse       misuse
//   reinit            misuse     misuse     misuse      ok (1)       misuse       misuse
//   is_zero           false      false      false       true         as at exit   ok
//   is_dying          false      false      true        true         as at exit   ok
//   (1) misuse without kAllowReinit   (2) decides the mode that reinit or resurrect goes to
// A dead ref that kill is still switching counts as percpu for get, put, tryget and is_zero; one
// that died by its last put in atomic mode is dead, too. With a switch pending, exit and
// cancel_init are misuse, and so is any call of this table that would have to wait and is made
// inside a callback. Misuse is reported (misuse.h) and changes nothing, unless its kind says that
// the ref leaks.
//
// Managed mode (manager.h) is percpu mode with a reference that the manager holds, so that no put
// releases. Kill and the switches to other modes are misuse, dead or not; exit and cancel_init wait
// while the manager visits the ref.
//
// Guarantees
//   G1   release runs exactly once a life.
//   G2   release never runs while a reference is held.
//   G3   release always runs once nothing holds a reference, in atomic mode or after kill; in
//        managed mode once the manager has visited the ref (M2).
//   G4   a switch's callback runs once, before release; and until reinit or resurrect no
//        tryget_live succeeds that the start of kill's callback happens before.
//   G5   tryget and tryget_live answer true exactly when they have raised the count.
//   G6   no switch loses or invents a count.
//   G7   release, and kill's callback, see all writes made before the puts counted before them.
//   G8   the library touches no ref after the drop of the reference that kept it alive, and frees
//        what it allocated once.
//   G9   no deadlock and no lost wake-up: every call that waits returns, if callbacks do.
//   G10  misuse is reported, and does not corrupt another ref's count.
//
// Who may call what, when
//   - init, exit, cancel_init, destructor: one thread, while nobody else is in any other call.
//   - get: who holds a reference, or knows that one is held. put: who owns what is dropped.
//   - tryget, tryget_live, kill: anyone who knows that the object is there, between init and exit.
//   - The others: who holds a reference; reinit: who knows that nobody does, release included.
//   - The initial reference belongs to whoever calls kill and is told true, which drops it; or it
//     is dropped by put, if the ref is in atomic or managed mode and nobody kills it.
//   - Signal handlers: get, tryget, tryget_live, and put if it is not the last. Nothing else. They
//     may interrupt any call of the same thread, on any stack, be the first that the thread makes,
//     and leave errno as it is.
//   - Threads: any may make any call, from its first instruction to the destructors of its
//     thread_locals and pthread keys. References belong to no thread: one may end with some held,
//     another puts them. A pending switch does not need the thread that asked for it. Whoever is in
//     a call that MAY BLOCK, or in a callback, must not be cancelled (pthread_cancel), since none of
//     this throws; asynchronous cancellation is not supported at all.
//   - After fork, in the child: domain.h.
//
// Callbacks (release, and those of switches) run on the domain's worker, on its manager's thread or
// inside put, kill, a switch or scan_once, with whatever locks their caller holds and none of the library's. They must not throw,
// and may take only locks that are never held across a call which can wait for callbacks. They may
// not wait for a switch, drain or end a domain. release may reinit, exit or free its own ref.
//
// Mode changes of one ref happen one after the other: a call that meets a pending switch waits for
// it, its callback included, and then looks at the state again.
#ifndef PERCPU_CORE_REF_H_
#define PERCPU_CORE_REF_H_

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "domain.h"
#include "misuse.h"
#include "percpu_platform.h"
#include "status.h"

namespace percpu {
inline namespace PERCPU_PLATFORM {

struct RefData;

enum class Flags : uint8_t {
  kNone = 0,         // percpu mode, count 1; no way back from atomic mode or death
  kInitAtomic = 1,   // atomic mode until switch_to_percpu, count 1; implies kAllowReinit
  kInitDead = 2,     // dead until reinit, count 0; implies kAllowReinit
  kAllowReinit = 4,  // may come back; the percpu counters stay allocated until exit
  kManaged = 8,      // managed mode, now or from reinit on; count 1, and the manager's; implies
                     // kAllowReinit, and makes kInitAtomic mean nothing
};
constexpr Flags operator|(Flags a, Flags b) noexcept {
  return static_cast<Flags>(static_cast<uint8_t>(a) | static_cast<uint8_t>(b));
}
constexpr bool has(Flags flags, Flags bit) noexcept {
  return (static_cast<uint8_t>(flags) & static_cast<uint8_t>(bit)) != 0;
}

// Derive from it, or contain it: callbacks get the Ref.
class Ref {
 public:
  using Callback = void (*)(Ref&);

  // Counts are 0 to kMaxCount, the one reference that a pending switch holds included; more is not
  // detected. n of the _many calls is 1 to kMaxCount.
  static constexpr uint64_t kMaxCount = (uint64_t{1} << 63) - 1;

  // Not initialised: exit and the destructor do nothing, everything else but init is misuse.
  constexpr Ref() noexcept = default;
  // Exits, if the ref is still initialised. A pending switch is reported, and waited for if it can
  // end.
  ~Ref();
  Ref(const Ref&) = delete;
  Ref& operator=(const Ref&) = delete;

  // Starts a life. ERRORS: kOutOfMemory, kInvalidArgument (no release, unknown flags, or the ref is
  // initialised, which is reported, too); then the ref is as before. MAY BLOCK: in the allocator.
  Status init(Domain& domain, Callback release, Flags flags = Flags::kNone) noexcept;
  // Ends a life that nobody has begun to use, with no release. The memory may go at once.
  void cancel_init() noexcept;
  // Ends a life; releases nothing. Afterwards is_zero and is_dying answer as at the end, and init
  // may start another. REQUIRES: no switch pending.
  void exit() noexcept;

  // Take references. ORDERING: none.
  void get() noexcept;
  void get_many(uint64_t n) noexcept;
  // Drop references. The one that reaches 0 marks the ref dead and calls release, here. ORDERING:
  // what precedes a put happens before release.
  void put() noexcept;
  void put_many(uint64_t n) noexcept;
  // Take references unless there are none. ORDERING: none, also where the answer is true.
  bool tryget() noexcept;
  bool tryget_many(uint64_t n) noexcept;
  // As tryget, but false once it sees the ref dead. One that runs while kill does may still succeed;
  // and while reinit runs, tryget may take a reference of the next life where this is still false.
  bool tryget_live() noexcept;
  bool tryget_live_many(uint64_t n) noexcept;

  // Ends the life: marks the ref dead, switches to atomic mode, then calls `confirm` (if any) and
  // drops the initial reference. True to exactly one caller a life; every other is told false at
  // once, changes nothing, and its `confirm` is not called. In atomic mode `confirm`, and release
  // if the initial reference is the last, run here; else later, on the worker. MAY BLOCK: for an
  // earlier switch.
  bool kill() noexcept { return kill_and_confirm_as("kill", nullptr); }
  bool kill_and_confirm(Callback confirm) noexcept {
    return kill_and_confirm_as("kill_and_confirm", confirm);
  }

  // The rest answers whether it was carried out; false: refused and reported, nothing has changed.

  // Atomic mode until switch_to_percpu. Returns once the switch is under way; `done` (if any) runs
  // when it has taken effect: on the worker, or here if the ref is in atomic mode already. MAY
  // BLOCK: for an earlier switch.
  bool switch_to_atomic(Callback done = nullptr) noexcept;
  // The same, and waits until the switch has dropped the reference that it holds. MAY BLOCK.
  // REQUIRES: no other thread switches back meanwhile.
  bool switch_to_atomic_sync() noexcept;
  // Percpu mode; where the ref is dead, from its reinit or resurrect on. MAY BLOCK: for an earlier
  // switch.
  bool switch_to_percpu() noexcept;
  // Managed mode; where the ref is dead, from its reinit or resurrect on. The way back is exit. A
  // managed ref: nothing to do. MAY BLOCK: for an earlier switch.
  bool switch_to_managed() noexcept;
  // Undoes kill while references are held: live again, with the initial reference. MAY BLOCK: until
  // kill has dropped it.
  bool resurrect() noexcept { return revive("resurrect", false); }
  // Starts over from 0. MAY BLOCK: until kill has dropped the initial reference.
  bool reinit() noexcept { return revive("reinit", true); }

  // Whether no reference is held; false in percpu mode. ORDERING: true: what preceded the puts
  // happens before the return.
  bool is_zero() const noexcept;
  // Whether the ref is dead. ORDERING: none.
  bool is_dying() const noexcept;
  // "percpu", "atomic", "managed", "atomic, dead", "not initialised", ...: what a message says about
  // the ref. ORDERING: none; it may have changed since.
  const char* state() const noexcept;

  // --- End of the public part
  // ---------------------------------------------------------------------

 private:
  friend class DomainState;
  friend class ManagerState;
  friend class ModeChange;

  // Flags of the word, beside the address of the percpu counters. All are clear in percpu mode
  // alone.
  static constexpr uintptr_t kAtomic = 1;  // no new section counts in the percpu counters
  static constexpr uintptr_t kDead = 2;
  static constexpr uintptr_t kAbsent = 4;  // not initialised
  static_assert((kAtomic | kDead | kAbsent) == platform::kFlagMask);

  // In the shared counter exactly while percpu counters may hold counts: in percpu mode and during
  // the switch from it. So the counter cannot reach 0 while references may sit elsewhere (G2), and
  // an operation on the shared counter is right in every mode.
  static constexpr uint64_t kBias = uint64_t{1} << 63;
  // The count of a ref that leaks: far from 0 and from kBias.
  static constexpr uint64_t kLeaked = uint64_t{1} << 62;
  // During a visit of the manager, if nobody else holds any: the manager's and the visit's.
  static constexpr uint64_t kVisitReferences = 2;
  static constexpr size_t kCounterSize = sizeof(uint64_t);

  static constexpr bool valid(uint64_t n) noexcept { return n - 1 < kMaxCount; }

  // 0 if n was added to a percpu counter; else the word, with a flag set.
  uintptr_t add_percpu(uint64_t n) noexcept { return platform::Sections::add(sections_, word_, n); }

  // ref.cc: counting on the shared counter, and the ends of a life.
  void get_shared(uintptr_t word, uint64_t n) noexcept;
  void put_shared(uintptr_t word, uint64_t n) noexcept;
  bool tryget_shared(uintptr_t word, uint64_t n, const char* call) noexcept;
  bool tryget_live_shared(uintptr_t word, uint64_t n) noexcept;
  bool refuse_count(const char* call) const noexcept;
  bool refuse_absent(uintptr_t word, const char* call) const noexcept;
  void reached_zero(Callback release) noexcept;
  void leak(MisuseKind kind, const char* call, uintptr_t word) noexcept;
  bool end_life(const char* call, bool expect_unused) noexcept;
  static uint64_t live_references(const RefData& data) noexcept;
  bool unused(uint64_t counted) const noexcept;
  uint64_t sum_counters() const noexcept;
  DomainState& domain() const noexcept;
  void report(MisuseKind kind, const char* call) const noexcept;

  // ref_modes.cc: everything that changes the mode.
  bool kill_and_confirm_as(const char* call, Callback confirm) noexcept;
  bool to_atomic(const char* call, Callback done, bool sync) noexcept;
  bool revive(const char* call, bool from_zero) noexcept;
  bool may_change_mode(const char* call) const noexcept;
  bool leave_percpu(uint64_t known) noexcept;
  void go_percpu(uint64_t change) noexcept;
  // For the worker; REQUIRES: a grace period since each switch of the batch was queued.
  static void complete_switches(DomainState& domain, RefData* batch) noexcept;
  static RefData* complete_group(DomainState& domain, RefData* batch) noexcept;
  void become_atomic(DomainState& domain) noexcept;
  // For the manager.
  void begin_visit() noexcept;
  void sum_for_visit() noexcept;
  bool end_visit() noexcept;

  std::atomic<uintptr_t> word_ = kAtomic | kAbsent;
  std::atomic<uint64_t> count_ = 0;
  platform::Sections* sections_ =
      nullptr;               // a DomainState; set by init, kept by exit for its reports
  RefData* data_ = nullptr;  // the domain's; null when not initialised
};

inline void Ref::get() noexcept {
  if (const uintptr_t word = add_percpu(1); word != 0) [[unlikely]]
    get_shared(word, 1);
}
inline void Ref::get_many(uint64_t n) noexcept {
  if (!valid(n) && refuse_count("get_many")) return;
  if (const uintptr_t word = add_percpu(n); word != 0) [[unlikely]]
    get_shared(word, n);
}
inline void Ref::put() noexcept {
  if (const uintptr_t word = add_percpu(-uint64_t{1}); word != 0) [[unlikely]]
    put_shared(word, 1);
}
inline void Ref::put_many(uint64_t n) noexcept {
  if (!valid(n) && refuse_count("put_many")) return;
  if (const uintptr_t word = add_percpu(-n); word != 0) [[unlikely]]
    put_shared(word, n);
}
inline bool Ref::tryget() noexcept {
  const uintptr_t word = add_percpu(1);
  return word == 0 || tryget_shared(word, 1, "tryget");
}
inline bool Ref::tryget_many(uint64_t n) noexcept {
  if (!valid(n) && refuse_count("tryget_many")) return false;
  const uintptr_t word = add_percpu(n);
  return word == 0 || tryget_shared(word, n, "tryget");
}
inline bool Ref::tryget_live() noexcept {
  const uintptr_t word = add_percpu(1);
  return word == 0 || tryget_live_shared(word, 1);
}
inline bool Ref::tryget_live_many(uint64_t n) noexcept {
  if (!valid(n) && refuse_count("tryget_live_many")) return false;
  const uintptr_t word = add_percpu(n);
  return word == 0 || tryget_live_shared(word, n);
}

inline bool Ref::is_zero() const noexcept {
  // relaxed: without the bias a count of 0 is 0 in whatever mode; ATOMIC only tells whether it is
  // out.
  if ((word_.load(std::memory_order_relaxed) & kAtomic) == 0) return false;
  // sync[put] acquire: who sees 0 sees what the holders did before their puts.
  return count_.load(std::memory_order_acquire) == 0;
}
inline bool Ref::is_dying() const noexcept {
  // relaxed: the caller synchronises.
  return (word_.load(std::memory_order_relaxed) & kDead) != 0;
}

}  // namespace PERCPU_PLATFORM
}  // namespace percpu

#endif  // PERCPU_CORE_REF_H_
