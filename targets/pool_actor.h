// SPDX-License-Identifier: Apache-2.0
// What one thread does with pools, and the areas that it holds.
//
// What lets it make a call: area_free, _check, _write, _give need an area that it holds; a call of the pool,
// that the pool is there, which only its sole user ends (kSoleUser). What is checked:
//
//   alloc    all zero on every CPU, aligned, in nobody else's hands                          P1
//            errno is kept                                                                   P2
//   fill     as many areas as its target, where no other thread takes any                    P4
//   empty    none are left, where every call had ended before, and none has begun since      P6
//   cached   no more than the largest target                                                 P4
//            none, where nothing was called since an empty of this thread's                  P6
//   any      what the model says, where no other thread uses the pool                        P3..P7
#ifndef LASTPUT_TARGETS_POOL_ACTOR_H_
#define LASTPUT_TARGETS_POOL_ACTOR_H_

#include <array>
#include <cstdint>
#include <optional>

#include "targets/pools.h"

namespace targets {

class PoolActor {
 public:
  PoolActor(Pools& pools, percpu::Domain* domain, unsigned index);

  // False: the thread may not make this call now. `operation`: the number of `op`, from 0.
  bool apply(const Operation& op, unsigned operation);
  // The newest area that the thread holds is the caller's. Null: none.
  Area* pop(unsigned pool);
  // The thread has drained the domain.
  void drained();
  void wind_down();

 private:
  bool alloc(unsigned pool, unsigned operation);
  bool free(unsigned pool);
  bool check(unsigned pool);
  bool write(unsigned pool, unsigned operation, bool all);
  bool give(unsigned pool, unsigned to);
  bool take(unsigned pool);
  bool fill(unsigned pool, unsigned target);
  bool empty(unsigned pool);
  bool destroy(unsigned pool);
  bool cached(unsigned pool);

  bool alone(unsigned pool) const { return shared_.facts[pool].user == static_cast<int>(index_); }

  Pools& shared_;
  percpu::Domain* const domain_;  // null where there are no pools
  const unsigned index_;
  std::array<Area*, kMaxPools> held_ = {};  // the newest first
  // Calls that had begun when the pool was found empty for good.
  std::array<std::optional<uint32_t>, kMaxPools> emptied_;
};

}  // namespace targets

#endif  // LASTPUT_TARGETS_POOL_ACTOR_H_
