// SPDX-License-Identifier: Apache-2.0
// Thread-specific data of logical threads (pthread keys): not their donors', which live on when the
// thread ends.
#ifndef LASTPUT_SCHED_THREAD_KEYS_H_
#define LASTPUT_SCHED_THREAD_KEYS_H_

#include <cstdint>

namespace sched {

// The execution begins: keys that the code under test made in an earlier one are gone.
void keys_reset();
// Logical thread `index` begins: all its values are null.
void keys_begin_thread(uint32_t index);
// The current thread ends: its values' destructors, in rounds as POSIX has them.
void keys_end_thread();

}  // namespace sched

#endif  // LASTPUT_SCHED_THREAD_KEYS_H_
