// SPDX-License-Identifier: Apache-2.0
#include "targets/actor.h"

#include <thread>

#include "targets/manager_runs.h"
#include "targets/runtime.h"

namespace targets {
namespace {

thread_local unsigned cpu_of_thread = 0;

}  // namespace

unsigned current_cpu(void*) {
  return cpu_of_thread;
}
void set_current_cpu(unsigned cpu) {
  cpu_of_thread = cpu;
}

Actor::Actor(Execution& execution, DomainUnderTest& domain, unsigned index)
    : execution_(execution),
      domain_(domain),
      index_(index),
      manager_runs_(execution.manager_started),
      pools_(execution.pools, core_domain(domain), index),
      lists_(execution.lists, index) {
  for (size_t r = 0; r < execution.program.refs.size(); ++r) {
    const RefFacts& facts = execution.facts[r];
    holdings_[r].tokens = execution.leftovers[index][r];
    holdings_[r].initial = facts.put_only && facts.controller == index && !facts.begins_dead;
    holdings_[r].managed = facts.managed;
    holdings_[r].releases_due = facts.begins_dead ? 0 : 1;
  }
}

void Actor::run() {
  runtime::name_thread(kThreadNames[index_]);
  enter_program_thread();
  set_current_cpu(index_ % execution_.program.cpus);
  for (const Operation& op : execution_.program.threads[index_]) {
    runtime::begin_op(operation_ + 1);
    if (ended_ || !apply(op)) count_dropped_operation();
    ++operation_;
  }
  runtime::begin_op(operation_ + 1);
  operation_ = kMaxOperations;
  for (size_t r = 0; r < execution_.program.refs.size(); ++r) {
    if (execution_.objects[r] != nullptr && execution_.program.leftovers == Leftovers::kThread)
      put(static_cast<unsigned>(r), holdings_[r].tokens, OpCode::kPutMany);
    execution_.leftovers[index_][r] = holdings_[r].tokens;
    execution_.made_managed[index_][r] = holdings_[r].managed;
  }
  pools_.wind_down();
  lists_.wind_down();
}

bool Actor::apply(const Operation& op) {
  const uint32_t needs = operation_info(op.code).needs;
  if (needs & kJoined) return apply_joined(op);
  if (needs & kPool) return pools_.apply(op, operation_);
  if (needs & (kList | kRcu)) return lists_.apply(op, operation_);
  switch (op.code) {
    case OpCode::kYield:
      std::this_thread::yield();
      return true;
    case OpCode::kMigrate:
      set_current_cpu(static_cast<unsigned>(op.argument));
      return true;
    case OpCode::kFailAllocation:
      runtime::fail_allocation(static_cast<uint32_t>(op.argument));
      return true;
    case OpCode::kDrain:
      domain_.drain();
      pools_.drained();
      return true;
    case OpCode::kScan:
      for (uint64_t run = 0; run < op.argument; ++run)
        scan_by_hand(*core_domain(domain_), execution_.program);
      return true;
    case OpCode::kManagerStart:
      return start();
    case OpCode::kManagerStop:
      return stop();
    case OpCode::kMisuseManagerStart:
      return misuse_start();
    case OpCode::kEndThread:
      return end_thread(static_cast<unsigned>(op.argument));
    default:
      return execution_.objects[op.ref] != nullptr && apply_to(op.ref, op);
  }
}

bool Actor::apply_to(unsigned ref, const Operation& op) {
  switch (op.code) {
    case OpCode::kGet:
      return get(ref, 1, op.code);
    case OpCode::kGetMany:
      return get(ref, op.argument, op.code);
    case OpCode::kPut:
      return put(ref, 1, op.code);
    case OpCode::kPutMany:
      return put(ref, op.argument, op.code);
    case OpCode::kPutAll:
      return put(ref, holdings_[ref].tokens, op.code);
    case OpCode::kTryget:
    case OpCode::kTrygetLive:
    case OpCode::kTrygetLiveConfirmed:
      return tryget(ref, 1, op.code);
    case OpCode::kTrygetMany:
    case OpCode::kTrygetLiveMany:
      return tryget(ref, op.argument, op.code);
    case OpCode::kKill:
      return kill(ref, false);
    case OpCode::kKillAndConfirm:
      return kill(ref, true);
    case OpCode::kSwitchToAtomic:
    case OpCode::kSwitchToAtomicCallback:
    case OpCode::kSwitchToAtomicSync:
      return switch_to_atomic(ref, op.code);
    case OpCode::kSwitchToPercpu:
      return switch_to_percpu(ref);
    case OpCode::kSwitchToManaged:
      return switch_to_managed(ref);
    case OpCode::kResurrect:
      return resurrect(ref);
    case OpCode::kReinit:
      return reinit(ref);
    case OpCode::kIsZero:
      return is_zero(ref);
    case OpCode::kIsDying:
      return is_dying(ref);
    case OpCode::kGive:
      return give(ref, static_cast<unsigned>(op.argument));
    case OpCode::kTake:
      return take(ref);
    case OpCode::kAwaitRelease:
      return await_release(ref);
    case OpCode::kPutInitial:
      return put_initial(ref);
    case OpCode::kMisuseCounts:
    case OpCode::kMisuseInit:
    case OpCode::kMisuseRevive:
    case OpCode::kMisuseSwitch:
    case OpCode::kMisuseManaged:
    case OpCode::kMisuseAfterExit:
    case OpCode::kMisuseInCallback:
      return misuse(op);
    default:
      break;
  }
  return false;
}

}  // namespace targets
