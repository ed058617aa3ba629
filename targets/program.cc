// SPDX-License-Identifier: Apache-2.0
#include "targets/program.h"

#include <algorithm>
#include <cstdlib>
#include <iterator>

#include "targets/count.h"

namespace targets {
namespace {

constexpr OpInfo kOperations[] = {
#define LASTPUT_OP(number, constant, text, argument, needs) \
  {OpCode::constant, text, Argument::argument, static_cast<uint32_t>(needs)},
#include "targets/operations.def"
#undef LASTPUT_OP
};

constexpr bool numbered_in_order() {
  unsigned last = 0;
  for (const OpInfo& info : kOperations) {
    const unsigned number = static_cast<unsigned>(info.code);
    if (number < last || number >= kOperationNumbers) return false;
    last = number + 1;
  }
  return true;
}
static_assert(numbered_in_order(), "operation numbers ascend, and stay below kOperationNumbers");

bool threads_allocate(const Program& program) {
  return program.manager.scan_count != 0 || !program.pools.empty() || !program.lists.empty();
}

// What is wrong with the operation by its own ref and thread, whatever else the program holds.
const char* own_problem(const Program& program, unsigned thread, const Operation& op) {
  if (program.without & operation_class(op.code)) return "left out by setup without";
  const uint32_t needs = operation_info(op.code).needs;
  if ((needs & kRcu) && program.lists.empty()) return "only in programs with lists";
  if ((needs & kJoined) && !joins_parts(program)) return "only in target mixed";
  if ((needs & kAllocates) && !threads_allocate(program))
    return "no thread of this target allocates";
  if ((needs & kMisuse) && !program.misuse) return "only in a program with setup misuse";
  if ((needs & kManager) && program.manager.scan_count == 0)
    return "only in targets with a manager";
  if ((needs & kRef) == 0) return nullptr;
  if (needs & kSequentialOnly) return "only in sequential programs";
  const RefSetup& ref = program.refs[op.ref];
  const bool put_only = ref.ending == Ending::kPutOnly;
  if ((needs & kReinitable) && !ref.reinitable())
    return "needs one of the flags atomic, dead, reinit, managed";
  if ((needs & kUnmanaged) && ref.managed()) return "not of a ref with flag managed";
  if ((needs & kKillable) && put_only) return "not in a ref that ends put_only";
  if ((needs & kFindable) && ref.release == ReleaseAction::kExit)
    return "not of a ref whose release exits it";
  if ((needs & kPutOnly) && !put_only) return "only in a ref that ends put_only";
  if (op.code == OpCode::kSwitchToManaged && !ref.managed() && !put_only &&
      ref.controller != thread)
    return "only in the ref's controller, or where it ends put_only";
  if ((needs & kController) && ref.controller != thread) return "only in the ref's controller";
  if ((needs & kRestartable) && ref.release != ReleaseAction::kMark && !(ref.flags & kFlagDead))
    return "needs a ref whose release marks, or that begins dead";
  return nullptr;
}

// ... and by what other operations of the program do.
const char* shared_problem(const Program& program, unsigned thread, const Operation& op) {
  const uint32_t needs = operation_info(op.code).needs;
  if (needs & kOnlyStarter) {
    for (unsigned t = 0; t < thread; ++t)
      for (const Operation& other : program.threads[t])
        if (other.code == op.code) return "another thread has it";
  }
  if (needs & kUnmanaged) {
    if (has_operation(program, OpCode::kSwitchToManaged, op.ref, static_cast<int>(thread)))
      return "another thread has switch_to_managed of this ref";
  }
  if ((needs & kNoOtherSwitchesBack) &&
      has_operation(program, OpCode::kSwitchToPercpu, op.ref, static_cast<int>(thread)))
    return "another thread has switch_to_percpu of this ref";
  if ((needs & kSoleUser) && uses_pool(program, op.ref, static_cast<int>(thread)))
    return "another thread uses this pool";
  if ((needs & kNeverRevived) && may_be_revived(program, op.ref))
    return "not in a ref that is resurrected or reinitialised";
  return nullptr;
}

const char* range_problem(const Program& program, const Operation& op) {
  const OpInfo& info = operation_info(op.code);
  if (op.ref >= subject_count(program, info.needs) && (op.ref != 0 || subject_word(info.needs)))
    return (info.needs & kPool)   ? "no such pool"
           : (info.needs & kList) ? "no such list"
                                  : "no such ref";
  switch (info.argument) {
    case Argument::kNone:
      return op.argument == 0 ? nullptr : "takes no argument";
    case Argument::kCount:
      return count_to_byte(op.argument) ? nullptr
                                        : "count is none of 1..64, 2^k, 2^k-1 (7 <= k <= 56)";
    case Argument::kCpu:
      return op.argument < program.cpus ? nullptr : "no such cpu";
    case Argument::kThread:
      return op.argument < program.threads.size() ? nullptr : "no such thread";
    case Argument::kSmall:
      return op.argument <= kMaxSmall ? nullptr : "no number from 0 to 7";
    case Argument::kRuns:
      return op.argument - 1 < kMaxRuns ? nullptr : "runs: 1..4";
    case Argument::kAllocation:
      return op.argument - 1 < kMaxFailAllocation ? nullptr : "the number of an allocation: 1..64";
    case Argument::kRefNumber:
      return op.argument < program.refs.size() ? nullptr : "no such ref";
    case Argument::kPoolNumber:
      return op.argument < program.pools.size() ? nullptr : "no such pool";
  }
  return "?";
}

const char* ref_problem(const Program& program, const RefSetup& ref) {
  if (ref.flags > 15 || ref.release > ReleaseAction::kFree || ref.ending > Ending::kExit)
    return "flags, release or ending out of range";
  if (ref.controller >= program.threads.size()) return "controller: no such thread";
  if (ref.managed() && program.manager.scan_count == 0)
    return "flag managed: only in targets with a manager";
  if (ref.ending == Ending::kPutOnly && !ref.may_put_only())
    return "ending put_only needs flag managed, or atomic and not dead";
  if (ref.managed() && ref.ending != Ending::kPutOnly && ref.ending != Ending::kExit)
    return "a managed ref ends put_only or exit";
  if (ref.ending == Ending::kExit && !ref.managed()) return "ending exit needs flag managed";
  if (ref.ending == Ending::kPut && !ref.reinitable())
    return "ending put needs one of the flags atomic, dead, reinit";
  if (ref.release == ReleaseAction::kReinit && !ref.reinitable())
    return "release reinit needs one of the flags atomic, dead, reinit";
  for (unsigned t = 0; t < kMaxThreads; ++t) {
    if (ref.tokens[t] > kMaxTokens) return "more than 3 tokens";
    if (ref.tokens[t] != 0 && t >= program.threads.size())
      return "tokens for a thread that is not there";
    if (ref.tokens[t] != 0 && (ref.flags & kFlagDead)) return "tokens of a ref that begins dead";
  }
  return nullptr;
}

const char* pool_problem(const PoolSetup& pool) {
  if (pool.low > kMaxLow || pool.high < pool.low || pool.high > pool.low + kMaxAboveLow)
    return "pool: low 0..3, high low..low+7";
  if (std::find(std::begin(kPoolSizes), std::end(kPoolSizes), pool.size) == std::end(kPoolSizes))
    return "pool: size 8, 16, 40 or 128";
  if (std::find(std::begin(kPoolAlignments), std::end(kPoolAlignments), pool.align) ==
      std::end(kPoolAlignments))
    return "pool: align 8, 16, 32 or 64";
  return pool.ending > PoolEnding::kRefilled ? "pool: ending out of range" : nullptr;
}

bool wrong_number(size_t number, bool some, size_t most) {
  return some ? number == 0 || number > most : number != 0;
}

const char* parts_problem(const Program& program, Kind kind) {
  if (wrong_number(program.refs.size(), has_part(kind, kPartRefs), kMaxRefs))
    return "refs: 1..3, where the target has them";
  if (wrong_number(program.pools.size(), has_part(kind, kPartPools), kMaxPools))
    return "pools: 1..2, where the target has them";
  if (wrong_number(program.lists.size(), has_part(kind, kPartLists), kMaxLists))
    return "lists: 1..2, where the target has them";
  return nullptr;
}

const char* setup_problem(const Program& program, Kind kind) {
  if (program.threads.empty() || program.threads.size() > kMaxThreads) return "threads: 1..8";
  if (program.cpus < 1 || program.cpus > kMaxCpus) return "cpus: 1..4";
  if (program.schedules < 1 || program.schedules > kMaxSchedules) return "schedules: 1..16";
  if (program.interval > kMaxInterval) return "interval: 0..63";
  if (program.fail_allocation > kMaxFailAllocation) return "fail_allocation: 0..64";
  if (program.leftovers > Leftovers::kMainAfterKill) return "leftovers out of range";
  const bool has_manager = (kind_info(kind).parts & kPartManager) != 0;
  if (program.manager.scan_count > kMaxScanCount) return "scan_count: 1..8";
  if ((program.manager.scan_count != 0) != has_manager)
    return has_manager ? "no manager in a target that has one" : "this target has no manager";
  if (!has_manager && program.manager.thread) return "this target has no manager";
  if (program.preemptions.size() > kMaxPreemptions) return "more than 256 preemptions";
  for (const RefSetup& ref : program.refs)
    if (const char* problem = ref_problem(program, ref)) return problem;
  for (const PoolSetup& pool : program.pools)
    if (const char* problem = pool_problem(pool)) return problem;
  for (const ListSetup& list : program.lists)
    if (list.form > ListForm::kBlocking || list.elements > kMaxElements)
      return "list: form or elements out of range";
  return nullptr;
}

template <typename Illegal>
unsigned drop_where(Program& program, Illegal illegal) {
  unsigned dropped = 0;
  for (unsigned t = 0; t < program.threads.size(); ++t) {
    dropped += static_cast<unsigned>(std::erase_if(
        program.threads[t], [&](const Operation& op) { return illegal(t, op) != nullptr; }));
  }
  return dropped;
}

}  // namespace

const KindInfo& kind_info(Kind kind) {
  for (const KindInfo& info : kKinds)
    if (info.kind == kind) return info;
  std::abort();
}

Program smallest_program(Kind kind) {
  Program program;
  if (!has_part(kind, kPartRefs)) program.refs.clear();
  if (has_part(kind, kPartManager)) program.manager.scan_count = 1;
  if (has_part(kind, kPartPools)) program.pools.emplace_back();
  if (has_part(kind, kPartLists)) program.lists.emplace_back();
  return program;
}

const OpInfo* find_operation(unsigned number) {
  for (const OpInfo& info : kOperations)
    if (static_cast<unsigned>(info.code) == number) return &info;
  return nullptr;
}

const OpInfo* find_operation(std::string_view name) {
  for (const OpInfo& info : kOperations)
    if (name == info.name) return &info;
  return nullptr;
}

const OpInfo& operation_info(OpCode code) {
  const OpInfo* info = find_operation(static_cast<unsigned>(code));
  if (info == nullptr) std::abort();
  return *info;
}

uint8_t operation_class(OpCode code) {
  switch (code) {
    case OpCode::kGetMany:
    case OpCode::kPutMany:
    case OpCode::kTrygetMany:
    case OpCode::kTrygetLiveMany:
      return kClassMany;
    case OpCode::kTryget:
    case OpCode::kTrygetLive:
    case OpCode::kFindTryget:
    case OpCode::kFindTrygetLive:
    case OpCode::kListTryget:
    case OpCode::kListTrygetLive:
      return kClassTry;
    case OpCode::kKill:
    case OpCode::kKillAndConfirm:
      return kClassKill;
    case OpCode::kSwitchToAtomic:
    case OpCode::kSwitchToAtomicCallback:
    case OpCode::kSwitchToAtomicSync:
    case OpCode::kSwitchToPercpu:
    case OpCode::kSwitchToManaged:
      return kClassSwitch;
    case OpCode::kResurrect:
    case OpCode::kReinit:
      return kClassRevive;
    case OpCode::kGive:
    case OpCode::kTake:
    case OpCode::kEndThread:
    case OpCode::kAreaGive:
    case OpCode::kAreaTake:
    case OpCode::kListGive:
    case OpCode::kListTake:
      return kClassHand;
    case OpCode::kIsZero:
    case OpCode::kIsDying:
    case OpCode::kAwaitRelease:
    case OpCode::kTrygetLiveConfirmed:
    case OpCode::kAreaCheck:
    case OpCode::kPoolCached:
    case OpCode::kListRead:
      return kClassAsk;
    case OpCode::kScan:
    case OpCode::kManagerStart:
    case OpCode::kManagerStop:
      return kClassManager;
    default:
      return 0;
  }
}

bool has_operation(const Program& program, OpCode code, unsigned ref, int except) {
  for (size_t t = 0; t < program.threads.size(); ++t) {
    if (static_cast<int>(t) == except) continue;
    for (const Operation& op : program.threads[t])
      if (op.code == code && op.ref == ref) return true;
  }
  return false;
}

const char* subject_word(uint32_t needs) {
  return (needs & kRef) ? "ref" : (needs & kPool) ? "pool" : (needs & kList) ? "list" : nullptr;
}

const char* argument_word(Argument argument) {
  return argument == Argument::kRefNumber    ? "ref"
         : argument == Argument::kPoolNumber ? "pool"
                                             : nullptr;
}

size_t subject_count(const Program& program, uint32_t needs) {
  if (needs & kRef) return program.refs.size();
  if (needs & kPool) return program.pools.size();
  return (needs & kList) ? program.lists.size() : 0;
}

bool memory_may_run_out(const Program& program) {
  return program.fail_allocation != 0 || has_operation(program, OpCode::kFailAllocation, 0);
}

bool joins_parts(const Program& program) {
  return !program.refs.empty() && !program.pools.empty() && !program.lists.empty();
}

bool uses_pool(const Program& program, unsigned pool, int except) {
  for (const OpCode code : {OpCode::kAreaAlloc, OpCode::kPoolFill, OpCode::kPoolEmpty,
                            OpCode::kPoolDestroy, OpCode::kPoolCached})
    if (has_operation(program, code, pool, except)) return true;
  return false;
}

bool may_be_revived(const Program& program, unsigned ref) {
  return program.refs[ref].release == ReleaseAction::kReinit ||
         has_operation(program, OpCode::kResurrect, ref) ||
         has_operation(program, OpCode::kReinit, ref);
}

bool may_be_managed(const Program& program, unsigned ref) {
  return program.refs[ref].managed() || has_operation(program, OpCode::kSwitchToManaged, ref);
}

size_t operation_count(const Program& program) {
  size_t count = 0;
  for (const auto& thread : program.threads) count += thread.size();
  return count;
}

std::optional<Problem> check(const Program& program, Kind kind) {
  if (const char* problem = parts_problem(program, kind)) return Problem{-1, -1, problem};
  if (const char* problem = setup_problem(program, kind)) return Problem{-1, -1, problem};
  if (!is_concurrent(kind) && program.threads.size() != 1)
    return Problem{-1, -1, "a sequential program has one thread"};
  if (!is_concurrent(kind) && (program.misuse || program.slow_callbacks || program.without != 0))
    return Problem{-1, -1, "misuse, slow_callbacks, without: only in concurrent programs"};
  for (unsigned t = 0; t < program.threads.size(); ++t) {
    const auto& ops = program.threads[t];
    if (ops.size() > kMaxOperations)
      return Problem{static_cast<int>(t), -1, "more than 32 operations"};
    for (size_t i = 0; i < ops.size(); ++i) {
      const char* problem = range_problem(program, ops[i]);
      if (!problem && is_concurrent(kind)) problem = own_problem(program, t, ops[i]);
      if (!problem && is_concurrent(kind)) problem = shared_problem(program, t, ops[i]);
      if (problem) {
        return Problem{static_cast<int>(t), static_cast<int>(i),
                       std::string(operation_info(ops[i].code).name) + ": " + problem};
      }
    }
  }
  return std::nullopt;
}

unsigned drop_illegal(Program& program) {
  const auto own = [&](unsigned t, const Operation& op) { return own_problem(program, t, op); };
  unsigned dropped = drop_where(program, own);
  // Only now is it known which operations really take part. What this pass drops (sync, confirmed)
  // makes nothing else illegal, so that one pass is enough; `before` because erase moves things.
  const Program before = program;
  dropped += drop_where(
      program, [&](unsigned t, const Operation& op) { return shared_problem(before, t, op); });
  return dropped;
}

}  // namespace targets
