#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# ./lastput nightly as people use it: nightly_test.sh TREE. Builds soaks in preset plain. Exit codes: 0; 1 something is not as it should be;
# 3 this machine cannot.
set -u -o pipefail

tree=$(readlink -f -- "${1:?usage: nightly_test.sh TREE}")
# shellcheck source=sanitizers/expect.sh
. "$tree/sanitizers/expect.sh"
cd -- "$work" || exit 2
readonly bug=abort_counts_as_done
lastput=("$tree/lastput" nightly)
# So many seconds, in rounds of three, of soaks that find the bug, or not.
bad_night=("${lastput[@]}" --out=out --bug="$bug" --only=signals/none/linux/clang --seed=7)

test_words() {
  expect 1 "--hours=N: '1h' is no number of hours" "${lastput[@]}" --hours=1h
  expect 1 "--hours=0: from 0.001 to 277" "${lastput[@]}" --hours=0
  expect 1 "no bug 'nothing'" "${lastput[@]}" --bug=nothing
  expect 1 "no night is there" "${lastput[@]}" --report=nowhere
  expect 1 "no cell has that in its name" "${lastput[@]}" --out=out --only=nothing
  expect 2 "cannot write to /proc/none" "${lastput[@]}" --out=/proc/none
  ends 0 "${lastput[@]}" --out=out --plan --seed=7
  local plan=$output
  ends 0 "${lastput[@]}" --out=out --plan --seed=7
  [ "$plan" = "$output" ] || offend 'one seed, two plans'
  matches '^[0-9]+ 60 stress/signals/thread/linux/clang \./lastput stress signals --sanitizer=thread --platform=linux --seconds=60 --seed=[0-9]+ --threads=[2348]$'
  matches '^[0-9]+ [0-9]+ fuzz/managed/engine \./lastput fuzz managed --seconds=[0-9]+ --seed=[0-9]+$'
  output=$(ls out/nightly)
  [ -z "$output" ] || offend 'a plan leaves something'
}

# Every round fails, and the next one runs; one row for all that is the same.
test_failures() {
  ends 77 "${bad_night[@]}" --hours=0.0045
  says "lastput: night of 4 rounds, 16 s, seed 7, bug $bug: out/nightly/"
  says '[4/4] stress/signals/none/linux/clang: '
  matches '^[1-4] x  lastput: G[236] \('
  matches '^      again: \./lastput stress signals .* --bug=abort_counts_as_done --seconds=3 --seed='
  matches '^lastput: [1-4] failures?, in [1-4] of 4 rounds'
  night=$(echo out/nightly/*-7)
  [ "$(wc -l <"$night/rounds.jsonl")" -eq 4 ] || offend 'not a line a round'
  [ ! -e "$night/.reserve" ] || offend 'the reserve is still there'
  output=$(cat "$night/report.json")
  matches '^    "(stress|percpu)::[A-Za-z_:]+"' # a stack with functions
  output=$(cat "$night/junit.xml")
  says 'tests="1" failures="1" errors="0" skipped="0"'
  output=$(cat "$night/report.html")
  says "with the known bug $bug"
  says_not '<script'
  says_not "$HOSTNAME"
  browse "$night/report.html"
}

browse() {
  local browser
  browser=$(command -v chromium || command -v google-chrome) || { echo 'the page is not opened: no browser'; return; }
  output=$("$browser" --headless --no-sandbox --disable-gpu --dump-dom "file://$PWD/$1" 2>/dev/null)
  says '<h2>Failures</h2>'
  says '<h2>Machine</h2>'
}

# until_file_has FILE WORDS
until_file_has() {
  for _ in {1..300}; do grep -qs -- "$2" "$1" && return; sleep 0.1; done
  offend "$1 never has '$2'"
}

# What was found before kill -9 is in the report that is made afterwards, and the next night names it.
test_killed() {
  "${bad_night[@]}" --hours=0.1 --seed=8 >log 2>&1 &
  local night_process=$!
  until_file_has log '^\[1/'
  { kill -KILL $night_process && wait $night_process; } 2>/dev/null
  night=$(echo out/nightly/*-8)
  [ ! -e "$night/report.html" ] || offend 'a killed night has a report'
  expect 77 'planned round' "${lastput[@]}" --out=out --report="$night"
  matches '^lastput: [12] failures?, in '
  [ -s "$night/report.html" ] || offend 'no report'
  rm "$night/report.html"
  ends 1 "${lastput[@]}" --out=out --only=nothing
  says "was cut off; what it found: ./lastput nightly --report="
}

# SIGTERM ends the round with its summary, and the night with its report.
test_stopped() {
  local clean=("${lastput[@]}" --out=out --only=pool/none/linux/clang --hours=0.2 --seed=9)
  "${clean[@]}" >log 2>&1 &
  local night_process=$!
  night=
  for _ in {1..600}; do
    night=$(compgen -G 'out/nightly/*-9')
    [ -z "$night" ] || ! grep -qs '^pool: ' "$night/1.log" || break
    sleep 0.1
  done
  expect 2 'another night runs in' "${clean[@]}"
  kill -TERM $night_process
  wait $night_process
  local code=$?
  output=$(cat log)
  [ $code -eq 0 ] || offend "SIGTERM: exit code $code"
  matches '^\[1/[0-9]+\] stress/pool/none/linux/clang: [0-9]+ s, clean$'
  matches '^lastput: Nothing failed in 1 round, .*ended early: stopped by a signal\.$'
  [ -s "$night/report.html" ] || offend 'no report'
}

# What the machine does not have is told, and the rest runs.
test_poor_machine() {
  ends 0 env GLIBC_TUNABLES=glibc.pthread.rseq=0 "${lastput[@]}" --out=poor --only=switch_storm/none/linux/clang --hours=0.0012 --seed=3
  output=$(cat poor/nightly/*/report.json)
  matches '^  "percpu sections: .* \(none/linux/clang\)"$'
}

# A full disk ends the night, with what was found.
test_full_disk() {
  unshare -m true 2>/dev/null || { echo 'a full disk is not tried: no right to mount one'; return; }
  mkdir small
  # shellcheck disable=SC2016
  ends 77 unshare -m bash -c 'mount -t tmpfs -o size=12m none small && mkdir small/logs && { sleep 0.1; while ! compgen -G "small/nightly/*/rounds.jsonl" >/dev/null; do sleep 0.1; done
    cat /dev/zero >small/fill 2>/dev/null; } & exec "$@"' - "${bad_night[@]}" --out=small --hours=0.1 --seed=10
  matches '^lastput: the night ends: (the disk is full|cannot write to )'
  matches '^lastput: [12] failures?, in [12] of '
}

test_words
"$tree/lastput" stress signals --bug=$bug --platform=linux --seconds=1 --out=built >built.log 2>&1
[ $? -ne 2 ] || { cat built.log; exit 1; }
"$tree/build/plain/bin/real/linux/bugs/$bug/stress" --sections || { echo 'SKIPPED: no restartable sequences'; exit 3; }
for group in failures killed stopped poor_machine full_disk; do "test_$group"; done
all_as_expected
