// SPDX-License-Identifier: Apache-2.0
// How a program ends, in an execution. exit() and the return of main run, in the thread that calls, its
// thread_local destructors, the handlers of atexit() and the destructors of static objects (latest first),
// then the functions marked as destructors; other threads may run meanwhile, and end with the process.
//
//   end                                     verdict
//   --------------------------------------  -----------------------------------------------
//   return 0 from main, exit(0), _exit(0)   clean, whatever the other threads were doing
//   another status                          exit-status, with the stack of the call
//   abort(), a failed assertion,            crash, with the stack
//     an exception that nobody catches
//   pthread_exit() in main                  clean once all threads have ended
//
// Not run: handlers of at_quick_exit(). Outside executions all of these are the real functions.
#ifndef LASTPUT_SCHED_RUN_EXIT_H_
#define LASTPUT_SCHED_RUN_EXIT_H_

namespace sched::program {

// Forgets the handlers of the execution before.
void exit_restore();
// main returned: what exit() does, but told as such.
[[noreturn]] void end_main(int status);
// The functions that the program marked as destructors (program.cc).
void run_finishers();

}  // namespace sched::program

#endif  // LASTPUT_SCHED_RUN_EXIT_H_
