#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The replay program as people use it: replay_test.sh BIN GROUP. BIN holds replay, and bugs/touch_after_release/replay.
# Exit codes: 0; 1 something is not as it should be. What cannot be tried here is skipped, with the reason.
set -u -o pipefail

bin=$(readlink -f -- "${1:?usage: replay_test.sh BIN GROUP}") group=${2:?usage: replay_test.sh BIN GROUP}
here=$(dirname -- "$(readlink -f -- "${BASH_SOURCE[0]}")")
data=$here/testdata/version1
artifact=$data/touch_after_release.clang19.lastput
bug=$bin/bugs/touch_after_release/replay
# shellcheck source=sanitizers/expect.sh
. "$here/../sanitizers/expect.sh"
cd -- "$work" || exit 2

# Each file of each version is read; those of a known bug fail there as they did.
test_artifacts() {
  local file
  for file in "$data"/touch_after_release.*.lastput; do
    expect 77 'FAILED: G8 (memory), use-after-free' "$bug" --times=5 "$file"
    says 'write of 8 bytes at ref0 by T1, which was freed'
    says '5 of 5 the same'
    says 'the last steps of each thread:'
    expect 77 'what the threads did to each other:' "$bug" --timeline "$file"
    says 'steps are left out)'
    expect 77 'all steps:' "$bug" --steps=all "$file"
    expect 0 'it was made on the core with bug touch_after_release' "$bin/replay" "$file"
  done
  expect 77 'FAILED: G6 (counts over a switch)' "$bug" --times=5 "$data/sequential.touch_after_release.lastput"
  says 'put_all ref0'
  expect 77 'FAILED: G8 (memory), use-after-free' "$bug" "$data"/crash-79c6679018d088bd561827d9b4b8d259515edd1f
  expect 0 'does not fail' "$bin/replay" "$data/program.lastput"
  expect 0 'put ref0' "$bin/replay" --text "$data/program.lastput"
  sed 's/^fails G8/fails G2/' "$artifact" >otherwise.lastput
  expect 77 'it fails in another way than then: then G2, now G8' "$bug" otherwise.lastput
  # What another build has seen: the hash is not that, and it says so.
  sed 's/^hash .*/hash 0x1/; s/^build .*/build explore, another compiler/' "$artifact" >other.lastput
  expect 77 'another trace than the one that was found' "$bug" other.lastput
}

# Sentences for what is no artifact.
test_refused() {
  head -c 100000000 /dev/zero | tr '\0' 'x' >huge
  { printf 'lastput 1\ntarget percpu_ref\n' && head -c 20000000 /dev/zero | tr '\0' '#'; } >huge.lastput
  printf '\177ELF' >foreign
  : >empty
  mkfifo pipe
  printf 'lastput 1\ntarget nothing\nthread T1\nend\n' >target
  printf 'lastput 1\nthread T1\n  get\033[31m ref0\nend\n' >control
  printf 'lastput 7\nend\n' >newer
  head -c 300 "$artifact" >truncated
  printf '\001' >nested && head -c 9000000 /dev/zero | tr '\0' '[' >nested.json
  expect 1 'is no artifact: it has 95 MiB' "$bin/replay" huge
  expect 1 'is no artifact: it has 19 MiB' "$bin/replay" huge.lastput
  expect 1 'is no artifact' "$bin/replay" foreign
  expect 1 'is empty' "$bin/replay" empty
  expect 1 'not a regular file' "$bin/replay" pipe
  expect 1 'No such file' "$bin/replay" none
  expect 1 'found `nothing`' "$bin/replay" target
  expect 1 'line 3' "$bin/replay" control
  says_not $'\033'
  expect 1 'line 1' "$bin/replay" newer
  expect 1 'truncated: line' "$bin/replay" truncated
  expect 0 'does not fail' "$bin/replay" nested
  expect 1 '--steps is all or last' "$bin/replay" --steps=some "$artifact"
  expect 1 '--json is for folders' "$bin/replay" --json=x "$artifact"
  [ "$(cmp "$artifact" "$here/testdata/version1/${artifact##*/}" 2>&1)" = '' ] || offend 'an artifact was changed'
}

# Files that it writes are there whole, or not at all, and what was there before stays.
test_written() {
  expect 77 'written: out/page.html' "$bug" --html=out/page.html --emit_test=out/test.cc "$artifact"
  says 'written: out/test.cc'
  tail -n 1 out/page.html | grep -qxF '</html>' || offend 'the page has no end'
  grep -qF 'TEST(Regression, touch_after_release_G8)' out/test.cc || offend 'the test has no name'
  : >file
  expect 2 'file' "$bug" --html=file/page.html "$artifact"
  cp out/test.cc before.cc
  # A disk that is full, or nearly.
  (trap "" XFSZ && ulimit -f 8 && expect 2 "File too large" "$bug" --html=before.cc "$artifact" && exit $failures) || offend "with little room"
  cmp -s before.cc out/test.cc || offend "a failed write has changed the file"
  [ -z "$(ls before.cc.tmp* 2>/dev/null)" ] || offend "a failed write has left a file"
  # Of a sequential program, and of one whose allocation fails, too.
  printf 'lastput 1\ntarget sequential\nsetup fail_allocation 3\nthread T1\n  get ref0\nschedule\nend\n' >sequential.lastput
  expect 0 'written: x.cc' "$bin/replay" --emit_test=x.cc sequential.lastput
  grep -qF 'kFailsAnAllocation = true' x.cc || offend 'the test does not know that memory runs out'
}

test_folder() {
  mkdir -p mix/sub
  cp "$data"/touch* "$data"/crash* "$data/program.lastput" mix
  cp "$artifact" 'mix/sub/a '$'\n'' name'
  cp "$data/deadlock.lastput" mix
  echo hello >mix/readme
  sed 's/^bug .*/bug no_such/' "$artifact" >mix/gone.lastput
  sed 's,^bug .*,bug ../bugs/touch_after_release,' "$artifact" >mix/evil.lastput
  expect 77 'failed in 1 way,' "$bin/replay" --json=mix.json mix
  says "$(ls "$data"/touch* "$data"/crash*[0-9a-f] | wc -l | awk '{ print $1 + 1 }') x G8 (memory), use-after-free, in put: percpu::portable::Ref::reached_zero"
  says 'smallest: 8 operations'
  says 'mix/readme is no artifact'
  says 'needs the core with bug no_such, which is not built'
  says 'needs the core with bug ../bugs/touch_after_release, which is not built'
  says 'deadlock.lastput: it is of a program'
  grep -qF '"guarantee": "G8"' mix.json || offend 'no JSON'
  # As AFL++ leaves them: its notes say which program, and are no inputs.
  mkdir -p afl/default/crashes afl/default/hangs
  cp "$data"/crash-*[0-9a-f] 'afl/default/crashes/id:000000,sig:06,src:000001'
  cp "$data"/crash-*[0-9a-f] 'afl/default/hangs/id:000000,src:000001'
  echo 'Command line: afl-fuzz -- bin/bugs/touch_after_release/percpu_ref_fuzzer' >afl/default/crashes/README.txt
  echo 'command_line : afl-fuzz -- bin/bugs/touch_after_release/percpu_ref_fuzzer' >afl/default/fuzzer_stats
  expect 77 '2 files, 2 failed in 1 way' "$bin/replay" afl
  cp "$data"/crash-*[0-9a-f] clusterfuzz-testcase-minimized-percpu_ref_fuzzer-4711
  expect 77 'a test case of ClusterFuzz for target percpu_ref (its name says so)' "$bug" clusterfuzz-testcase-minimized-*
  cp "$data"/crash-*[0-9a-f] timeout-1f
  expect 0 'it is no hang: all its executions end' "$bin/replay" timeout-1f
  says 'for target sequential (nothing says for which: each is tried)'
  mkdir corpus none
  for seed in 1 2 3; do printf '\001%s' "$seed" >"corpus/$seed"; done
  expect 0 '3 files, 0 failed' "$bin/replay" corpus
  expect 1 'holds no file' "$bin/replay" none
  expect 1 '--html wants one file' "$bin/replay" --html=x mix
  mkdir words && cp mix/readme words
  expect 1 '1 no artifacts' "$bin/replay" words
}

# What failed on real threads has a program, and gets a schedule.
test_hand_over() {
  local found
  cp "$data/real.touch_after_release.lastput" real.lastput
  expect 77 'it failed on real threads (real asan linux); looking for a schedule on the engine' "$bug" --minimize --timeline real.lastput
  says 'fails on the engine too: G8, by a random schedule, after '
  says 'what the threads did to each other:'
  found=$(sed -n 's/^written: //p' <<<"$output")
  expect 77 'a program with one schedule for target percpu_ref' "$bug" --times=5 "$found"
  says '5 of 5 the same'
  # The input beside it, by what its sidecar says.
  cp "$data"/crash-*[0-9a-f] crash-1
  sed 's/"target"/"build": "real tsan portable, clang", &/' "$data"/crash-*.json >crash-1.json
  expect 77 'it failed on real threads (real tsan portable)' "$bug" crash-1
  says 'fails on the engine too: G8'
  # Where no schedule is found: how to go on, on the core that this is.
  expect 0 'executions on the engine, none fails: it needs the real platform, or a longer look' "$bin/replay" --seconds=2 real.lastput
  says 'on real threads: build/asan/bin/real/linux/percpu_ref_fuzzer -runs=1000 real.lastput'
  says 'hint: it was made on the core with bug touch_after_release'
  sed 's/^bug .*//' real.lastput >right.lastput
  expect 0 'none fails' "$bin/replay" --seconds=1 right.lastput
  expect 0 'longer: ./lastput replay right.lastput --seconds=600' "$bin/replay" --seconds=1 right.lastput
}

test_debugger() {
  mkdir no_gdb && printf '#!/bin/sh\nexit 1\n' >no_gdb/gdb && chmod +x no_gdb/gdb
  expect 3 'no gdb with Python here; install it' env PATH="$work/no_gdb:$PATH" "$bug" --debug "$artifact"
  gdb -nx -batch -ex 'python 1' >/dev/null 2>&1 || skip 'no gdb with Python here'
  output=$(printf '%s\n' 'info threads' 'to-point 20' 'step-point' 'step-point 5' 'to-point 12' continue 'info locals' kill quit |
    "$bug" --debug "$artifact" 2>&1)
  ! grep -qiE 'ptrace|could not trace|cannot create process' <<<"$output" || skip "gdb may not trace here: $output"
  says 'write of 8 bytes at ref0 by T1, which was freed'
  says '"T2"'
  says '"worker"'
  says 'stopped at point 20, thread'
  says 'stopped at point 21, thread'
  says 'stopped at point 26, thread'
  says 'stopped at point 12, thread'
  says 'there is no inflection point before the failure: it fails whatever the schedule is'
  [ "$(grep -c 'FAILED at point' <<<"$output")" -eq 2 ] || offend 'does not come to the failure twice'
  output=$(echo quit | "$bug" --debug --debug_at=30 "$artifact" 2>&1)
  says 'stopped at point 30, thread'
  says_not 'FAILED at'
}

# There is no rr that works on most machines, so that one is played: what it leaves decides. The real one is tried, too.
test_rr() {
  mkdir none
  ln -s /usr/bin/* none/ 2>/dev/null
  rm -f none/rr
  expect 3 'no rr here; install it' env PATH="$work/none" "$bug" --rr=trace "$artifact"
  [ ! -e trace.lastput ] || offend 'a file is left'
  output=$("$bug" --rr=real/trace "$artifact" 2>&1)
  local code=$?
  [ $code -eq 3 ] || says 'recorded: rr replay'
  local no_rr=${output##*replay: }
  play_rr
  expect 3 'cannot record on this machine' env PLAYED_RR=broken "$bug" --rr=trace "$artifact"
  expect 77 'recorded: rr replay -W trace' "$bug" --rr=trace "$artifact"
  says 'G8 (memory)'
  [ -e trace/packed ] || offend 'the recording is not packed'
  expect 3 'trace is there already' "$bug" --rr=trace "$artifact"
  [ $failures -gt 0 ] || [ $code -ne 3 ] || skip "$no_rr"
}

"test_$group"
all_as_expected
