// SPDX-License-Identifier: Apache-2.0
// Keys of pthreads (and tss_t of C11): values that each logical thread has for itself, and that begin
// anew with each. A key is the library's own number. Who made it:
//
//   the program, inside an execution     ends with the execution, if nobody deletes it before
//     what runs once, by a global          stays, as the global does that says so, until it runs again
//   the program, before (constructors);  stays; its values in executions are those of logical threads
//     a shared library, at any time
//   a sanitizer, before any constructor  not ours: its values belong to the donors
#ifndef LASTPUT_SCHED_THREAD_KEYS_H_
#define LASTPUT_SCHED_THREAD_KEYS_H_

#include <pthread.h>

#include <cstdint>

namespace sched {

// An execution, a logical thread begins: no keys of the execution before; no values.
void keys_reset();
void keys_begin_thread(uint32_t thread);
// The current thread ends: the destructors of its values, by ascending key, in up to
// PTHREAD_DESTRUCTOR_ITERATIONS rounds as long as they leave new values.
void keys_end_thread();

// As pthread_key_create and so on. Callers may be anybody. `pc`: in whose code the caller is.
int key_create(pthread_key_t* key, void (*destructor)(void*), uintptr_t pc);
int key_delete(pthread_key_t key);
void* key_get(pthread_key_t key);
int key_set(pthread_key_t key, const void* value);

}  // namespace sched

#endif  // LASTPUT_SCHED_THREAD_KEYS_H_
