// SPDX-License-Identifier: Apache-2.0
// Where the choices of a schedule come from: given choices, else bytes of the input, else a seeded
// generator (uniform choice among the others, uniform distance between preemptions).
//
// Bytes: a preemption takes two, distance then target; a choice that must be made anyway (who runs
// when the current thread blocks, whom a wake-up wakes) takes one target byte.
//   distance = 1 + ((b & 15) << ((b >> 4) & 3)) points, b of 0xc0 and above: four times that
//   target   = b modulo the number of candidates, in order of creation
#ifndef LASTPUT_SCHED_STRATEGY_H_
#define LASTPUT_SCHED_STRATEGY_H_

#include <cstdint>

namespace sched {

void strategy_reset();
// Points until the next preemption; 0 = none any more.
uint64_t next_distance();
// One of `candidates` (a non-empty set of bits).
uint32_t choose_bit(uint32_t candidates);
uint32_t choose_number(uint32_t n);
// In a given schedule: the thread named for this very choice, or kMaxThreads; the departure of
// another kind, or 0.
uint32_t given_thread();
uint32_t given_departure();

}  // namespace sched

#endif  // LASTPUT_SCHED_STRATEGY_H_
