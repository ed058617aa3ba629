// SPDX-License-Identifier: Apache-2.0
#include "targets/pool_actor.h"

#include <utility>

#include "targets/guarantees.h"
#include "targets/pool_ledger.h"

namespace targets {
namespace {

// A call that may change what the pool holds, from here to the end of the block.
class PoolCall {
 public:
  explicit PoolCall(unsigned pool) : pool_(pool) { pool_call_begun(pool_); }
  ~PoolCall() { pool_call_ended(pool_); }
  PoolCall(const PoolCall&) = delete;
  PoolCall& operator=(const PoolCall&) = delete;

 private:
  const unsigned pool_;
};

bool others_take(const Program& program, unsigned pool, unsigned thread) {
  for (const OpCode code : {OpCode::kAreaAlloc, OpCode::kPoolEmpty, OpCode::kPoolDestroy})
    if (has_operation(program, code, pool, static_cast<int>(thread))) return true;
  return false;
}

}  // namespace

PoolActor::PoolActor(Pools& pools, percpu::Domain* domain, unsigned index)
    : shared_(pools), domain_(domain), index_(index) {}

bool PoolActor::apply(const Operation& op, unsigned operation) {
  const unsigned pool = op.ref;
  const auto argument = static_cast<unsigned>(op.argument);
  switch (op.code) {
    case OpCode::kAreaFree:
      return free(pool);
    case OpCode::kAreaCheck:
      return check(pool);
    case OpCode::kAreaWrite:
    case OpCode::kAreaWriteAll:
      return write(pool, operation, op.code == OpCode::kAreaWriteAll);
    case OpCode::kAreaGive:
      return give(pool, argument);
    case OpCode::kAreaTake:
      return take(pool);
    default:
      break;
  }
  if (!shared_.pools[pool]) return false;
  switch (op.code) {
    case OpCode::kAreaAlloc:
      return alloc(pool, operation);
    case OpCode::kPoolFill:
      return fill(pool, argument);
    case OpCode::kPoolEmpty:
      return empty(pool);
    case OpCode::kPoolDestroy:
      return destroy(pool);
    case OpCode::kPoolCached:
      return cached(pool);
    default:
      return false;
  }
}

Area* PoolActor::pop(unsigned pool) {
  Area* const area = held_[pool];
  if (area != nullptr) held_[pool] = area->next;
  return area;
}

bool PoolActor::alloc(unsigned pool, unsigned operation) {
  uint64_t* memory = nullptr;
  {
    PoolCall call(pool);
    memory = shared_.take(pool);
  }
  if (alone(pool)) check_pool(pool, shared_.models[pool]->allocated(memory != nullptr));
  if (memory == nullptr) return true;
  Area& area = shared_.areas[index_][operation];
  area = {memory, enter_area(memory), held_[pool], {}};
  held_[pool] = &area;
  if (area.entry == kAlreadyOut)
    guarantee_P1_alloc_answers_a_fresh_area(
        Sentence("pool%u: alloc answered an area that somebody has", pool).text);
  return true;
}

bool PoolActor::free(unsigned pool) {
  const Area* const area = pop(pool);
  if (area != nullptr) shared_.free(pool, *area, *domain_);
  return area != nullptr;
}

bool PoolActor::check(unsigned pool) {
  if (held_[pool] != nullptr) shared_.check(pool, *held_[pool]);
  return held_[pool] != nullptr;
}

bool PoolActor::write(unsigned pool, unsigned operation, bool all) {
  Area* const area = held_[pool];
  if (area == nullptr) return false;
  const unsigned own = domain_->current_cpu();
  for (unsigned cpu = 0; cpu < shared_.cpus; ++cpu) {
    if (!all && cpu != own) continue;
    area->written[cpu] = slot_of(index_, operation) + 1u;
    uint64_t* const part = percpu::per_cpu_ptr(area->memory, cpu);
    for (unsigned word = 0; word < shared_.program.pools[pool].size / sizeof *part; ++word)
      part[word] = area->written[cpu];
  }
  return true;
}

bool PoolActor::give(unsigned pool, unsigned to) {
  Area* const area = held_[pool];
  if (area == nullptr) return false;
  Area* const next = area->next;
  Area* none = nullptr;
  // sync[area] release: who takes the area sees what its holder did. relaxed: the mailbox is full.
  if (!shared_.mailboxes[pool][to].compare_exchange_strong(none, area, std::memory_order_release,
                                                           std::memory_order_relaxed))
    return false;
  held_[pool] = next;
  return true;
}

bool PoolActor::take(unsigned pool) {
  // sync[area] acquire: the other side of give.
  Area* const area = shared_.mailboxes[pool][index_].exchange(nullptr, std::memory_order_acquire);
  if (area == nullptr) return false;
  area->next = std::exchange(held_[pool], area);
  return true;
}

bool PoolActor::fill(unsigned pool, unsigned target) {
  percpu::Pool& stock = *shared_.pools[pool];
  percpu::Status status = percpu::Status::kOk;
  {
    PoolCall call(pool);
    status = stock.fill(target);
  }
  const bool ok = status == percpu::Status::kOk;
  const size_t now = stock.cached();
  if (alone(pool)) {
    check_pool(pool, shared_.models[pool]->filled(target, ok, now));
  } else if (!ok && !memory_may_run_out(shared_.program)) {
    check_pool(pool, {"fill failed, but there was memory", 4});
  } else if (ok && !others_take(shared_.program, pool, index_) &&
             now < (target == 0 ? shared_.program.pools[pool].high : target)) {
    check_pool(pool, {"fill left fewer than its target, and nobody took any", 4});
  }
  return true;
}

bool PoolActor::empty(unsigned pool) {
  percpu::Pool& stock = *shared_.pools[pool];
  uint32_t begun = 0;
  const bool quiet = pool_is_quiet(pool, &begun);
  {
    PoolCall call(pool);
    if (!stock.empty())
      guarantee_G10_misuse(Sentence("pool%u: a legal empty was refused", pool).text);
  }
  const size_t now = stock.cached();
  emptied_[pool].reset();
  if (quiet) emptied_[pool] = begun + 1;
  if (quiet && pool_calls_begun(pool) == begun + 1 && now != 0)
    check_pool(pool, {"not empty after empty", 6});
  if (alone(pool)) check_pool(pool, shared_.models[pool]->emptied(now));
  return true;
}

bool PoolActor::destroy(unsigned pool) {
  shared_.pools[pool].reset();
  return true;
}

bool PoolActor::cached(unsigned pool) {
  const size_t now = shared_.pools[pool]->cached();
  if (now > shared_.facts[pool].most) check_pool(pool, {"more areas in stock than any target", 4});
  if (now != 0 && emptied_[pool] == pool_calls_begun(pool))
    check_pool(pool, {"refilled after empty", 6});
  if (alone(pool)) check_pool(pool, shared_.models[pool]->looked(now));
  return true;
}

void PoolActor::drained() {
  for (unsigned pool = 0; pool < shared_.program.pools.size(); ++pool) {
    if (alone(pool) && shared_.pools[pool])
      check_pool(pool, shared_.models[pool]->drained(shared_.pools[pool]->cached()));
  }
}

void PoolActor::wind_down() {
  for (unsigned pool = 0; pool < shared_.program.pools.size(); ++pool) {
    while (shared_.program.leftovers == Leftovers::kThread && free(pool)) {
    }
    shared_.leftovers[pool][index_] = held_[pool];
  }
}

}  // namespace targets
