// SPDX-License-Identifier: Apache-2.0
// Labels around what the program brings. A linker puts sections of one name in the order of its command
// line, so two objects of ours, one in front and one behind, enclose the program's in each section.
#ifndef LASTPUT_SCHED_RUN_MARKS_H_
#define LASTPUT_SCHED_RUN_MARKS_H_

#define SCHED_RUN_MARK(section, name)                                          \
  asm(".pushsection " section "\n.globl sched_run_" #name "\nsched_run_" #name \
      ":\n."                                                                   \
      "popsection\n");

extern "C" {
extern char sched_run_data_begin[], sched_run_data_end[];
extern char sched_run_bss_begin[], sched_run_bss_end[];
extern char sched_run_text_begin[], sched_run_text_end[];
extern char sched_run_startup_begin[], sched_run_startup_end[];
extern char sched_run_unlikely_begin[], sched_run_unlikely_end[];
}

#endif  // LASTPUT_SCHED_RUN_MARKS_H_
