// SPDX-License-Identifier: Apache-2.0
#include "targets/pools.h"

#include <algorithm>
#include <cerrno>
#include <new>
#include <stdexcept>
#include <system_error>
#include <thread>

#include "targets/guarantees.h"
#include "targets/main_operations.h"
#include "targets/pool_ledger.h"
#include "targets/runtime.h"

namespace targets {
namespace {

constexpr const char* kPoolNames[] = {"pool0", "pool1"};
constexpr int kErrno = 4321;  // no call's

}  // namespace

void check_pool(unsigned pool, const PoolVerdict& verdict) {
  if (verdict.wrong == nullptr) return;
  const Sentence sentence("pool%u: %s", pool, verdict.wrong);
  switch (verdict.guarantee) {
    case 1:
      guarantee_P1_alloc_answers_a_fresh_area(sentence.text);
    case 3:
      guarantee_P3_low_pools_are_refilled(sentence.text);
    case 4:
      guarantee_P4_fill_meets_its_target(sentence.text);
    case 5:
      guarantee_P5_small_fills_stop_refills(sentence.text);
    case 6:
      guarantee_P6_empty_is_the_last_word(sentence.text);
    default:
      guarantee_P7_nothing_is_lost(sentence.text);
  }
}

Pools::Pools(const Program& p) : program(p) {
  for (unsigned pool = 0; pool < program.pools.size(); ++pool) {
    facts[pool] = pool_facts(program, pool);
    models[pool].emplace(program.pools[pool], memory_may_run_out(program));
  }
}

void Pools::make(percpu::Domain& domain) {
  cpus = std::min(domain.cpus(), kMaxCpus);
  if (!program.pools.empty()) runtime::name_next_thread(kRefillerName);  // that the first makes
  for (unsigned pool = 0; pool < program.pools.size(); ++pool) {
    const PoolSetup& setup = program.pools[pool];
    try {
      pools[pool].emplace(domain, setup.size, setup.align,
                          percpu::Watermarks{setup.low, setup.high});
      runtime::name_object(&*pools[pool], sizeof(percpu::Pool), kPoolNames[pool]);
    } catch (const std::bad_alloc&) {
    } catch (const std::system_error&) {
    }
  }
}

uint64_t* Pools::take(unsigned pool) {
  pool_taken(pool);
  const int kept = errno;
  errno = kErrno;
  auto* const memory = static_cast<uint64_t*>(pools[pool]->alloc());
  if (errno != kErrno)
    guarantee_P2_alloc_disturbs_nobody(Sentence("pool%u: alloc changed errno", pool).text);
  errno = kept;
  if (memory == nullptr) return nullptr;
  const PoolSetup& setup = program.pools[pool];
  for (unsigned cpu = 0; cpu < cpus; ++cpu) {
    const uint64_t* const part = percpu::per_cpu_ptr(memory, cpu);
    if (reinterpret_cast<uintptr_t>(part) % setup.align != 0)
      guarantee_P1_alloc_answers_a_fresh_area(
          Sentence("pool%u: an area is not aligned", pool).text);
    for (unsigned word = 0; word < setup.size / sizeof *part; ++word)
      if (part[word] != 0)
        guarantee_P1_alloc_answers_a_fresh_area(
            Sentence("pool%u: a new area is not zero on CPU %u", pool, cpu).text);
  }
  return memory;
}

void Pools::check(unsigned pool, const Area& area) const {
  for (unsigned cpu = 0; cpu < cpus; ++cpu) {
    const uint64_t* const part = percpu::per_cpu_ptr(area.memory, cpu);
    for (unsigned word = 0; word < program.pools[pool].size / sizeof *part; ++word)
      if (part[word] != area.written[cpu])
        guarantee_P1_alloc_answers_a_fresh_area(
            Sentence("pool%u: an area holds on CPU %u what its owner did not write", pool, cpu)
                .text);
  }
}

void Pools::free(unsigned pool, const Area& area, percpu::Domain& domain) const {
  check(pool, area);
  strike_area(area.entry);
  domain.free_percpu(area.memory);
}

void Pools::free_leftovers(unsigned pool, percpu::Domain& domain) {
  for (size_t t = 0; t < program.threads.size(); ++t) {
    for (Area*& area = leftovers[pool][t]; area != nullptr; area = area->next)
      free(pool, *area, domain);
    // sync[area] relaxed: the givers have been joined.
    Area* const given = mailboxes[pool][t].exchange(nullptr, std::memory_order_relaxed);
    if (given != nullptr) free(pool, *given, domain);
  }
}

// Nobody else can be seen to have lost a kick: drain kicks, too.
void Pools::await_refill(unsigned pool, percpu::Domain& domain) {
  const percpu::Pool& stock = *pools[pool];
  unsigned left = runtime::enough_yields();
  const bool enough = left != 0;
  for (; left != 0 && stock.cached() < models[pool]->settled(); --left) std::this_thread::yield();
  if (enough && stock.cached() < models[pool]->settled())
    check_pool(pool, {"nobody refills it, although an alloc has asked for that", 3});
  domain.drain();
  check_pool(pool, models[pool]->drained(stock.cached()));
}

// Takes all there is, and expects a refill then, not before.
void Pools::run_dry(unsigned pool, percpu::Domain& domain) {
  StockModel& model = *models[pool];
  for (size_t left = pools[pool]->cached(); left != 0; --left) {
    uint64_t* const memory = take(pool);
    check_pool(pool, model.allocated(memory != nullptr));
    domain.free_percpu(memory);
    if (left == 2) domain.drain();  // a refill too early would be there now
    if (left > 1) check_pool(pool, model.looked(pools[pool]->cached()));
  }
  await_refill(pool, domain);
}

void Pools::end(unsigned pool, percpu::Domain& domain) {
  percpu::Pool& stock = *pools[pool];
  const PoolSetup& setup = program.pools[pool];
  if (facts[pool].user == PoolFacts::kSeveral)
    models[pool] = StockModel::after_several(setup, facts[pool], memory_may_run_out(program),
                                             pool_was_taken(pool));
  StockModel& model = *models[pool];
  if (setup.ending == PoolEnding::kEmpty) {
    stock.empty();
    check_pool(pool, model.emptied(stock.cached()));
    domain.drain();
    check_pool(pool, model.drained(stock.cached()));
  } else if (setup.ending == PoolEnding::kSmallFill && setup.low > 1) {
    const bool filled = stock.fill(1) == percpu::Status::kOk;
    check_pool(pool, model.filled(1, filled, stock.cached()));
    domain.drain();
    check_pool(pool, model.drained(stock.cached()));
    run_dry(pool, domain);
  } else if (setup.ending != PoolEnding::kDestroy) {
    await_refill(pool, domain);
  }
  pools[pool].reset();
}

void Pools::end(percpu::Domain& domain) {
  for (unsigned pool = 0; pool < program.pools.size(); ++pool) {
    if (program.leftovers != Leftovers::kMainAfterKill) free_leftovers(pool, domain);
    if (pools[pool]) end(pool, domain);
    free_leftovers(pool, domain);
  }
}

}  // namespace targets
