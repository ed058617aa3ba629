// SPDX-License-Identifier: Apache-2.0
// The strategies that strategy_bench compares.
#ifndef LASTPUT_BENCH_CONTENDERS_H_
#define LASTPUT_BENCH_CONTENDERS_H_

#include <cstdint>
#include <span>
#include <string_view>

#include "sched/sched.h"

namespace bench {

struct Contender {
  const char* name;
  // Sets what execution `index` of a program runs under; `options.seed` and, from the second execution on,
  // `options.profile` are set.
  void (*prepare)(uint32_t index, sched::Options& options);
};
// The first is what the others are compared with: plain random.
std::span<const Contender> contenders();
// Null where there is none.
const Contender* find_contender(std::string_view name);

}  // namespace bench

#endif  // LASTPUT_BENCH_CONTENDERS_H_
