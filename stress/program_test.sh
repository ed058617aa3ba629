#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The program `stress` as people use it: program_test.sh DIR. DIR is the tree's build/PRESET/bin/real. Exit codes: 0; 1 something is not as it
# should be. What cannot be tried here is said and left out.
set -u -o pipefail

dir=$(readlink -f -- "${1:?usage: program_test.sh DIR}")
stress=$dir/linux/stress broken=$dir/linux/bugs/abort_counts_as_done/stress
# shellcheck source=sanitizers/expect.sh
. "$(dirname -- "$(readlink -f -- "${BASH_SOURCE[0]}")")/../sanitizers/expect.sh"
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
}

# What the machine does not have, or the kernel does not allow, is said; and the rest is soaked.
test_poor_machines() {
  expect 0 'without percpu sections: ' env GLIBC_TUNABLES=glibc.pthread.rseq=0 "$stress" switch_storm --seconds=1
  expect 3 'restartable sequences' env GLIBC_TUNABLES=glibc.pthread.rseq=0 "$stress" --sections
  expect 0 'not here: a file for the flight recorder: none/rings: No such file' "$stress" pool --seconds=1 --rings=none/rings
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

test_stopped() {
  "$stress" pool --seconds=600 --rings=rings >log 2>&1 &
  local soak=$!
  for _ in {1..200}; do grep -q 'pool: ' log && break; sleep 0.1; done
  kill -TERM $soak
  wait $soak
  local code=$?
  output=$(cat log)
  [ $code -eq 0 ] || offend "SIGTERM: exit code $code"
  says 'lastput: stopped; 1 scenarios clean'
  "$stress" pool --seconds=600 --rings=rings >log 2>&1 &
  soak=$!
  for _ in {1..200}; do [ -s rings ] && grep -qa '[^[:cntrl:]]' rings && break; sleep 0.1; done
  { kill -KILL $soak && wait $soak; } 2>/dev/null
  output=$(od -An -tx1 -N4096 rings | tr -d ' 0\n*')
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

for group in usage clean poor_machines stopped failure; do "test_$group"; done
all_as_expected
