// SPDX-License-Identifier: Apache-2.0
// Runs one program once: makes a domain, refs, pools and lists, starts the threads T1..Tn, applies their
// operations, joins them, ends what it made, and checks the guarantees (guarantees.h) on the way.
//
// The harness must not hide what it looks for, so it adds no order between threads that a real
// program would not have: a thread decides by the references that it holds itself and by the
// program's text (facts.h), whether it may make a call; what it may not, it drops and counts. What
// is counted across threads is in the ledger, which orders nothing. The only edges are those of
// thread creation and join, of the mailboxes (give, take), and of two flags that programs really
// have: "release has finished" and "confirm has begun", each acquired by the operations alone that
// need it.
//
// What lets a thread make a call (beyond the static needs in operations.def):
//   put, put_many, give, switch_to_*   it holds references (what it drops, or one)
//   get, get_many        ... or it owns the initial one, or no thread ever drops that (facts.quiet)
//   tryget..             ... or the ref lives to the program's end
//   kill..               as tryget; or it is the only killer, and has not killed since the last revival
//   resurrect            holds a reference, and its own kill has returned since the last revival
//   reinit               has acquired "release has finished" of the life before
//   is_zero, is_dying    as tryget; or it has acquired "release has finished", and nothing was freed
//   put_initial          it owns the initial reference
//   switch_to_managed    holds references; or its own kill has returned, and the release that followed
//   manager_start        it is the thread that starts the manager, and has stopped it since (another's
//                        stop it does not know of)
//   scan, manager_stop   always
// Once a thread knows that the ref is managed, by its flag or its own switch_to_managed, it makes no
// switch_to_atomic.., switch_to_percpu or kill.. any more, but for a kill of what it knows to be dead.
//
// Pools and lists have tables of their own: pool_actor.h, list_actor.h; what joins refs with them: mixed_calls.cc.
//
// Compiled once for each core that is run (platform, known bug), and each count of somebody else's (ref_under_test.h); instrumented and covered.
#ifndef LASTPUT_TARGETS_HARNESS_H_
#define LASTPUT_TARGETS_HARNESS_H_

#include "targets/abilities.h"
#include "targets/program.h"

namespace targets {

// REQUIRES: check(program, kind) finds nothing, for a concurrent kind, and fit(abilities()) changes nothing. One at a time in a process.
void run_program(const Program& program);

// In the record of a sequential program's execution where an init was refused for lack of memory, by ref.
inline constexpr const char* kNoMemoryNotes[] = {"no memory for ref0", "no memory for ref1",
                                                 "no memory for ref2"};

// The same for a sequential program: its one thread makes every call, legal or not, and what the core
// answers, does and reports is compared with the model after each (model.h).
// REQUIRES: check(program, Kind::kSequential) finds nothing.
void run_sequential(const Program& program);

// What programs may ask of the count that this was compiled for; others must be made to fit first (fit).
const Abilities& abilities();

// Operations that the last run dropped.
unsigned operations_dropped();

}  // namespace targets

#endif  // LASTPUT_TARGETS_HARNESS_H_
