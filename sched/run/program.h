// SPDX-License-Identifier: Apache-2.0
// The program that is run: its initialisers, its main, its end. All of it happens in each execution, in
// logical thread "main", on an image of globals that nothing has touched yet.
//
// How the link is done (verb.sh): marks_begin.o, the program's objects and libraries, marks_end.o, then
// this library. --wrap=main makes the C library start ours; the program's stays what it is. Before any
// constructor runs, the program's own are taken out of .init_array and .fini_array (which -z norelro
// leaves writable), for the C library would run them once, on its own thread.
#ifndef LASTPUT_SCHED_RUN_PROGRAM_H_
#define LASTPUT_SCHED_RUN_PROGRAM_H_

#include <string>
#include <vector>

namespace sched::program {

// What main is given. The first argument is the program's name.
void set_arguments(std::vector<std::string> arguments);

// One execution: puts everything back (image.h, process.h), runs the initialisers, main, and the end.
// The body of sched::run(); does not return, for exit() ends an execution as it ends a process.
void run_program(
    void* muted);  // a bool: where to its output goes, nowhere or to the descriptors as they are

}  // namespace sched::program

#endif  // LASTPUT_SCHED_RUN_PROGRAM_H_
