// SPDX-License-Identifier: Apache-2.0
// How strong a memory still allows a recorded execution.
#ifndef LASTPUT_SCHED_CONSISTENCY_H_
#define LASTPUT_SCHED_CONSISTENCY_H_

#include <cstdint>

#include "sched/sched.h"

namespace sched {

// The weakest assumption on memory under which the execution can happen.
enum class MemoryNeeded : uint8_t {
  kSequential,  // an interleaving does it
  kX86,  // stores wait in a buffer while later loads of their thread go ahead (total store order)
  kWeaker,  // no x86 does that (Arm, POWER, or a compiler that reorders)
};

// Of atomic accesses, locks and the like, thread starts and joins; plain accesses count for nothing.
// Total store order as in Alglave, Maranget and Tautschnig, "Herding cats" (TOPLAS 2014): the union of
// program order without store to load, fences, reads-from between threads, and the orders of each object,
// has no cycle. A seq_cst store, a read-modify-write, a lock operation order all, as their instructions
// do. REQUIRES: a recording of one execution, from its beginning.
MemoryNeeded memory_needed(const Recording& recording);

}  // namespace sched

#endif  // LASTPUT_SCHED_CONSISTENCY_H_
