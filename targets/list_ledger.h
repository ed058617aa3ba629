// SPDX-License-Identifier: Apache-2.0
// Who is an RCU reader, what is held of each element, and which callbacks have run, as the harness counts
// it. Not instrumented, all its atomics relaxed, like the refs' ledger (ledger.h): it orders nothing.
//
// How each count is kept so that a right core is never accused, whatever the schedule:
//   a reference counts as held     from after the call that raised the count, until before its put
//   a thread counts as a reader    from after read_lock, until before read_unlock
#ifndef LASTPUT_TARGETS_LIST_LEDGER_H_
#define LASTPUT_TARGETS_LIST_LEDGER_H_

#include <array>
#include <cstdint>

#include "targets/ledger.h"

namespace targets {

void reset_list_ledger();

// How often each actor has begun or ended to be a reader: odd while it is one.
using ReaderMarks = std::array<uint32_t, kActors>;
void reader_entered(unsigned actor);
void reader_leaves(unsigned actor);
ReaderMarks mark_readers();
// Whether somebody has been a reader ever since the mark: a grace period in between has missed him.
bool has_missed_a_reader(const ReaderMarks& marks);

// A new element: its number. Its initial reference is held.
unsigned element_listed();
unsigned elements_listed();
void element_raised(unsigned element);
void element_dropping(unsigned element);
uint64_t element_held(unsigned element);
// The actor has written `value` for free to see.
void element_written(unsigned element, unsigned actor, uint64_t value);
uint64_t last_written(unsigned element, unsigned actor);
// It was taken off the list; who was a reader then.
void element_removed(unsigned element);
bool was_removed(unsigned element, ReaderMarks* readers);
// False: it was freed before.
bool element_freed(unsigned element);
bool was_freed(unsigned element);

// RCU callbacks of an actor: the number of the one that it queues; of those that have run, the last one
// included, which is running.
unsigned callback_queued(unsigned actor);
unsigned callback_ran(unsigned actor);
bool all_callbacks_ran(unsigned actor);

}  // namespace targets

#endif  // LASTPUT_TARGETS_LIST_LEDGER_H_
