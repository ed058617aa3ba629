// SPDX-License-Identifier: Apache-2.0
#include "sched/strategy.h"

#include <bit>
#include <cstring>

#include "sched/engine.h"

namespace sched {
namespace {

uint64_t next_random() {  // splitmix64 (Steele, Lea, Flood, OOPSLA 2014)
  uint64_t z = (g.random += 0x9E3779B97F4A7C15u);
  z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9u;
  z = (z ^ z >> 27) * 0x94D049BB133111EBu;
  return z ^ z >> 31;
}
uint32_t random_below(uint32_t n) {
  return static_cast<uint32_t>((next_random() >> 32) * n >> 32);
}

bool bytes_left(size_t n) {
  return g.bytes_used + n <= g.options.bytes.size();
}
uint8_t take_byte() {
  return g.options.bytes[g.bytes_used++];
}

uint32_t nth_bit(uint32_t set, uint32_t n) {
  for (; n != 0; --n) set &= set - 1;
  return static_cast<uint32_t>(std::countr_zero(set));
}

}  // namespace

void strategy_reset() {
  g.random = g.options.seed;
  g.bytes_used = 0;
  for (auto& t : g.threads) t.cursor = 0;
}

uint64_t next_distance() {
  if (g.options.choices != nullptr) return 0;
  if (bytes_left(2)) {
    uint8_t b = take_byte();
    uint64_t distance = 1 + (uint64_t{b & 15u} << (b >> 4 & 3));
    return b >= 0xc0 ? distance * 4 : distance;
  }
  g.bytes_used = g.options.bytes.size();
  if (g.options.mean_interval == 0) return 0;
  return 1 + random_below(2 * g.options.mean_interval - 1);
}

uint32_t choose_bit(uint32_t candidates) {
  auto n = static_cast<uint32_t>(std::popcount(candidates));
  if (n == 1) return static_cast<uint32_t>(std::countr_zero(candidates));
  return nth_bit(candidates, choose_number(n));
}

uint32_t choose_number(uint32_t n) {
  if (n <= 1 || g.options.choices != nullptr) return 0;
  if (bytes_left(1)) return take_byte() % n;
  if (g.options.mean_interval == 0 && g.options.seed == 0) return 0;
  return random_below(n);
}

namespace {

// The choice given for this very place, or null.
const Choice* given_choice() {
  const auto& all = *g.options.choices;
  Thread& t = *g.self;
  // Choices of one thread come in the order of its operations; what its run has passed is dropped.
  for (; t.cursor < all.size(); ++t.cursor) {
    const Choice& c = all[t.cursor];
    if (c.thread != t.name || c.op < t.op || (c.op == t.op && c.point < t.choices_in_op)) continue;
    if (c.op != t.op || c.point != t.choices_in_op) return nullptr;
    ++t.cursor;
    return &c;
  }
  return nullptr;
}

}  // namespace

uint32_t given_thread() {
  const Choice* c = given_choice();
  if (c == nullptr) return kMaxThreads;
  for (uint32_t i = 0; i < g.thread_count; ++i)
    if (c->to == g.threads[i].name) return i;
  return kMaxThreads;
}

uint32_t given_departure() {
  const Choice* c = given_choice();
  if (c == nullptr || c->to.size() < 2 || c->to[0] != '-') return 0;
  uint32_t number = 0;
  for (size_t i = 1; i < c->to.size(); ++i) {
    if (c->to[i] < '0' || c->to[i] > '9' || number > kMaxThreads) return 0;
    number = number * 10 + static_cast<uint32_t>(c->to[i] - '0');
  }
  return number;
}

}  // namespace sched
