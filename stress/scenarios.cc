// SPDX-License-Identifier: Apache-2.0
// The list of scenarios, and the mixes of those that are told apart by nothing else.
#include "stress/found_soak.h"
#include "stress/list_soak.h"
#include "stress/pool_soak.h"
#include "stress/ref_soak.h"

namespace stress {
namespace {

using targets::OpCode;

std::unique_ptr<Scenario> make_kill_resurrect(const Setup& setup) {
  return make_ref_soak(setup, {.weights = {{OpCode::kTryget, 24},
                                           {OpCode::kTrygetLive, 48},
                                           {OpCode::kKill, 2},
                                           {OpCode::kKillAndConfirm, 4},
                                           {OpCode::kPutMany, 16},
                                           {OpCode::kIsZero, 8},
                                           {OpCode::kIsDying, 8}},
                               .kills = true});
}
std::unique_ptr<Scenario> make_switch_storm(const Setup& setup) {
  return make_ref_soak(setup, {.weights = {{OpCode::kSwitchToAtomicCallback, 1},
                                           {OpCode::kSwitchToAtomicSync, 2},
                                           {OpCode::kSwitchToPercpu, 8},
                                           {OpCode::kGetMany, 8},
                                           {OpCode::kPutMany, 8},
                                           {OpCode::kTryget, 16}}});
}
std::unique_ptr<Scenario> make_overflow(const Setup& setup) {
  return make_ref_soak(setup, {.weights = {{OpCode::kGetMany, 64},
                                           {OpCode::kTrygetMany, 16},
                                           {OpCode::kTryget, 24},
                                           {OpCode::kPutMany, 80},
                                           {OpCode::kSwitchToAtomicCallback, 1},
                                           {OpCode::kSwitchToPercpu, 4},
                                           {OpCode::kKill, 1}},
                               .kills = true,
                               .huge = true});
}
std::unique_ptr<Scenario> make_signals(const Setup& setup) {
  return make_ref_soak(setup, {.weights = {{OpCode::kSwitchToAtomicCallback, 1},
                                           {OpCode::kSwitchToPercpu, 4},
                                           {OpCode::kTryget, 32}},
                               .handlers = true});
}

std::unique_ptr<Scenario> make_managed(const Setup& setup) {
  return make_found_soak(setup, {.killed = false, .managed = true});
}
std::unique_ptr<Scenario> make_churn(const Setup& setup) {
  return make_found_soak(setup, {});
}
std::unique_ptr<Scenario> make_mixed(const Setup& setup) {
  return make_found_soak(setup, {.managed = true, .cargo = true});
}

}  // namespace

const std::vector<ScenarioInfo>& scenarios() {
  static const std::vector<ScenarioInfo> kScenarios = {
      {"kill_resurrect",
       "refs are killed, confirmed, resurrected and begun again under their users",
       make_kill_resurrect},
      {"switch_storm", "refs go back and forth between atomic and percpu mode", make_switch_storm},
      {"managed", "refs that readers find, and that a manager releases", make_managed},
      {"pool", "percpu areas are taken, also in signal handlers, handed on and freed",
       make_pool_soak},
      {"rcuref", "four lists, one of each form, under readers and removers", make_list_soak},
      {"churn", "short-lived refs that readers find, and that somebody kills", make_churn},
      {"overflow", "counters that wrap: references by the 2^56", make_overflow},
      {"signals", "signal handlers take and drop references in the middle of calls", make_signals},
      {"mixed", "refs with a manager or without, that hold areas, and references of another ref",
       make_mixed},
  };
  return kScenarios;
}

}  // namespace stress
