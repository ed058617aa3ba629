// SPDX-License-Identifier: Apache-2.0
#include "targets/generate.h"

#include <iterator>

#include "targets/count.h"

namespace targets {
namespace {

// Frequencies: gets and puts make the load, the rest is what they race with.
constexpr struct {
  OpCode code;
  unsigned weight;
} kWeights[] = {
    {OpCode::kGet, 12},
    {OpCode::kPut, 16},
    {OpCode::kTryget, 8},
    {OpCode::kTrygetLive, 6},
    {OpCode::kGetMany, 3},
    {OpCode::kPutMany, 3},
    {OpCode::kTrygetMany, 2},
    {OpCode::kTrygetLiveMany, 2},
    {OpCode::kKill, 5},
    {OpCode::kKillAndConfirm, 5},
    {OpCode::kSwitchToAtomic, 4},
    {OpCode::kSwitchToAtomicCallback, 3},
    {OpCode::kSwitchToAtomicSync, 4},
    {OpCode::kSwitchToPercpu, 5},
    {OpCode::kResurrect, 5},
    {OpCode::kReinit, 4},
    {OpCode::kIsZero, 3},
    {OpCode::kIsDying, 2},
    {OpCode::kMigrate, 6},
    {OpCode::kDrain, 1},
    {OpCode::kTrygetLiveConfirmed, 2},
    {OpCode::kPutAll, 8},
    {OpCode::kGive, 3},
    {OpCode::kTake, 3},
    {OpCode::kAwaitRelease, 3},
    {OpCode::kPutInitial, 6},
    {OpCode::kYield, 1},
    {OpCode::kExit, 2},
    {OpCode::kInit, 3},
    {OpCode::kCancelInit, 1},
    {OpCode::kSwitchToManaged, 8},
    {OpCode::kScan, 14},
    {OpCode::kManagerStart, 2},
    {OpCode::kManagerStop, 2},
    {OpCode::kMisuseCounts, 4},
    {OpCode::kMisuseInit, 4},
    {OpCode::kMisuseRevive, 6},
    {OpCode::kMisuseSwitch, 4},
    {OpCode::kMisuseManaged, 8},
    {OpCode::kMisuseAfterExit, 4},
    {OpCode::kMisuseInCallback, 4},
    {OpCode::kMisuseManagerStart, 2},
    {OpCode::kEndThread, 1},
    {OpCode::kAreaAlloc, 18},
    {OpCode::kAreaFree, 6},
    {OpCode::kAreaCheck, 4},
    {OpCode::kAreaWrite, 3},
    {OpCode::kAreaWriteAll, 4},
    {OpCode::kAreaGive, 2},
    {OpCode::kAreaTake, 2},
    {OpCode::kPoolFill, 6},
    {OpCode::kPoolEmpty, 4},
    {OpCode::kPoolDestroy, 1},
    {OpCode::kPoolCached, 4},
    {OpCode::kListInsert, 6},
    {OpCode::kListRemove, 7},
    {OpCode::kListRead, 8},
    {OpCode::kListGet, 10},
    {OpCode::kListPut, 8},
    {OpCode::kListUpdateGet, 3},
    {OpCode::kListGive, 2},
    {OpCode::kListTake, 2},
    {OpCode::kSynchronize, 3},
    {OpCode::kRcuCall, 3},
    {OpCode::kBarrier, 2},
    {OpCode::kFindTryget, 5},
    {OpCode::kFindTrygetLive, 8},
    {OpCode::kListInsertRef, 10},
    {OpCode::kListInsertArea, 6},
    {OpCode::kListTryget, 5},
    {OpCode::kListTrygetLive, 8},
};

// Where counters of 8, 16 and 32 bits, with and without a sign, end.
constexpr unsigned kCounterEdges[] = {7, 8, 15, 16, 31, 32};

// Whether the program has what the operation names.
bool offers(const Program& program, OpCode code) {
  if (program.without & operation_class(code)) return false;
  const uint32_t needs = operation_info(code).needs;
  if ((needs & kRcu) && program.lists.empty()) return false;
  if ((needs & kJoined) && !joins_parts(program)) return false;
  if ((needs & kMisuse) && !program.misuse) return false;
  if ((needs & kManager) && program.manager.scan_count == 0) return false;
  return subject_word(needs) == nullptr || subject_count(program, needs) != 0;
}

OpCode pick_code(Random& random, const Program& program) {
  unsigned total = 0;
  for (const auto& entry : kWeights) total += offers(program, entry.code) ? entry.weight : 0;
  unsigned left = random.below(total);
  for (const auto& entry : kWeights) {
    if (!offers(program, entry.code)) continue;
    if (left < entry.weight) return entry.code;
    left -= entry.weight;
  }
  return OpCode::kYield;
}

// Most are managed from the start, of which some begin dead, and some are only exited.
void make_managed(Random& random, RefSetup& ref) {
  ref.flags |= kFlagManaged;
  if (!random.one_in(8)) ref.flags &= static_cast<uint8_t>(~kFlagDead);
  ref.ending = random.one_in(6) ? Ending::kExit : Ending::kPutOnly;
}

// One in three of a manager's refs is held by nobody at first, so that visits find it unreferenced while threads try to get it.
RefSetup generate_ref(Random& random, unsigned threads, bool has_manager) {
  RefSetup ref;
  const unsigned roll = random.below(8);
  ref.flags = static_cast<uint8_t>(roll < 2 ? 0 : roll < 6 ? +kFlagReinit : random.below(8));
  ref.release = static_cast<ReleaseAction>(random.below(4));
  ref.ending = static_cast<Ending>(random.below(4));
  ref.controller = static_cast<uint8_t>(random.below(threads));
  if (has_manager && !random.one_in(3)) make_managed(random, ref);
  if (ref.ending == Ending::kPutOnly && !ref.may_put_only()) ref.ending = Ending::kKill;
  if (!ref.reinitable()) {
    if (ref.ending == Ending::kPut) ref.ending = Ending::kConfirm;
    if (ref.release == ReleaseAction::kReinit) ref.release = ReleaseAction::kFree;
  }
  const bool is_held = !(ref.flags & kFlagDead) && !(has_manager && random.one_in(3));
  for (unsigned t = 0; t < threads && is_held; ++t)
    ref.tokens[t] = static_cast<uint8_t>(random.below(3));
  return ref;
}

PoolSetup generate_pool(Random& random) {
  PoolSetup pool;
  pool.low = static_cast<uint8_t>(random.below(kMaxLow + 1));
  pool.high = static_cast<uint8_t>(random.one_in(6) ? pool.low : pool.low + random.below(3));
  pool.size = kPoolSizes[random.one_in(2) ? 0 : random.below(std::size(kPoolSizes))];
  pool.align = kPoolAlignments[random.one_in(2) ? 0 : random.below(std::size(kPoolAlignments))];
  pool.ending = static_cast<PoolEnding>(random.below(4));
  return pool;
}

ListSetup generate_list(Random& random) {
  return {static_cast<ListForm>(random.below(4)),
          static_cast<uint8_t>(random.below(kMaxElements + 1))};
}

// Rarely: where memory may run out, less is known of what must hold. Of programs that cannot have it, it is dropped.
void fail_some_allocation(Random& random, Program& program) {
  auto& ops = program.threads[random.below(static_cast<unsigned>(program.threads.size()))];
  const auto at = random.below(static_cast<unsigned>(ops.size()) + 1);
  ops.insert(ops.begin() + at, {OpCode::kFailAllocation, 0, 1 + random.below(8)});
}

unsigned one_or_more(Random& random, unsigned most) {
  return random.one_in(3) ? 1 + random.below(most) : 1;
}

uint64_t any_count(Random& random) {
  if (!random.one_in(3)) return 1 + random.below(4);
  if (random.one_in(2)) return count_from_byte(static_cast<uint8_t>(random.below(256)));
  const uint64_t edge = uint64_t{1} << kCounterEdges[random.below(std::size(kCounterEdges))];
  return edge - random.below(2);
}

}  // namespace

Operation generate_operation(Random& random, const Program& program, unsigned thread) {
  Operation op{pick_code(random, program), 0, 0};
  const OpInfo& info = operation_info(op.code);
  if (const size_t subjects = subject_count(program, info.needs))
    op.ref = static_cast<uint8_t>(random.below(static_cast<unsigned>(subjects)));
  switch (info.argument) {
    case Argument::kNone:
      break;
    case Argument::kCount:
      op.argument = any_count(random);
      break;
    case Argument::kCpu:
      op.argument = random.below(program.cpus);
      break;
    case Argument::kSmall:
      op.argument = random.below(random.one_in(4) ? kMaxSmall + 1 : 4);
      break;
    case Argument::kThread:
      op.argument = random.below(static_cast<unsigned>(program.threads.size()));
      if (op.argument == thread) op.argument = (op.argument + 1) % program.threads.size();
      break;
    case Argument::kRuns:
      op.argument = 1 + random.below(random.one_in(2) ? 1 : kMaxRuns);
      break;
    case Argument::kAllocation:
      op.argument = 1 + random.below(8);
      break;
    case Argument::kRefNumber:
      op.argument = random.below(static_cast<unsigned>(program.refs.size()));
      break;
    case Argument::kPoolNumber:
      op.argument = random.below(static_cast<unsigned>(program.pools.size()));
      break;
  }
  return op;
}

Kind generate_kind(Random& random) {
  return kKinds[random.below(std::size(kKinds))].kind;
}

Program generate_program(Random& random, Kind kind) {
  Program program;
  const unsigned threads = is_concurrent(kind) ? 1 + random.below(4) + random.below(2) : 1;
  program.cpus = static_cast<uint8_t>(1 + random.below(kMaxCpus));
  program.schedules = static_cast<uint8_t>(1 + random.below(8));
  program.interval = static_cast<uint8_t>(2 + random.below(30));
  program.fail_allocation = static_cast<uint8_t>(random.one_in(16) ? 1 + random.below(24) : 0);
  program.leftovers = static_cast<Leftovers>(random.below(3));
  program.plain_points = random.one_in(8);
  program.seed = static_cast<uint32_t>(random.next());
  const bool has_manager = (kind_info(kind).parts & kPartManager) != 0;
  if (has_manager)
    program.manager = {static_cast<uint8_t>(1 + random.below(random.one_in(2) ? 2 : kMaxScanCount)),
                       random.one_in(2)};
  if (is_concurrent(kind)) {
    program.misuse = random.one_in(8);
    program.slow_callbacks = random.one_in(8);
    if (random.one_in(4))
      program.without = static_cast<uint8_t>(random.below(256) & random.below(256));
  }
  program.threads.assign(threads, {});
  program.refs.clear();
  if (has_part(kind, kPartRefs))
    for (unsigned n = has_manager ? 1 + random.below(kMaxRefs) : one_or_more(random, kMaxRefs);
         n > 0; --n)
      program.refs.push_back(generate_ref(random, threads, has_manager));
  if (has_part(kind, kPartPools))
    for (unsigned n = one_or_more(random, kMaxPools); n > 0; --n)
      program.pools.push_back(generate_pool(random));
  if (has_part(kind, kPartLists))
    for (unsigned n = one_or_more(random, kMaxLists); n > 0; --n)
      program.lists.push_back(generate_list(random));
  for (unsigned t = 0; t < threads; ++t) {
    const unsigned count = 1 + random.below(is_concurrent(kind) ? 10 : 28);
    for (unsigned i = 0; i < count; ++i)
      program.threads[t].push_back(generate_operation(random, program, t));
  }
  if (kind != Kind::kPercpuRef && random.one_in(16)) fail_some_allocation(random, program);
  if (is_concurrent(kind)) drop_illegal(program);
  return program;
}

}  // namespace targets
