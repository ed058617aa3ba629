// SPDX-License-Identifier: Apache-2.0
// What makes a count of somebody else's one that the harness can run: base class and concept
// (targets/ref_under_test.h says what is asked of it).
#ifndef LASTPUT_TARGETS_FOREIGN_COUNT_ADAPTER_H_
#define LASTPUT_TARGETS_FOREIGN_COUNT_ADAPTER_H_

#include <concepts>
#include <cstdint>
#include <cstdlib>
#include <type_traits>

#include "targets/abilities.h"

namespace targets {

// Has every call, so that the harness compiles; a count hides those that it has itself with its own. Of the rest only
// get_many, put_many (one by one) and exit (nothing) are ever called.
template <class Count>
class CountAdapter {
 public:
  void get_many(uint64_t n) {
    for (; n > 0; --n) self().get();
  }
  void put_many(uint64_t n) {
    for (; n > 0; --n) self().put();
  }
  void exit() {}
  bool tryget() { std::abort(); }
  bool tryget_many(uint64_t) { std::abort(); }
  bool tryget_live() { std::abort(); }
  bool tryget_live_many(uint64_t) { std::abort(); }
  bool kill() { std::abort(); }
  bool kill_and_confirm(void (*)(Count&)) { std::abort(); }
  bool switch_to_atomic(void (*)(Count&) = nullptr) { std::abort(); }
  bool switch_to_atomic_sync() { std::abort(); }
  bool switch_to_percpu() { std::abort(); }
  bool switch_to_managed() { std::abort(); }
  bool resurrect() { std::abort(); }
  bool reinit() { std::abort(); }
  bool is_zero() const { std::abort(); }
  bool is_dying() const { std::abort(); }

 private:
  Count& self() { return static_cast<Count&>(*this); }
};

template <class Count, class Domain>
concept Countable = std::derived_from<Count, CountAdapter<Count>> &&
    std::default_initializable<Count> && std::default_initializable<Domain> &&
    requires(Count& count, Domain& domain, typename Count::Callback release, uint8_t flags) {
  requires std::same_as<typename Count::Callback, void (*)(Count&)>;
  { count.init(domain, release, flags) } -> std::same_as<bool>;
  count.get();
  count.put();
  domain.drain();
};

// What Count has itself: a call that it does not hide is a member of the adapter's.
template <class Count>
constexpr Abilities abilities_of() {
  using Adapter = CountAdapter<Count>;
  Abilities abilities;
  abilities.own_core = false;
  const auto lacks = [&](auto own, auto stand_in, std::initializer_list<OpCode> codes) {
    for (const OpCode code : codes)
      abilities.lacks[static_cast<size_t>(code)] |=
          std::is_same_v<decltype(own), decltype(stand_in)>;
  };
  using enum OpCode;
  lacks(&Count::get_many, &Adapter::get_many, {kGetMany});
  lacks(&Count::put_many, &Adapter::put_many, {kPutMany});
  lacks(&Count::tryget, &Adapter::tryget, {kTryget});
  lacks(&Count::tryget_many, &Adapter::tryget_many, {kTrygetMany});
  lacks(&Count::tryget_live, &Adapter::tryget_live, {kTrygetLive, kTrygetLiveConfirmed});
  lacks(&Count::tryget_live_many, &Adapter::tryget_live_many, {kTrygetLiveMany});
  lacks(&Count::kill, &Adapter::kill, {kKill, kKillAndConfirm, kTrygetLiveConfirmed});
  lacks(&Count::kill_and_confirm, &Adapter::kill_and_confirm,
        {kKillAndConfirm, kTrygetLiveConfirmed});
  lacks(&Count::switch_to_atomic, &Adapter::switch_to_atomic,
        {kSwitchToAtomic, kSwitchToAtomicCallback});
  lacks(&Count::switch_to_atomic_sync, &Adapter::switch_to_atomic_sync, {kSwitchToAtomicSync});
  lacks(&Count::switch_to_percpu, &Adapter::switch_to_percpu, {kSwitchToPercpu});
  lacks(&Count::resurrect, &Adapter::resurrect, {kResurrect});
  lacks(&Count::reinit, &Adapter::reinit, {kReinit});
  lacks(&Count::is_zero, &Adapter::is_zero, {kIsZero});
  lacks(&Count::is_dying, &Adapter::is_dying, {kIsDying});
  return abilities;
}

}  // namespace targets

#endif  // LASTPUT_TARGETS_FOREIGN_COUNT_ADAPTER_H_
