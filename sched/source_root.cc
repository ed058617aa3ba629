// SPDX-License-Identifier: Apache-2.0
// The folder that files in reports are told relative to. Of the program, not of the library, which is installed
// anywhere (symbolize.cc).
extern "C" {
extern const char sched_source_root[];
const char sched_source_root[] = SCHED_SOURCE_ROOT;
}
