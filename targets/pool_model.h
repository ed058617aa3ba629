// SPDX-License-Identifier: Apache-2.0
// What the only user of a pool may find in it: a range, for a refill may be on its way. The second, naive
// implementation of what core/pool.h says of low, high, fill and empty.
//
//   call            areas in stock afterwards                       refills
//   --------------  ----------------------------------------------  --------------------------------------
//   alloc           one less; none where it answered nothing        on where none is left; asked for where
//                                                                   fewer than low, or none, are left
//   fill target     target at least (0: high)                       off where 0 < target < low, else on
//   empty           none                                            on; what was asked for is forgotten
//   drain           what a refill that was asked for makes of it    none is on its way
//
// Several users: each knows nothing but the range, and main goes on from there when they have ended.
#ifndef LASTPUT_TARGETS_POOL_MODEL_H_
#define LASTPUT_TARGETS_POOL_MODEL_H_

#include <cstddef>

#include "targets/program.h"

namespace targets {

// nullptr, or what is wrong, and the number of the guarantee (core/pool.h).
struct PoolVerdict {
  const char* wrong = nullptr;
  unsigned guarantee = 0;
};

// What a program's text says of a pool.
struct PoolFacts {
  static constexpr int kNobody = -1;
  static constexpr int kSeveral = -2;
  int user = kNobody;  // the thread that alone calls anything of it
  bool takes = false;  // some thread takes areas
  bool keeps = false;  // no thread empties it, or switches refills off
  unsigned most = 0;   // areas that it may ever hold: high, or the largest target
};
PoolFacts pool_facts(const Program& program, unsigned pool);

class StockModel {
 public:
  // An empty pool. `memory_may_run_out`: then fills and refills may fail.
  StockModel(const PoolSetup& setup, bool memory_may_run_out)
      : setup_(setup), memory_may_run_out_(memory_may_run_out) {}
  // After several users. `taken`: whether any of them has called alloc.
  static StockModel after_several(const PoolSetup& setup, const PoolFacts& facts,
                                  bool memory_may_run_out, bool taken);

  // The call has returned; `cached`: what the pool holds now.
  PoolVerdict allocated(bool got);
  PoolVerdict filled(unsigned target, bool ok, size_t cached);
  PoolVerdict emptied(size_t cached);
  PoolVerdict drained(size_t cached);
  PoolVerdict looked(size_t cached);
  // The fewest areas that there are once every refill that was asked for has ended.
  size_t settled() const { return refills_ == Refills::kOff ? least_ : settled_; }

 private:
  enum class Refills { kOn, kOff, kUnknown };
  bool exact() const { return !pending_ || refills_ == Refills::kOff; }
  void note_left(size_t least_left, size_t most_left);

  PoolSetup setup_;
  bool memory_may_run_out_;
  size_t least_ = 0, most_ = 0;
  size_t settled_ = 0;
  bool pending_ = false;  // a refill may be on its way
  bool emptied_ = false;  // nothing was called since empty
  Refills refills_ = Refills::kOn;
};

}  // namespace targets

#endif  // LASTPUT_TARGETS_POOL_MODEL_H_
