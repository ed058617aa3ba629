// SPDX-License-Identifier: Apache-2.0
#include "targets/pool_model.h"

#include <algorithm>

namespace targets {

PoolFacts pool_facts(const Program& program, unsigned pool) {
  const PoolSetup& setup = program.pools[pool];
  PoolFacts facts;
  if (uses_pool(program, pool)) {
    facts.user = PoolFacts::kSeveral;
    for (int t = 0; t < static_cast<int>(program.threads.size()); ++t)
      if (!uses_pool(program, pool, t)) facts.user = t;
  }
  facts.takes = has_operation(program, OpCode::kAreaAlloc, pool);
  facts.keeps = !has_operation(program, OpCode::kPoolEmpty, pool);
  facts.most = setup.high;
  for (const auto& thread : program.threads) {
    for (const Operation& op : thread) {
      if (op.code != OpCode::kPoolFill || op.ref != pool) continue;
      facts.most = std::max(facts.most, static_cast<unsigned>(op.argument));
      if (op.argument != 0 && op.argument < setup.low) facts.keeps = false;
    }
  }
  return facts;
}

StockModel StockModel::after_several(const PoolSetup& setup, const PoolFacts& facts,
                                     bool memory_may_run_out, bool taken) {
  StockModel model(setup, memory_may_run_out);
  model.most_ = facts.most;
  model.pending_ = setup.high != 0;
  model.refills_ = facts.keeps ? Refills::kOn : Refills::kUnknown;
  // Whichever alloc was the last to take one has left enough, or asked.
  if (taken && facts.keeps && setup.high != 0 && !memory_may_run_out)
    model.settled_ = std::max<size_t>(setup.low, 1);
  return model;
}

PoolVerdict StockModel::allocated(bool got) {
  PoolVerdict verdict;
  if (got && most_ == 0)
    verdict = {"alloc answered an area out of an empty pool", emptied_ ? 6u : 1u};
  if (!got && least_ != 0) verdict = {"alloc answered nothing, but there are areas in stock", 7};
  const size_t least_left = got ? std::max<size_t>(least_, 1) - 1 : 0;
  const size_t most_left = got ? std::max<size_t>(most_, 1) - 1 : exact() ? 0 : most_;
  least_ = least_left;
  most_ = most_left;
  emptied_ = false;
  note_left(least_left, got ? most_left : 0);
  return verdict;
}

// An alloc has left as many.
void StockModel::note_left(size_t least_left, size_t most_left) {
  if (most_left == 0) refills_ = Refills::kOn;
  settled_ = 0;
  if (setup_.high == 0) return;
  const bool surely = most_left == 0 || (refills_ == Refills::kOn && most_left < setup_.low);
  const bool perhaps = least_left == 0 || (refills_ != Refills::kOff && least_left < setup_.low);
  pending_ |= perhaps;
  if (!memory_may_run_out_ && surely) settled_ = setup_.high;
  if (!memory_may_run_out_ && !surely && refills_ == Refills::kOn)
    settled_ = std::max<size_t>(setup_.low, 1);
  if (!exact()) most_ = std::max<size_t>(most_, setup_.high);
}

PoolVerdict StockModel::filled(unsigned target, bool ok, size_t cached) {
  if (!ok && !memory_may_run_out_) return {"fill failed, but there was memory", 4};
  const size_t wanted = target == 0 ? setup_.high : target;
  emptied_ = false;
  if (target != 0 && target < setup_.low) {
    refills_ = Refills::kOff;
    settled_ = 0;
  } else {
    refills_ = Refills::kOn;
  }
  if (ok) least_ = std::max(least_, wanted);
  most_ = std::max(most_, wanted);
  if (!exact()) most_ = std::max<size_t>(most_, setup_.high);
  const PoolVerdict verdict = cached < least_
                                  ? ok ? PoolVerdict{"fill left fewer than its target", 4}
                                       : PoolVerdict{"areas in stock are lost", 7}
                              : cached > most_ ? PoolVerdict{"fill left more than any target", 4}
                                               : PoolVerdict{};
  // Whatever a refill has added it had added when fill began, if that has switched them off.
  least_ = cached;
  if (exact()) most_ = cached;
  return verdict;
}

PoolVerdict StockModel::emptied(size_t cached) {
  least_ = most_ = settled_ = 0;
  pending_ = false;
  emptied_ = true;
  refills_ = Refills::kOn;
  return looked(cached);
}

PoolVerdict StockModel::drained(size_t cached) {
  if (refills_ != Refills::kOff && cached < settled_)
    return {"a refill that was asked for has not come when drain returned", 3};
  const PoolVerdict verdict = looked(cached);
  pending_ = false;
  settled_ = 0;
  least_ = most_ = cached;
  return verdict;
}

PoolVerdict StockModel::looked(size_t cached) {
  if (cached > most_) {
    if (emptied_) return {"refilled after empty", 6};
    if (refills_ == Refills::kOff)
      return {"refilled although a small fill has switched that off", 5};
    return {"more areas in stock than any target", 4};
  }
  if (cached < least_) return {"areas in stock are lost", 7};
  least_ = cached;
  if (exact()) most_ = cached;
  return {};
}

}  // namespace targets
