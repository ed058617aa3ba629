// SPDX-License-Identifier: Apache-2.0
// Undo log of the executable's globals: an execution that is abandoned half-way (a failure, a spent
// budget) leaves counters raised and locks taken in statics, the C++ library's included; putting
// the old bytes back keeps the next execution independent of it.
#ifndef LASTPUT_SCHED_JOURNAL_H_
#define LASTPUT_SCHED_JOURNAL_H_

#include <cstddef>
#include <cstdint>

namespace sched {

void journal_setup();
void journal_reset();
// Saves the granules of [address, address + size) if they lie in the image. Before each write.
void journal_write(uintptr_t address, size_t size);
void journal_undo();

}  // namespace sched

#endif  // LASTPUT_SCHED_JOURNAL_H_
