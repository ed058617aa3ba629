#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# `./lastput run` on programs of all kinds: run_test.sh GROUP. Each must end with the code and the words that
# stand here, "executions: N" last and only there. $LASTPUT_RUN_PARTS: the engine to link with.
set -u -o pipefail

here=$(dirname -- "$(readlink -f -- "${BASH_SOURCE[0]}")")
lastput=$here/../../lastput
# shellcheck source=sanitizers/expect.sh
. "$here/../../sanitizers/expect.sh"
cd -- "$here/programs" || exit 2

# expect CODE LINE ARGUMENTS-OF-RUN...: LINE is a regular expression.
expect() {
  local code=$1 line=$2
  shift 2
  ends "$code" "$lastput" run --seed=1 --out="$work/out" "$@"
  matches "$line"
  case $code in 0 | 77) expect_count "$*" ;; esac
}
expect_count() {
  [[ $(tail -n 1 <<<"$output") =~ ^executions:\ [1-9][0-9]*$ ]] || offend "$1: the last line is not 'executions: N'"
  [ "$(grep -c 'executions:' <<<"$output")" -eq 1 ] || offend "$1: matches 'executions:' more than once"
}

# What was found is found again by the command that it names, and in every repetition.
expect_replay() { # WORDS
  local words=$1 file
  file=$(sed -n 's/^replay: \.\/lastput replay //p' <<<"$output")
  output=$("$lastput" replay --times=5 --out="$work/out" "$file" 2>&1 </dev/null)
  [ $? -eq 77 ] || offend "replay $file: exit code is not 77"
  matches "$words"
  matches '^5 of 5 the same: '
}

# How a program ends.
group_ends() {
  local clean='^no failure found in '
  expect 0 "$clean" --executions=300 ends.c
  expect 0 "$clean" --executions=300 ends.c -- exit0
  expect 0 "$clean" --executions=300 ends.c -- leaks-threads
  expect 0 'note: it starts no threads' ends.c -- early
  expect 0 'note: it reads standard input, which is at its end' --executions=300 ends.c -- stdin
  [ "$(grep -c '^note:' <<<"$output")" -eq 1 ] || offend "standard input is told more than once"
  expect 77 'exited with status 6: main returned it' ends.c -- early-status
  matches '^it fails in every schedule$'
  matches '^SUMMARY: lastput: exit-status in main ends\.c:'
  expect 77 '^  exited with status 4$' ends.c -- exit
  matches '^SUMMARY: lastput: exit-status in end ends\.c:'
  expect_replay '^FAILED: exit-status$'
  expect 77 '^  exited with status 5$' ends.c -- _exit
  expect 77 '^  abort\(\) was called$' ends.c -- abort
  expect 77 '^  assertion failed: handled == 1 \(ends\.c:[0-9]+, ' ends.c -- assert
  matches '^    #0 end ends\.c:'
  expect 77 '^  crashed with SIGSEGV .* near null$' ends.c -- segv
  expect 77 '^  crashed with SIGFPE' ends.c -- fpe
  matches '^SUMMARY: lastput: crash in end ends\.c:'
  expect 2 '^  read\(\) that has to wait is not controlled by the engine: put a queue' ends.c -- pipe
  expect 77 '^  ended itself by signal 15 ' ends.c -- term
  matches '^SUMMARY: lastput: crash in end ends\.c:'
  expect 77 '^  ended itself by signal 9 ' ends.c -- kill
  expect 77 '^  crashed with SIGSEGV .* near null$' ends.c -- handled
  expect 77 '^  assertion failed: handled == 2 ' ends.c -- handler
  expect 77 "^  assertion failed: strcmp\\(how, \"destructor\"\\) != 0 " ends.c -- destructor
  expect 77 'an exception that nobody catches: std::runtime_error: out of the thread' throws.cc
  matches '^SUMMARY: lastput: crash in body throws\.cc:'
  expect 77 '^  crashed with SIGSEGV' before_main.cc
  matches '^SUMMARY: lastput: crash in Global::Global before_main\.cc:6'
}

group_memory() {
  expect 77 '^FAILED: bad-free$' ends.c -- double-free
  expect 77 '^FAILED: use-after-free$' ends.c -- use-after-free
  matches '^  freed by main\.2:$'
  expect 77 '^FAILED: use-after-free$' ends.c -- strdup
  expect 77 '^FAILED: out-of-bounds$' ends.c -- out-of-bounds
  expect 77 '^FAILED: stack-overflow$' ends.c -- overflow
}

group_threads() {
  expect 0 '^no failure found in ' --executions=2000 counter.c
  expect 77 '^FAILED: data-race$' counter.c -- racy
  matches '^  write of counter by main\.[12] is not ordered after the (read|write) by main\.[12]$'
  expect_replay '^counted to [1-4]|^FAILED: data-race$'
  expect 77 '^  exited with status 3: main returned it$' --races=off counter.c -- racy
  matches_not '^it fails in every schedule$'
  expect_replay '^counted to [123]$'
  expect 77 '^FAILED: deadlock$' deadlock.c
  matches '^  main(\.1)? waits:$'
  matches ' lock (mutex )?a  deadlock\.c:20$'
  matches '^SUMMARY: lastput: deadlock in (main|other) deadlock\.c:'
  expect_replay '^FAILED: deadlock$'
  expect 77 '^FAILED: livelock$' spin_atomic.c
  expect_replay '^FAILED: livelock$'
  expect 77 '^FAILED: data-race$' spin_plain.c
  matches '^note: it loops without a scheduling point'
  expect_replay '^FAILED: data-race$'
  expect 0 '^no failure found in ' --races=off --executions=200 spin_plain.c
  expect 77 '^FAILED: no-progress$' loop.c
  matches '^    #0 loop loop\.c:'
  expect 77 '^  exited with status 9' store_buffer.c
  expect 0 '^no failure found in ' --memory=sc --executions=5000 store_buffer.c
}

# More threads than the engine has: they go on with the wider library.
group_crowd() {
  local note='^note: more than [0-9]+ threads at once: it is run with the library sched_wide'
  expect 0 '^no failure found in ' --executions=300 crowd.c -- 9
  matches_not 'sched_wide'
  expect 0 "$note" --executions=300 crowd.c -- 20
  matches '^executions: 300$'
  [ "$(grep -c '^lastput: program crowd, seed 1' <<<"$output")" -eq 1 ] || offend "what is run is told more than once"
  expect 0 "$note" --executions=300 --jobs=2 crowd.c -- 20
  [ "$(grep -c '^note:' <<<"$output")" -eq 1 ] || offend "the wider library is told by more than one job"
  expect 77 '^FAILED: data-race$' crowd.c -- 20 racy
  matches "$note"
  matches ' by main\.20( |$)'
  local file
  file=$(sed -n 's/^replay: \.\/lastput replay //p' <<<"$output")
  grep -qxF 'library sched_wide' "$file" || offend "the artifact does not name its library"
  expect_replay '^FAILED: data-race$'
  sed 's/^library .*/library sched_huge/' "$file" >"$work/huge.lastput"
  output=$("$lastput" replay --out="$work/out" "$work/huge.lastput" 2>&1)
  [ $? -eq 1 ] || offend "replay with a library that is not there"
  matches 'was made with the library sched_huge, which is not here; there is: sched sched_wide'
  # There is an end to that, too; of a replay as well.
  sed 's/^argument 20$/argument 2000/' "$file" >"$work/many.lastput"
  output=$("$lastput" replay --out="$work/out" "$work/many.lastput" 2>&1)
  [ $? -eq 2 ] || offend "replay that ends at a limit of the engine: exit code is not 2"
  matches '^lastput: this program does what the engine does not control'
  matches_not '^SUMMARY:'
  expect 2 '^  more than [0-9]+ threads at once$' crowd.c -- 2000
  matches "$note"
}

# Every execution; without a seed.
expect_exhaustive() { # CODE WORDS ARGUMENTS...
  local code=$1 words=$2
  shift 2
  output=$("$lastput" run --exhaustive --out="$work/out" "$@" 2>&1 </dev/null)
  [ $? -eq "$code" ] || offend "--exhaustive $*: exit code is not $code"
  grep -qE -e "$words" <<<"$output" || offend "--exhaustive $*: does not say '$words'"
  expect_count "--exhaustive $*"
}
group_exhaustive() {
  expect_exhaustive 0 '^6 distinct by reads-from and modification order, of 6 executions' counter.c
  matches '^complete: all executions within the bounds are right, and no bound left anything out$'
  expect_exhaustive 0 '^complete: .* right; beyond them: preemptions$' --preemptions=0 counter.c
  expect_exhaustive 77 '^FAILED: deadlock$' deadlock.c
  expect_replay '^FAILED: deadlock$'
  expect_exhaustive 77 '^  exited with status 9' store_buffer.c
  expect_replay '^  exited with status 9'
  expect_exhaustive 0 '^complete: ' --memory=sc store_buffer.c
  expect_exhaustive 0 '^CUT OFF by executions; ' --executions=2 counter.c
  expect_exhaustive 0 '^CUT OFF by steps; ' spin_atomic.c
  matches '^1 of 1 execution did not end within 20000 steps: it loops for ever, or is long$'
  matches '^hint: --steps=200000 gives each more; '
  expect_exhaustive 0 '^CUT OFF by a loop without a scheduling point; ' loop.c
  matches_not ' did not end within '
}

# What an execution leaves, the next one must not find.
group_state() {
  expect 0 '^no failure found in ' --executions=500 state.cc -- argument
  [ "$(ls "$work/out/run")" = '' ] || offend "the built program is left over"
}

# expect_again CODE WORDS FLAGS... FILE; `replay` of the artifact with more to do.
expect_again() {
  local code=$1 words=$2 got
  shift 2
  output=$("$lastput" replay --out="$work/out" "$@" 2>&1 </dev/null)
  got=$?
  [ $got -eq "$code" ] || offend "replay $*: exit code $got, not $code"
  matches "$words"
}
group_replay() {
  expect 77 '^  exited with status 9' store_buffer.c
  local file small
  file=$(sed -n 's/^replay: \.\/lastput replay //p' <<<"$output") small=${file%.lastput}.min.lastput
  # The artifact of every version so far.
  cd -- "$here/../.." || exit 2
  expect_again 77 '^FAILED: deadlock$' --times=5 replay/testdata/version1/deadlock.lastput
  cd -- "$here/programs" || exit 2
  expect_again 77 '^minimize: [0-9]+ choices? -> 1 choice \(' --minimize --times=20 "$file"
  matches 'min\.lastput: no choice of the schedule can go$'
  matches '^the trace is the one that was found$'
  matches '^20 of 20 the same: exit-status'
  matches 'Once main\.[12] takes an older store'
  matches 'An interleaving alone does not'
  [ "$(grep -c -- ' -> ' "$small")" -eq 1 ] || offend "the small artifact has more than one choice"
  # Without that choice it is right.
  sed '/ -> /d' "$small" >"$work/none.lastput"
  expect_again 0 '^does not fail$' "$work/none.lastput"
  matches '^hint: it failed once \(exit-status\): '
  sed 's/^fails [a-z-]*/fails deadlock/; s/^hash .*/hash 0x1/' "$small" >"$work/other.lastput"
  expect_again 77 '^it fails in another way than then: then deadlock, now exit-status$' "$work/other.lastput"
  expect_again 1 'it does not fail here, so there is nothing to minimize' --minimize "$work/none.lastput"
  expect_again 77 '^what the threads did to each other:' --timeline --html="$work/page.html" "$small"
  grep -qF 'store_buffer' "$work/page.html" || offend "the page does not name its program"
  expect_again 1 '--emit-test is for those of the core' --emit-test="$work/x.cc" "$file"
  output=$(play_rr; "$lastput" replay --out="$work/out" --rr "$small" 2>&1 </dev/null)
  [ $? -eq 77 ] || offend "--rr: exit code is not 77"
  matches "^recorded: rr replay -W $work/out/rr/"
  if gdb -nx -batch -ex 'python 1' >/dev/null 2>&1; then
    output=$(printf '%s\n' step-point continue kill quit | "$lastput" replay --out="$work/out" --debug "$small" 2>&1)
    if ! grep -qiE 'ptrace|could not trace|cannot create process' <<<"$output"; then
      matches '^this is the inflection point: main\.[12] takes an older store'
      matches 'stopped at point [0-9]+, thread main\.[12]$'
      matches 'FAILED at point [0-9]+, thread main$'
    fi
  fi
  # What has no end has no choices either.
  expect 77 '^FAILED: no-progress$' loop.c
  file=$(sed -n 's/^replay: \.\/lastput replay //p' <<<"$output")
  expect_again 1 'its schedule was not recorded' --minimize "$file"
}

# The command itself.
group_command() {
  expect 1 "use of undeclared identifier 'undeclared_name'" not_c.c
  matches 'lastput: not_c\.c does not compile$'
  expect 1 '^lastput: the program has no main\(\)$' no_main.c
  expect 1 'does not link; libraries are named by --cflags' mixed_main.c
  expect 1 'does not link' counter.c --cflags=-lno-such-library
  expect 0 '^no failure found in ' --executions=200 mixed_main.c mixed_part.cc --cflags=-lm
  expect 0 '^no failure found in ' --executions=200 own_names.c
  expect 0 '^no failure found' --executions=7 --json="$work/json" counter.c --cflags='-O2 -DUNUSED' --cflags=-DMORE
  matches '^executions: 7$'
  matches '^lastput: program counter, seed 1, options: .*--cflags=-O2 -DUNUSED --cflags=-DMORE$'
  grep -qF '"failure": "none"' "$work/json" || offend "JSON of a clean run"
  expect 77 '^FAILED: deadlock$' --json="$work/json" deadlock.c
  grep -qF '"failure": "deadlock"' "$work/json" || offend "JSON of a failure"
  output=$("$lastput" run --out="$work/out" "$(ls -d "$work"/out/artifacts/run/failure-deadlock-*.lastput)" 2>&1)
  [ $? -eq 1 ] || offend "run of an artifact: exit code is not 1"
  matches ' is an artifact, not a program: \./lastput replay '
  # Several processes are told as one.
  expect 0 '^executions: 1001$' --jobs=3 --executions=1001 counter.c
  expect 77 '^FAILED: deadlock$' --jobs=3 deadlock.c
  [ "$(grep -c '^SUMMARY:' <<<"$output")" -eq 1 ] || offend "a failure is told by more than one job"
  # Two runs of one seed are the same.
  expect 77 '^executions:' counter.c --races=off -- racy
  local first=$output
  expect 77 '^executions:' counter.c --races=off -- racy
  [ "${first//after*s/}" = "${output//after*s/}" ] || offend "two runs of one seed differ"
  # An artifact says all that a replay needs, and notices another source.
  cp -- deadlock.c "$work/prog.c" && cd -- "$work" || exit 2
  expect 77 '^FAILED: deadlock$' prog.c --cflags=-DA --cflags=-DB -- 'two words' '*'
  local file
  file=$(sed -n 's/^replay: \.\/lastput replay //p' <<<"$output")
  output=$(cat -- "$file")
  matches '^source [0-9a-f]{8} prog\.c$'
  matches '^flag -DA$'
  matches '^flag -DB$'
  matches '^argument two words$'
  matches '^argument \*$'
  echo '// more' >>prog.c
  output=$("$lastput" replay --out="$work/out" "$file" 2>&1)
  [ $? -eq 77 ] || offend "replay of a changed source"
  matches 'prog\.c has changed since'
  rm -- prog.c
  output=$("$lastput" replay --out="$work/out" "$file" 2>&1)
  [ $? -eq 1 ] || offend "replay without its source"
  matches 'was made of prog\.c, which is not here'
}

case ${1-} in
  ends | memory | threads | crowd | exhaustive | state | replay | command) "group_$1" ;;
  *) echo "usage: run_test.sh ends|memory|threads|crowd|exhaustive|state|replay|command" >&2 && exit 2 ;;
esac
all_as_expected
