// SPDX-License-Identifier: Apache-2.0
// What asking for a reference costs, and dropping it again where it was given. A ref that is dead
// refuses tryget_live, and tryget once nothing is held any more.
#include <memory>

#include "bench/shared_domain.h"
#include "bench/suite.h"
#include "bench/urcu_count.h"

namespace bench {
namespace {

using percpu::Flags;

// Before the loop: what state the ref is in. REQUIRES: flags kNone for a ref that is to be killed.
struct Case {
  const char* column;
  Flags flags;
  bool killed;
};
constexpr Case kCases[] = {
    {"percpu", Flags::kNone, false},
    {"atomic mode", Flags::kInitAtomic, false},
    {"dying", Flags::kNone, true},
};

// One reference stays throughout: the initial one, or, after the kill, one that was taken before.
template <bool (percpu::Ref::*ask)() noexcept>
void ask_and_put(benchmark::State& state, const Case& kind) {
  if (kind.flags == Flags::kNone && !kind.killed && !has_sections(state)) return;
  percpu::Ref ref;
  init(
      ref, [](percpu::Ref&) {}, kind.flags);
  if (kind.killed) {
    ref.get();
    ref.kill();
    shared_domain().drain();
  }
  for (auto _ : state) {
    if ((ref.*ask)()) ref.put();
  }
  state.SetItemsProcessed(state.iterations());
}

void lock_weak_ptr(benchmark::State& state) {
  const auto object = std::make_shared<int64_t>(0);
  std::weak_ptr<int64_t> weak = object;
  for (auto _ : state) {
    const std::shared_ptr<int64_t> locked = weak.lock();
    benchmark::DoNotOptimize(locked);
  }
  state.SetItemsProcessed(state.iterations());
}

void ask_urcu_ref(benchmark::State& state) {
  UrcuCount count;
  for (auto _ : state) count.try_pair();
  state.SetItemsProcessed(state.iterations());
}

}  // namespace

void add_tryget(Suite& suite) {
  for (const Case& kind : kCases) {
    suite
        .add({"tryget", "tryget", kind.column},
             [&kind](benchmark::State& state) { ask_and_put<&percpu::Ref::tryget>(state, kind); })
        ->UseRealTime();
    suite
        .add({"tryget", "tryget_live", kind.column},
             [&kind](benchmark::State& state) {
               ask_and_put<&percpu::Ref::tryget_live>(state, kind);
             })
        ->UseRealTime();
  }
  suite.add({"tryget", "std::weak_ptr", "atomic mode"}, lock_weak_ptr)->UseRealTime();
  suite.add({"tryget", "urcu_ref", "atomic mode"}, ask_urcu_ref)->UseRealTime();
}

}  // namespace bench
