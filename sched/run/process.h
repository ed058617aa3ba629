// SPDX-License-Identifier: Apache-2.0
// What a process has beside its memory, put back before each execution: the standard streams, open files
// and descriptors, the environment, the random numbers of the C library.
//
//   what                                      in each execution
//   ----------------------------------------  ------------------------------------------------------------
//   standard input                            at its end from the start
//   standard output and error                 nowhere while muted, else ours
//   files and descriptors that it opened      closed when the next one begins
//   std::cin, std::cout, std::cerr, std::clog  as at start
//   environment                               as at start
//   rand, random, drand48 and their kin       the C library's numbers, from its first seed
//   getrandom, getentropy, arc4random,        one fixed sequence
//     std::random_device
//
// Not put back: the working directory, signal handlers (signal_calls.cc), limits, what it wrote to files.
#ifndef LASTPUT_SCHED_RUN_PROCESS_H_
#define LASTPUT_SCHED_RUN_PROCESS_H_

namespace sched::program {

// Keeps the descriptors that the process has, for us, at higher numbers. Once.
void process_setup();
// REQUIRES, of both: the engine inactive.
void process_restore(bool muted);
// The standard streams are ours, for another program that takes over.
void process_hand_over();
// What the program left in the buffers of its streams.
void process_flush();

// Our own standard output, wherever the program's goes.
int own_output();
// Whether any execution so far read standard input.
bool has_read_input();

// The random numbers (random.cc).
void random_restore();

}  // namespace sched::program

#endif  // LASTPUT_SCHED_RUN_PROCESS_H_
