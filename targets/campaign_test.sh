#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Several processes, both engines, and what they gather, by the driver alone: campaign_test.sh TREE GROUP. Exit codes: 0;
# 1 something is not as it should be; 3 it cannot be tried here, with the reason.
set -u -o pipefail

tree=$(readlink -f -- "${1:?usage: campaign_test.sh TREE GROUP}") group=${2:?usage: campaign_test.sh TREE GROUP}
readonly LEAST_SECONDS=5 SECONDS_TO_FIND=60
# shellcheck source=sanitizers/expect.sh
. "$(dirname -- "$(readlink -f -- "${BASH_SOURCE[0]}")")/../sanitizers/expect.sh"
cd -- "$work" || exit 2

# expect CODE WORDS ARGUMENT...: the exit code of ./lastput with these, and words that it must say.
expect() {
  ends "$1" "$tree/lastput" "${@:3}" --out=out
  says "$2"
}
# A failure ends as it does with one process, and is one that replay shows.
ends_with_replay() {
  local command
  [[ $(tail -n 1 <<<"$output") == 'SUMMARY: lastput: G'* ]] || offend 'the last line is no SUMMARY'
  command=$(sed -n 's,^replay: ./lastput ,,p' <<<"$output")
  # shellcheck disable=SC2086  # the words of the command that it names
  expect 77 'SUMMARY: lastput: G' $command
}
files_in() { find "$1" -type f 2>/dev/null | wc -l; }
features() { sed -nE 's/^percpu_ref .* of [0-9]+ +([0-9]+) .*/\1/p' <<<"$output"; }

test_jobs() {
  expect 0 'jobs: 2' fuzz --jobs=2 --seconds=$LEAST_SECONDS --seed=1
  [[ $output =~ executions:\ [1-9][0-9]*$ ]] || offend 'does not end with the executions'
  [ "$(grep -c . <(ls out/logs/fuzz-percpu_ref.log.[12]))" -eq 2 ] || offend 'not a log of each process'
  [ "$(files_in out/corpus/percpu_ref)" -gt 0 ] || offend 'nothing is gathered'
  [ "$(files_in out/artifacts)" -eq 0 ] || offend 'an artifact is left'
  expect 77 'FAILED: ' fuzz --jobs=2 --bug=no_bias --seconds=$SECONDS_TO_FIND --seed=1
  ends_with_replay
  # Every job is over: nobody waits for the time.
  "$tree/lastput" fuzz --jobs=2 --seconds=600 --seed=1 --out=out >said 2>&1 &
  local driver=$!
  until grep -q ' executions, ' said || ! kill -0 $driver; do sleep 0.2; done
  kill -TERM $driver
  wait $driver || offend "stopped: exit code $?"
  output=$(cat said)
  [[ $output =~ executions:\ [1-9][0-9]*$ ]] || offend 'stopped: does not end with the executions'
}

test_corpus() {
  local all name before after
  expect 0 'executions: ' fuzz --seconds=$LEAST_SECONDS --seed=1
  before=$(files_in out/corpus/percpu_ref)
  cp -r out/corpus/percpu_ref gathered
  expect 0 "$before" corpus show percpu_ref
  says ' of 34'
  all=$(features)
  expect 0 "inputs of $before stay" corpus merge percpu_ref
  after=$(files_in out/corpus/percpu_ref)
  [ "$after" -le "$before" ] && [ "$after" -gt 0 ] || offend "merged: $after of $before inputs"
  expect 0 "" corpus show percpu_ref
  [ "$(features)" = "$all" ] || offend "merged: $(features) features of $all"
  expect 0 " of $after stay" corpus minimize percpu_ref
  [ "$(files_in out/corpus/percpu_ref)" -lt "$after" ] || offend 'minimized: no fewer inputs'
  expect 0 "" corpus show percpu_ref
  [ "$(features)" = "$all" ] || offend "minimized: $(features) features of $all"

  # From any engine and folder, as text, as a zip of OSS-Fuzz; garbage is told.
  mkdir -p afl/percpu_ref_fuzzer/{queue/.state,crashes} zip
  cp gathered/* afl/percpu_ref_fuzzer/queue
  echo notes >afl/percpu_ref_fuzzer/crashes/README.txt
  echo state >afl/percpu_ref_fuzzer/queue/.state/seen
  echo garbage >afl/percpu_ref_fuzzer/queue/garbage
  cp "$tree"/corpus/percpu_ref/*.txt afl/percpu_ref_fuzzer
  mv out/corpus/percpu_ref minimized
  expect 0 'not taken: ' corpus import afl/percpu_ref_fuzzer
  expect 0 "" corpus show percpu_ref
  [ "$(features)" -ge $((all - 1)) ] || offend "imported: $(features) features of $all" # one is of bytes without a version
  for name in out/corpus/percpu_ref/*; do
    [ "$(sha1sum <"$name")" = "${name##*/}  -" ] || offend "$name is not named by its content"
  done
  (cd minimized && cmake -E tar cf "$work/zip/percpu_ref_fuzzer_seed_corpus.zip" --format=zip -- *)
  rm -rf out/corpus/percpu_ref
  expect 0 "inputs of percpu_ref" corpus import zip/percpu_ref_fuzzer_seed_corpus.zip
  [ "$(files_in out/corpus/percpu_ref)" -gt 0 ] || offend 'nothing came from the zip'
  expect 1 'no zip' corpus import percpu_ref broken.zip

  # Stopped at any time: what was there is still reached.
  rm -rf out/corpus/percpu_ref && cp -r gathered out/corpus/percpu_ref
  "$tree/lastput" corpus merge percpu_ref --out=out >said 2>&1 &
  local driver=$!
  until [ -n "$(compgen -G 'out/corpus/.merge.*/all/*')" ] || ! kill -0 $driver; do sleep 0.05; done
  kill -KILL $driver
  wait $driver
  expect 0 "" corpus show percpu_ref
  [ "$(features)" = "$all" ] || offend "stopped: $(features) features of $all"
}

test_afl() {
  command -v afl-fuzz >/dev/null || { echo "skipped: no AFL++ here: ./lastput setup afl" && exit 3; }
  # The second of three is the one with AddressSanitizer.
  expect 0 'stability: 100.00%' fuzz --engine=afl --jobs=3 --seconds=$SECONDS_TO_FIND --seed=1
  says 'bytes that vary: 0'
  [[ $output =~ executions:\ [1-9][0-9]*$ ]] || offend 'does not end with the executions'
  [ -f out/afl/percpu_ref/asan/fuzzer_stats ] || offend 'no instance with AddressSanitizer'
  [ "$(files_in out/corpus/percpu_ref)" -gt 0 ] || offend 'nothing is gathered for libFuzzer'
  expect 77 'FAILED: ' fuzz --engine=afl --jobs=2 --bug=no_bias --seconds=$SECONDS_TO_FIND --seed=1
  ends_with_replay
}

# well_formed FILE PATTERN...: XML with these in it. Every tag is closed, nothing is unescaped.
well_formed() {
  local pattern
  awk '{
      rest = rest $0 "\n"
    } END {
      while (match(rest, /<[^>]*>/)) {
        text = substr(rest, 1, RSTART - 1); tag = substr(rest, RSTART, RLENGTH); rest = substr(rest, RSTART + RLENGTH)
        gsub(/&(amp|lt|gt|quot|apos|#[0-9]+);/, "", text)
        if (text ~ /&/) exit 1
        if (tag ~ /^<\?/ || tag ~ /\/>$/) continue
        name = tag; sub(/^<\/?/, "", name); sub(/[ >].*/, "", name)
        if (tag !~ /^<\//) { open[++depth] = name; continue }
        if (depth == 0 || open[depth--] != name) exit 1
      }
      exit depth != 0 || rest ~ /[<&]/
    }' "$1" || { output=$(cat "$1") && offend "$1 is no XML"; }
  for pattern in "${@:2}"; do
    grep -qE -- "$pattern" "$1" || { output=$(cat "$1") && offend "$1 has no '$pattern'"; }
  done
}
test_junit() {
  expect 0 'executions: ' fuzz --seconds=1 --seed=1 --junit=clean.xml
  well_formed clean.xml 'tests="1" failures="0" errors="0" skipped="0"' 'classname="lastput.fuzz" name="percpu_ref" time="[0-9]+"></testcase>'
  expect 77 'FAILED: ' fuzz --bug=no_bias --seconds=$SECONDS_TO_FIND --seed=1 --junit=found.xml
  well_formed found.xml 'failures="1"' '<failure message="SUMMARY: lastput: G[0-9]+ '
  expect 77 'FAILED: deadlock' run --seed=1 --junit=run.xml "$tree/sched/run/programs/deadlock.c"
  well_formed run.xml 'classname="lastput.run" name="deadlock"' '<failure message="SUMMARY: lastput: deadlock'
  expect 0 '' bugs --seconds=$SECONDS_TO_FIND --junit=bugs.xml no_bias
  well_formed bugs.xml 'classname="lastput.bugs" name="no_bias" time="[0-9.]+"></testcase>'
  expect 1 'is no C or C++ file' run --junit=usage.xml broken.zip
  well_formed usage.xml 'errors="1"' '<error message="lastput: broken.zip is no C'
  # Of `test`: what ctest says, and presets that did not build.
  mkdir parts && printf 'lastput: preset tsan does not build; the log is "<&>\n' >parts/said
  (cd "$tree/build/release" && ctest -R '^tidy$' --output-junit "$work/parts/release.xml") >/dev/null 2>&1
  # shellcheck disable=SC2034  # the driver's
  (readonly OK=0 BROKEN=2 MISSING=3 FOUND=77 && parts=$work/parts && . "$tree/targets/junit.sh" && junit test 2 parts/said) >test.xml
  well_formed test.xml '<testsuite name="release"' '<testcase name="tidy"' 'name="build tsan"' '<error message="preset tsan does not build; the log is &quot;&lt;&amp;&gt;"/>'
}

# reaches TARGETS FILE...: which targets a change of these files of the tree reaches.
reaches() {
  output=$(targets_reached "$(printf '%s\n' "${@:2}")" | tr '\n' ' ')
  [ "$output" = "${1:+$1 }" ] || offend "${*:2} reach '$output', not '$1'"
}
differ() { # FILES...: what changed_files tells
  output=$(changed_files | tr '\n' ' ')
  [ "$output" = "${*:+$* }" ] || offend "told as changed: '$output', not '$*'"
}
test_changed() {
  local all name root=$tree
  local -A flag=()
  for name in "$tree"/targets/*_fuzzer.cc; do all+="${all:+ }$(basename -- "$name" _fuzzer.cc)"; done
  expect 0 'features' corpus show # builds all
  # shellcheck disable=SC2034  # the driver's
  local OK=0 USAGE=1 BROKEN=2 MISSING=3 FOUND=77
  . "$tree/targets/changed.sh"
  target_names() { tr ' ' '\n' <<<"$all"; }
  die() { echo "$2" >&2 && exit "$1"; }
  reaches '' README.md bench/README.md lastput replay/folder.cc core/ref_test.cc
  reaches 'managed' targets/managed_fuzzer.cc
  reaches 'percpu_ref rcuref' corpus/rcuref/barriers.txt targets/percpu_ref_fuzzer.cc README.md
  for name in core/ref.cc core/ref.h sched/clock.h targets/mutate.cc targets/operations.def targets/CMakeLists.txt CMakePresets.json; do
    reaches "$all" "$name"
  done

  root=$work/repository && mkdir "$root" && cd "$root" && git init -q && git config user.name n && git config user.email e || return
  echo 1 >kept && echo 1 >gone && echo 1 >edited && echo ignored >.gitignore && git add . && git commit -qm one && git branch before
  differ
  echo 2 >edited && git rm -q gone && echo 1 >new && echo 1 >ignored
  differ edited gone new
  git add -A && git commit -qm two
  differ
  flag[since]=before
  differ edited gone new
  cd "$work" || exit 2
}

printf 'PK\003\004 broken' >broken.zip
"test_$group"
all_as_expected
