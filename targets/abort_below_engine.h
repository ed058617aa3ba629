// SPDX-License-Identifier: Apache-2.0
// How a target dies of a failure: services take the topmost functions of the stack as the name of a bug, so these must be of what
// broke, and not the engine's, which are the same for all.
#ifndef LASTPUT_TARGETS_ABORT_BELOW_ENGINE_H_
#define LASTPUT_TARGETS_ABORT_BELOW_ENGINE_H_

namespace targets {

// As abort(), but called, as far as any stack shows, by the innermost function of code under test: of an oracle's failure the
// guarantee's own (guarantees.h), of a race or a bad access the function that made it. Where that cannot be told, and on other
// machines than x86-64: abort().
// REQUIRES: sched::Options::on_failure is running, every function keeps its frame pointer, and the program is linked with
// -rdynamic (as sched asks for): functions are told by their exported names, without a symbolizer, for which services have no
// child processes.
[[noreturn]] void abort_below_engine();

}  // namespace targets

#endif  // LASTPUT_TARGETS_ABORT_BELOW_ENGINE_H_
