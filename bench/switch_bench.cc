// SPDX-License-Identifier: Apache-2.0
// To atomic mode and back: switch_to_atomic_sync, which waits for the domain's worker, and
// switch_to_percpu. Beside it what that cannot do without: the worker is woken, issues a membarrier,
// and wakes the caller. And a visit of the manager, in a run of 1,000 that share a grace period: the
// same for each ref, on the caller's thread.
#include <vector>

#include "bench/event.h"
#include "bench/responder.h"
#include "bench/shared_domain.h"
#include "bench/suite.h"
#include "core/manager.h"

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

void visit(benchmark::State& state) {
  if (!has_sections(state)) return;
  constexpr int kRefs = 1000;
  std::vector<percpu::Ref> refs(kRefs);
  for (percpu::Ref& ref : refs) {
    init(
        ref, [](percpu::Ref&) {}, percpu::Flags::kManaged);
  }
  percpu::Manager manager(shared_domain());
  for (auto _ : state) {
    if (manager.scan_once(kRefs) != percpu::Scan{kRefs, 0}) std::abort();
  }
  state.SetItemsProcessed(state.iterations() * kRefs);
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
  suite.add({"switch", "visit of the manager, of 1,000", kColumn}, visit)->UseRealTime();
  suite.add({"switch", "wake-up, membarrier, wake-up", kColumn}, wake_both)->UseRealTime();
}

}  // namespace bench
