#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The program `stress` as people use it: program_test.sh DIR. DIR is the tree's build/PRESET/bin/real. Exit codes: 0; 1 something is not as it
# should be. What cannot be tried here is said and left out.
set -u -o pipefail

dir=$(readlink -f -- "${1:?usage: program_test.sh DIR}")
stress=$dir/linux/stress broken=$dir/linux/bugs/abort_counts_as_done/stress
# shellcheck source=sanitizers/expect.sh
. "$(dirname -- "$(readlink -f -- "${BASH_SOURCE[0]}")")/../sanitizers/expect.sh"
lastput=$(dirname -- "$(readlink -f -- "${BASH_SOURCE[0]}")")/../lastput
# What ThreadSanitizer reports is told when the runtime has gone on (stress/report.h); its own options win over the program's.
export TSAN_OPTIONS=${TSAN_OPTIONS:+$TSAN_OPTIONS:}halt_on_error=0
cd -- "$work" || exit 2

test_usage() {
  expect 0 'usage: stress' "$stress" --help
  expect 0 'kill_resurrect' "$stress" --list
  expect 1 "no scenario 'nonsense'; there is: kill_resurrect" "$stress" nonsense
  expect 1 "--seconds: '0' is no number from 1" "$stress" --seconds=0
  expect 1 "--threads: '33' is no number from 1 to 32" "$stress" --threads=33
  expect 1 "unknown flag '--sconds=3'" "$stress" --sconds=3
}

test_clean() {
  expect 0 'lastput: stress, 2 threads, 2 s, seed 7, bug none (real ' "$stress" kill_resurrect churn --seconds=2 --seed=7
  says 'kill_resurrect: '
  says 'churn: '
  says 'adversity: '
  [[ ${output##*$'\n'} =~ ^lastput:\ 2\ scenarios\ clean,\ rounds:\ [1-9][0-9]*,\ operations:\ [1-9][0-9]*$ ]] || offend 'ends with other words'
  [ ! -e out ] || offend 'a clean soak leaves something'
  expect 0 '1 scenarios clean' "$stress" signals --seconds=2 --seed=7 --json=json
  output=$(cat json)
  [ "$(wc -l <json)" -eq 1 ] || offend 'the JSON is not one line'
  matches '^\{"build": "real [a-z]+ linux, [^"]*", "bug": "", "seed": 7, "threads": 2, "stopped": false, "without sections": "[^"]*", "most memory, MB": [1-9][0-9]*, "scenarios": \[\{"scenario": "signals", "seconds": [12]\.'
  matches '"counts": \{"operations": [1-9]'
  matches '"ages": \[([0-9]+, ){6}[0-9]+\], "adversity": \{"shuffles": [0-9]+, '
  matches '"aborts": \{"breakpoints": [0-9]+, "forced": [0-9]+, "sections": [1-9][0-9]*, "instructions": 8, "met": \[.*\]\}\}$'
  ! python3 -c '' 2>/dev/null || python3 -c 'import json; json.load(open("json"))' || offend 'no JSON'
  expect 2 'cannot write none/json' "$stress" pool --seconds=1 --json=none/json
}

# denied CALL WORDS: the kernel forbids it, as in a container; the soak says WORDS, and goes on.
denied() {
  "$dir/deny_calls" "$1" -- /bin/true || { echo "a kernel that denies $1 is not tried: it filters no calls"; return; }
  expect 0 "$2" "$dir/deny_calls" "$1" -- "$stress" switch_storm --seconds=2
}
# What the machine does not have, or the kernel does not allow, is said; and the rest is soaked.
test_poor_machines() {
  expect 0 'without percpu sections: ' env GLIBC_TUNABLES=glibc.pthread.rseq=0 "$stress" switch_storm --seconds=1
  expect 3 'restartable sequences' env GLIBC_TUNABLES=glibc.pthread.rseq=0 "$stress" --sections
  expect 0 'not here: a file for the flight recorder: none/rings: No such file' "$stress" pool --seconds=1 --rings=none/rings
  denied affinity 'not here: affinity: Operation not permitted'
  denied breakpoints 'not here: breakpoints in the sections: Operation not permitted'
  denied priority 'not here: priorities: Operation not permitted'
  denied membarrier 'without percpu sections: membarrier cannot restart sequences here'
  if mkdir full && unshare -m mount -t tmpfs -o size=16k none full 2>/dev/null; then
    expect 0 'not here: a file for the flight recorder: full/rings: No space left' \
      unshare -m bash -c "mount -t tmpfs -o size=16k none full && exec '$stress' pool --seconds=1 --rings=full/rings"
  else
    echo "a full disk is not tried: no right to mount one"
  fi
  if output=$(setpriv --reuid=65534 --clear-groups true 2>&1); then
    expect 3 'cannot start a thread' setpriv --reuid=65534 --clear-groups bash -c "ulimit -u 1; exec '$stress' pool --seconds=1"
  else
    echo "a limit on threads is not tried: ${output:-no setpriv}"
  fi
}

recorded_bytes() { tr -d '\0' <killed | head -c 64 | od -An -tx1; }
test_stopped() {
  : >log
  "$stress" pool --seconds=600 --rings=rings >log 2>&1 &
  local soak=$!
  for _ in {1..200}; do grep -q 'pool: ' log && break; sleep 0.1; done
  kill -TERM $soak
  wait $soak
  local code=$?
  output=$(cat log)
  [ $code -eq 0 ] || offend "SIGTERM: exit code $code"
  says 'lastput: stopped; 1 scenarios clean'
  "$stress" pool --seconds=600 --rings=killed >log 2>&1 &
  soak=$!
  for _ in {1..200}; do [ -s killed ] && [ -n "$(recorded_bytes)" ] && break; sleep 0.1; done
  { kill -KILL $soak && wait $soak; } 2>/dev/null
  output=$(recorded_bytes)
  [ -n "$output" ] || offend 'after kill -9 the rings are empty'
}

# A failure and all that it leaves.
test_failure() {
  "$stress" --sections >/dev/null || { echo 'a failure is not tried: no restartable sequences'; return; }
  expect 77 'SUMMARY: lastput: G' "$broken" signals --seconds=60 --seed=3 --artifacts=art
  [[ $output == *$'\nFAILED: G'* ]] || [[ $output == FAILED:\ G* ]] || offend 'no line FAILED'
  says 'again: ./lastput stress signals --seconds=60 --threads=2 --seed=3 --bug=abort_counts_as_done'
  says 'written: art/signals-3-1'
  says 'worker 1, last operations'
  [ -s art/signals-3-1/report.txt ] && [ -s art/signals-3-1/rings.bin ] || offend 'the folder is not whole'
  grep -q '"seed": 3, .*"bug": "abort_counts_as_done"' art/signals-3-1/options.json || offend 'options.json says something else'
  ! grep -q "$dir" art/signals-3-1/* || offend 'a path of this machine'
  expect 77 'no folder is left: /proc/none: ' "$broken" signals --seconds=60 --artifacts=/proc/none
}

# What ThreadSanitizer reports is told as all else is. Such a program is built with it alone.
test_race() {
  local race=$dir/linux/bugs/edge_of_put_left_out/stress
  [ -x "$race" ] || return
  expect 77 'FAILED: G7' "$race" kill_resurrect --seconds=60 --artifacts=art
  says 'worker 1, last operations'
  [[ ${output##*$'\n'} == 'SUMMARY: lastput: G7 '* ]] || offend 'ends with other words'
  [ -s art/kill_resurrect-1-1/program.lastput ] || offend 'the folder is not whole'
  expect 77 'SUMMARY: lastput: see ThreadSanitizer' env TSAN_OPTIONS=halt_on_error=1 "$race" kill_resurrect --seconds=60 --artifacts=art
}

# Played, since the real one works on few machines (sched/debug/played_rr.sh).
test_rr() {
  mkdir none && ln -s /usr/bin/* none/ 2>/dev/null
  rm -f none/rr
  expect 3 'no rr here; install it' env PATH="$work/none" "$stress" churn --rr --seconds=1
  play_rr
  expect 3 'cannot record on this machine' env PLAYED_RR=broken "$stress" churn --rr --seconds=1
  mkdir -p recorded/.rr-99999999
  expect 0 'round 1, churn, seed 7: clean' "$stress" churn pool --rr --seconds=3 --seed=7 --artifacts=recorded
  says 'round 2, pool, seed 8, chaos: clean'
  [[ ${output##*$'\n'} =~ ^lastput:\ [2-9]\ rounds\ under\ rr,\ none\ fails$ ]] || offend 'ends with other words'
  [ -z "$(ls -A recorded)" ] || offend 'recordings are left'
  "$stress" churn --rr --seconds=600 --artifacts=recorded >log 2>&1 &
  local soak=$!
  for _ in {1..200}; do [ -e recorded/.rr-$soak/trace/version ] && break; sleep 0.1; done
  kill -TERM $soak
  wait $soak
  local code=$?
  output=$(cat log)
  [ $code -eq 0 ] || offend "SIGTERM: exit code $code"
  says 'lastput: stopped; 0 rounds under rr'
  [ -z "$(ls -A recorded)" ] || offend 'recordings are left'
  "$stress" --sections >/dev/null || { echo 'a failure under rr is not tried: no restartable sequences'; return; }
  expect 77 'replayed once: the same, word for word' "$broken" signals --rr --seconds=60 --seed=3 --artifacts=recorded
  local folder
  folder=$(sed -n 's/^written: //p' <<<"$output")
  [ -e "$folder/rr/packed" ] || offend 'the recording is not packed'
  expect 77 'at the failure, in thread 2:' "$lastput" replay --out=out "$folder"
  says 'FAILED: G'
  says "to go on from there, backwards too: ./lastput replay --debug $folder/rr"
  expect 77 '3 of 3 the same' "$lastput" replay --out=out --times=3 "$folder/rr"
  expect 1 'is a recording of rr; --html is not for those' "$lastput" replay --html=page "$folder/rr"
  echo 'sh -c x' >"$folder/rr/how-to-replay"
  expect 1 "how-to-replay says 'sh -c x'" "$lastput" replay "$folder/rr"
  expect 77 'replayed once: NOT the same: it goes on with' env PLAYED_RR=diverges "$broken" signals --rr --seconds=60 --seed=3 --artifacts=recorded
  says 'SUMMARY: lastput: G'
}

for group in usage clean poor_machines stopped failure race rr; do "test_$group"; done
all_as_expected
