// SPDX-License-Identifier: Apache-2.0
// The pools of one execution, and the areas that they have handed out.
#ifndef LASTPUT_TARGETS_POOLS_H_
#define LASTPUT_TARGETS_POOLS_H_

#include <array>
#include <atomic>
#include <cstdint>
#include <optional>

#include "core/domain.h"
#include "core/pool.h"
#include "targets/ledger.h"
#include "targets/pool_model.h"
#include "targets/program.h"

namespace targets {

// An area that was handed out: what its holder knows of it. Only the holder looks here.
struct Area {
  uint64_t* memory;
  unsigned entry;  // in the ledger
  Area* next;      // that the same thread holds, older
  std::array<uint64_t, kMaxCpus>
      written;  // in each word of that CPU's part; 0: as alloc answered it
};

// What the threads share, and main before and after them.
struct Pools {
  explicit Pools(const Program& program);
  // main ends every pool as its setup says, and frees what threads have left.
  void end(percpu::Domain& domain);

  const Program& program;
  unsigned cpus = 0;  // whose parts are looked at: the linux platform takes its own number of them
  std::array<std::optional<percpu::Pool>, kMaxPools> pools;  // none: no memory for it
  std::array<PoolFacts, kMaxPools> facts;
  // The only user's; main's, when the threads have ended.
  std::array<std::optional<StockModel>, kMaxPools> models;
  std::array<std::array<std::atomic<Area*>, kMaxThreads>, kMaxPools> mailboxes = {};
  std::array<std::array<Area*, kMaxThreads>, kMaxPools> leftovers = {};  // read after join
  Area areas[kMaxThreads][kMaxOperations];  // of the operation that got it

  // REQUIRES: no threads yet.
  void make(percpu::Domain& domain);

  // A new area of the pool, all zero and nobody else's, or null. Checks P1 and P2.
  uint64_t* take(unsigned pool);
  void check(unsigned pool, const Area& area) const;
  // Checks it, strikes it out, and frees it.
  void free(unsigned pool, const Area& area, percpu::Domain& domain) const;

 private:
  void end(unsigned pool, percpu::Domain& domain);
  void free_leftovers(unsigned pool, percpu::Domain& domain);
  void run_dry(unsigned pool, percpu::Domain& domain);
  void await_refill(unsigned pool, percpu::Domain& domain);
};

// Fails if the verdict is not good.
void check_pool(unsigned pool, const PoolVerdict& verdict);

}  // namespace targets

#endif  // LASTPUT_TARGETS_POOLS_H_
