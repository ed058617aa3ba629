// SPDX-License-Identifier: Apache-2.0
// What pthreads and C11 threads have in common: the calls as the engine sees them, without the look
// whether the caller is a logical thread. `pc` is where the program called, for recordings. All of them
// return what their pthreads namesake does; what is a failure instead, README.md's table says.
#ifndef LASTPUT_SCHED_LOCKS_H_
#define LASTPUT_SCHED_LOCKS_H_

#include <pthread.h>

#include <cstdint>

#include "sched/virtual_time.h"

namespace sched {

int lock_mutex(pthread_mutex_t* mutex, const Deadline& deadline, uintptr_t pc);
int try_lock_mutex(pthread_mutex_t* mutex, uintptr_t pc);
int unlock_mutex(pthread_mutex_t* mutex, uintptr_t pc);
int destroy_mutex(pthread_mutex_t* mutex, uintptr_t pc);

int wait_condition(pthread_cond_t* condition, pthread_mutex_t* mutex, const Deadline& deadline,
                   uintptr_t pc);
int wake_condition(pthread_cond_t* condition, uint32_t count, uintptr_t pc);
int destroy_condition(pthread_cond_t* condition, uintptr_t pc);

int run_once(pthread_once_t* once, void (*function)());

int create_thread(pthread_t* out, bool detached, void* (*function)(void*), void* argument,
                  uintptr_t pc);
int join_thread(pthread_t donor, void** result, const Deadline& deadline, uintptr_t pc);
int detach_thread(pthread_t donor);
// Runs what is left of the caller's stack to clean up, then ends the thread.
[[noreturn]] void exit_thread(void* result);

}  // namespace sched

#endif  // LASTPUT_SCHED_LOCKS_H_
