# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# Options of the sanitizers' runtimes, for every program that the driver starts. Yours come last and win.
#
# exitcode=77: a report is "a failure was found" in the codes of this project.
# halt_on_error: the first report is the one that matters; what follows may be its consequence.
# detect_stack_use_after_return: off, since logical threads swap stacks under the sanitizer's feet.
export ASAN_OPTIONS="exitcode=77:halt_on_error=1:detect_stack_use_after_return=0:strict_init_order=1${ASAN_OPTIONS:+:$ASAN_OPTIONS}"
export LSAN_OPTIONS="exitcode=77${LSAN_OPTIONS:+:$LSAN_OPTIONS}"
export TSAN_OPTIONS="exitcode=77:halt_on_error=1:second_deadlock_stack=1:history_size=4${TSAN_OPTIONS:+:$TSAN_OPTIONS}"
export UBSAN_OPTIONS="exitcode=77:halt_on_error=1:print_stacktrace=1${UBSAN_OPTIONS:+:$UBSAN_OPTIONS}"

# For programs that tell a race themselves, when its execution is over (targets/fuzzer_real.cc, stress/report.cc): ThreadSanitizer would end the process
# with its locks held, and what is still to be told might wait for ever.
go_on_after_a_race() { export TSAN_OPTIONS="$TSAN_OPTIONS:halt_on_error=0"; }
