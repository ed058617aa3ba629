// SPDX-License-Identifier: Apache-2.0
// Which areas are handed out, and how many calls have begun and ended, as the harness counts it. Not
// instrumented, all its atomics relaxed, like the refs' ledger (ledger.h): it orders nothing.
//
// An area is entered after alloc has answered it, and struck out before it is freed. Who has it next has it
// after that, by whatever the core orders the two by; so on a right core nobody finds it entered.
#ifndef LASTPUT_TARGETS_POOL_LEDGER_H_
#define LASTPUT_TARGETS_POOL_LEDGER_H_

#include <cstdint>

namespace targets {

void reset_pool_ledger();

inline constexpr unsigned kAlreadyOut = ~0u;
// The entry of the area; kAlreadyOut: somebody has it.
unsigned enter_area(const void* area);
void strike_area(unsigned entry);

// Calls of the pool that may change what it holds.
void pool_call_begun(unsigned pool);
void pool_call_ended(unsigned pool);
uint32_t pool_calls_begun(unsigned pool);
// Whether every call that has begun has ended; `*begun`: how many.
bool pool_is_quiet(unsigned pool, uint32_t* begun);
// Whether any thread has called alloc.
void pool_taken(unsigned pool);
bool pool_was_taken(unsigned pool);

}  // namespace targets

#endif  // LASTPUT_TARGETS_POOL_LEDGER_H_
