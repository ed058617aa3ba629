// SPDX-License-Identifier: Apache-2.0
#include "bench/contenders.h"

namespace bench {
namespace {

using sched::Options;
using sched::Strategy;

template <uint32_t kInterval>
void random(uint32_t, Options& o) {
  o.mean_interval = kInterval;
}
void pct(uint32_t, Options& o) {
  o.strategy = Strategy::kPct;
}
void pct_mixed(uint32_t index, Options& o) {
  o.strategy = Strategy::kPct;
  o.depth = 2 + index % 6;
}
template <uint32_t kObjects>
void surw(uint32_t, Options& o) {
  o.strategy = Strategy::kSurw;
  o.interesting = kObjects;
}
void mix(uint32_t index, Options& o) {
  sched::mix_strategies(index, &o);
}

constexpr Contender kContenders[] = {
    {"random", random<8>}, {"random-3", random<3>}, {"pct-3", pct}, {"pct-mixed", pct_mixed},
    {"surw-1", surw<1>},   {"surw-all", surw<0>},   {"mix", mix},
};

}  // namespace

std::span<const Contender> contenders() {
  return kContenders;
}

const Contender* find_contender(std::string_view name) {
  for (const Contender& c : kContenders)
    if (name == c.name) return &c;
  return nullptr;
}

}  // namespace bench
