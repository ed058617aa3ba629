// SPDX-License-Identifier: Apache-2.0
#include "misuse.h"

#include <cstdio>

namespace percpu {
inline namespace PERCPU_PLATFORM {
namespace {

struct Row {
  MisuseKind kind;
  const char* name;
  const char* what;
};

constexpr Row kRows[] = {
    {MisuseKind::kPutBelowZero, "put_below_zero", "dropped a reference that nobody held; it leaks"},
    {MisuseKind::kSumBelowOne, "sum_below_one", "more puts than gets were counted; it leaks"},
    {MisuseKind::kGetFromZero, "get_from_zero", "get of a ref that nobody holds; it leaks"},
    {MisuseKind::kBadCount, "bad_count", "a number of references must be 1 to 2^63 - 1"},
    {MisuseKind::kNotInitialised, "not_initialised", "used before init or after exit"},
    {MisuseKind::kInitTwice, "init_twice", "init of a ref that is initialised"},
    {MisuseKind::kNoReinit, "no_reinit", "needs a ref initialised with kAllowReinit"},
    {MisuseKind::kNotDead, "not_dead", "the ref is live"},
    {MisuseKind::kCountNotZero, "count_not_zero", "references are still held"},
    {MisuseKind::kCountZero, "count_zero", "no reference is held"},
    {MisuseKind::kExitDuringSwitch, "exit_during_switch", "a switch is pending"},
    {MisuseKind::kCancelAfterUse, "cancel_after_use", "the counters show that the ref was used"},
    {MisuseKind::kInConfirm, "in_confirm", "called by the ref's own callback"},
    {MisuseKind::kWaitInCallback, "wait_in_callback", "called by a callback, and would wait"},
    {MisuseKind::kDomainEndInCallback, "domain_end_in_callback", "a callback ended a domain"},
    {MisuseKind::kRefNotExited, "ref_not_exited", "the domain ended before the ref"},
    {MisuseKind::kAreaNotFreed, "area_not_freed",
     "the domain ended before a percpu area was freed"},
    {MisuseKind::kDomainEnded, "domain_ended", "the domain has ended"},
    {MisuseKind::kWaitInReader, "wait_in_reader", "called in an RCU reader, and may wait for it"},
    {MisuseKind::kNotInReader, "not_in_reader", "the thread is in no RCU reader"},
    {MisuseKind::kHeadQueuedTwice, "head_queued_twice", "the callback before has not run yet"},
    {MisuseKind::kManaged, "managed", "only the manager ends the life of a managed ref"},
    {MisuseKind::kManagerRuns, "manager_runs", "the manager has been started already"},
    {MisuseKind::kPoolAlive, "pool_alive", "the domain ended before the pool"},
    {MisuseKind::kNotAnArea, "not_an_area", "no percpu area of the domain begins there"},
    {MisuseKind::kForkChild, "fork_child", "the domain's workers stayed in the parent of a fork"},
};
static_assert(sizeof(kRows) / sizeof(kRows[0]) == kMisuseKinds);

constexpr bool rows_are_in_order() {  // unreached: the compiler runs it, and nobody else
  unsigned expected = 0;
  for (const Row& row : kRows) {
    if (static_cast<unsigned>(row.kind) != expected++) return false;
  }
  return true;
}
static_assert(rows_are_in_order());

}  // namespace

const char* misuse_name(MisuseKind kind) noexcept {
  return kRows[static_cast<unsigned>(kind)].name;
}

void print_misuse(const Misuse& misuse) noexcept {
  const bool about_ref = misuse.object == nullptr;
  std::fprintf(stderr, "percpu: misuse %s: %s, %s %p, state: %s: %s\n", misuse_name(misuse.kind),
               misuse.call, about_ref ? "ref" : "object",
               about_ref ? static_cast<const void*>(misuse.ref) : misuse.object, misuse.state,
               kRows[static_cast<unsigned>(misuse.kind)].what);
}

}  // namespace PERCPU_PLATFORM
}  // namespace percpu
