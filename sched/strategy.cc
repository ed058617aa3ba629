// SPDX-License-Identifier: Apache-2.0
#include "sched/strategy.h"

#include <bit>
#include <cstring>

#include "sched/engine.h"
#include "sched/exploration.h"
#include "sched/fatal.h"

namespace sched {
namespace {

Scheduler* scheduler;  // of the current execution

bool bytes_left(size_t n) {
  return g.bytes_used + n <= g.options.bytes.size();
}
uint8_t take_byte() {
  return g.options.bytes[g.bytes_used++];
}

Scheduler& scheduler_of(const Options& options) {
  switch (options.strategy) {
    case Strategy::kRandom:
      return random_scheduler();
    case Strategy::kPct:
      return pct_scheduler();
    case Strategy::kSurw:
      return surw_scheduler();
    case Strategy::kExhaustive:
      return exhaustive_scheduler();
  }
  SCHED_CHECK(false, "no such strategy");
}

uint32_t choose_one(const ThreadSet& candidates) {
  return candidates.nth(choose_number(candidates.count()));
}
uint32_t choose_bit(uint32_t set) {
  for (uint32_t n = choose_number(static_cast<uint32_t>(std::popcount(set))); n != 0; --n)
    set &= set - 1;
  return static_cast<uint32_t>(std::countr_zero(set));
}

}  // namespace

// --- What strategies share

uint64_t next_random() {  // splitmix64 (Steele, Lea, Flood, OOPSLA 2014)
  uint64_t z = (g.random += 0x9E3779B97F4A7C15u);
  z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9u;
  z = (z ^ z >> 27) * 0x94D049BB133111EBu;
  return z ^ z >> 31;
}
uint32_t random_below(uint32_t n) {
  return static_cast<uint32_t>((next_random() >> 32) * n >> 32);
}

ThreadSet Scheduler::choose_waiters(ThreadSet timed, ThreadSet spurious) {
  ThreadSet set;
  if (!timed.empty() && sched::choose_number(kTimeoutOneIn) == 0) set |= timed;
  if (!spurious.empty() && sched::choose_number(kSpuriousWakeOneIn) == 1) set |= spurious;
  return set;
}

uint32_t Scheduler::choose_departure(uint32_t departures, uint32_t one_in) {
  return sched::choose_number(one_in) == 1 ? choose_bit(departures) : 0;
}

uint32_t Scheduler::choose_number(uint32_t n) {
  return random_below(n);
}

// --- What the engine asks: bytes first, then the strategy

void strategy_reset() {
  g.random = g.options.seed;
  g.bytes_used = 0;
  g.choices_taken = 0;
  if (g.options.go_on && g.options.choices != nullptr && g.options.choices->empty())
    g.options.choices = nullptr;
  for (auto& t : g.threads) {
    t.cursor = 0;
    t.state = State::kUnused;  // no strategy sees how the last execution ended
  }
  scheduler = &scheduler_of(g.options);
  if (g.options.choices == nullptr) scheduler->begin();
}

void tell_ready(uint32_t thread, bool is_new) {
  if (g.options.choices == nullptr) scheduler->thread_ready(thread, is_new);
}

uint64_t next_distance() {
  if (g.options.choices != nullptr) return 0;
  if (bytes_left(2)) {
    uint8_t b = take_byte();
    uint64_t distance = 1 + (uint64_t{b & 15u} << (b >> 4 & 3));
    return b >= 0xc0 ? distance * 4 : distance;
  }
  g.bytes_used = g.options.bytes.size();
  return scheduler->distance();
}

uint32_t choose_thread(Turn turn, const ThreadSet& candidates) {
  if (turn != Turn::kPreempted && candidates.is_single()) return candidates.first();
  return bytes_left(1) ? choose_one(candidates) : scheduler->choose_thread(turn, candidates);
}

ThreadSet choose_waiters(const ThreadSet& timed, const ThreadSet& spurious) {
  return bytes_left(1) ? scheduler->Scheduler::choose_waiters(timed, spurious)
                       : scheduler->choose_waiters(timed, spurious);
}

uint32_t choose_departure_now(uint32_t departures, uint32_t one_in) {
  return bytes_left(1) ? scheduler->Scheduler::choose_departure(departures, one_in)
                       : scheduler->choose_departure(departures, one_in);
}

uint32_t choose_number(uint32_t n) {
  if (n <= 1 || g.options.choices != nullptr) return 0;
  return bytes_left(1) ? take_byte() % n : scheduler->choose_number(n);
}

// --- Given choices

namespace {

// The given choices are used up.
void strategy_takes_over() {
  g.options.choices = nullptr;
  g.bytes_used = g.options.bytes.size();
  scheduler->begin();
  for (uint32_t i = 0; i < g.thread_count; ++i)
    if (g.threads[i].state == State::kRunnable) scheduler->thread_ready(i, true);
  ask_anew();
}

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
    if (++g.choices_taken == all.size() && g.options.go_on) strategy_takes_over();
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
