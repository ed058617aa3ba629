#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The fuzz targets on real threads as people use them: real_fuzzer_test.sh DIR GROUP. DIR is the tree's build/PRESET/bin/real, for
# group chain the tree itself. Exit codes: 0; 1 something is not as it should be. What cannot be tried is skipped, with the reason.
set -u -o pipefail

dir=$(readlink -f -- "${1:?usage: real_fuzzer_test.sh DIR GROUP}") group=${2:?usage: real_fuzzer_test.sh DIR GROUP}
here=$(dirname -- "$(readlink -f -- "${BASH_SOURCE[0]}")")
# shellcheck source=sanitizers/runtime.sh
. "$here/../sanitizers/runtime.sh"
go_on_after_a_race
# shellcheck source=sanitizers/expect.sh
. "$here/../sanitizers/expect.sh"
seeds=$dir/../../corpus/percpu_ref
readonly SECONDS_TO_FIND=60
cd -- "$work" && mkdir art corpus again || exit 2

# The right core is clean, and the first line says where it runs.
clean_on() { # PLATFORM
  expect 0 "on real threads (real " "$dir/$1/percpu_ref_fuzzer" -seed=1 -runs=200 -artifact_prefix=art/ corpus "$seeds"
  says " $1)"
  [[ $output =~ executions:\ [1-9][0-9]*$ ]] || offend 'does not end with the executions'
  [ -z "$(ls art)" ] || offend 'an artifact is left'
}
test_clean() {
  clean_on linux
  expect 3 'restartable sequences' env GLIBC_TUNABLES=glibc.pthread.rseq=0 "$dir/linux/percpu_ref_fuzzer" --sections
  expect 0 'without percpu sections: ' env GLIBC_TUNABLES=glibc.pthread.rseq=0 \
    "$dir/linux/percpu_ref_fuzzer" -seed=1 -runs=20 corpus "$seeds"
  printf 'lastput 1\ntarget managed\nthread T1\nend\n' >other.lastput
  expect 1 'the program cannot be run: it is for target managed' "$dir/linux/percpu_ref_fuzzer" other.lastput
}
test_portable() { clean_on portable; }

# finds BUG SUMMARY WORDS [FLAGS...]: within a minute, with all that a failure leaves; and its program is one for the target again.
finds() {
  local bug=$1 summary=$2 words=$3 fuzzer=$dir/linux/bugs/$1/percpu_ref_fuzzer artifact
  shift 3
  mkdir "$bug"
  expect 77 "$words" "$fuzzer" -seed=1 -max_total_time=$SECONDS_TO_FIND -detect_leaks=0 -artifact_prefix="$bug/" "$@" corpus "$seeds"
  says "SUMMARY: lastput: $summary in percpu_ref on real threads"
  artifact=$(echo "$bug"/failure-*.lastput)
  says "replay: ./lastput replay $artifact --bug=$bug"
  grep -q '^build real ' "$artifact" || offend 'the artifact does not say where it failed'
  grep -q "\"artifact\": \"$artifact\"" "$bug"/crash-*.json || offend 'no sidecar says what belongs together'
  ! grep -q "$dir" "$artifact" || offend 'the artifact has a path of this machine'
  expect 77 "SUMMARY: lastput: $summary" "$fuzzer" -runs=3000 -detect_leaks=0 -artifact_prefix=again/ "$@" "$artifact"
}
test_address() { finds touch_after_release 'G8 (memory)' 'heap-use-after-free'; }
test_oracle() { finds counters_never_freed 'G8 (memory)' 'area_not_freed: reported in a legal program'; }
test_hang() { finds lost_wakeup 'G9 (progress)' 'the program has not ended for 3 s' -timeout=3; }
test_race() { finds relaxed_last_put 'G7 (writes not ordered)' 'ThreadSanitizer: data race'; }

# From real threads to the engine, by the driver alone.
test_chain() {
  local replay artifact
  expect 77 'SUMMARY: lastput: G8 (memory) in percpu_ref on real threads' "$dir/lastput" fuzz --real --sanitizer=address \
    --bug=touch_after_release --seconds=$SECONDS_TO_FIND --seed=1 --out=out
  replay=$(sed -n 's,^replay: ./lastput ,,p' <<<"$output")
  # shellcheck disable=SC2086  # the words of the command that it names
  expect 77 'fails on the engine too: G8' "$dir/lastput" $replay --out=out
  artifact=$(sed -n 's,^written: ,,p' <<<"$output")
  expect 77 'what the threads did to each other:' "$dir/lastput" replay "$artifact" --minimize --timeline --out=out
}

"test_$group"
all_as_expected
