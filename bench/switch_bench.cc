// SPDX-License-Identifier: Apache-2.0
// To atomic mode and back: switch_to_atomic_sync, which waits for the domain's worker, and
// switch_to_percpu. Beside it what that cannot do without: the worker is woken, issues a membarrier,
// and wakes the caller.
#include "bench/event.h"
#include "bench/responder.h"
#include "bench/shared_domain.h"
#include "bench/suite.h"

namespace bench {
namespace {

void round_trip(benchmark::State& state) {
  if (!has_sections(state)) return;
  percpu::Ref ref;
  init(
      ref, [](percpu::Ref&) {}, percpu::Flags::kAllowReinit);
  for (auto _ : state) {
    ref.switch_to_atomic_sync();
    ref.switch_to_percpu();
  }
  state.SetItemsProcessed(state.iterations());
}

void wake_both(benchmark::State& state) {
  if (!has_sections(state)) return;
  Responder responder(true);
  for (auto _ : state) {
    responder.ask();
    responder.answer().wait();
  }
  state.SetItemsProcessed(state.iterations());
}

}  // namespace

void add_switch(Suite& suite) {
  constexpr const char* kColumn = "caller waits";
  suite.add({"switch", "switch_to_atomic_sync, _to_percpu", kColumn}, round_trip)->UseRealTime();
  suite.add({"switch", "wake-up, membarrier, wake-up", kColumn}, wake_both)->UseRealTime();
}

}  // namespace bench
