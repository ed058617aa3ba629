#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Two runs of a fuzz target with one seed end with the same features and the same corpus, whatever else the machine does:
#   same_run_test.sh FUZZER SEEDS [RUNS]
# runs them side by side, from the folder SEEDS, RUNS inputs each (100000), and says what differs.
# Exit codes: 0 the same; 1 usage; 2 a run ended early; 77 they differ.
set -u -o pipefail

fuzzer=${1-} seeds=${2-} runs=${3-100000}
[ -x "$fuzzer" ] && [ -d "$seeds" ] || {
  printf 'usage: %s FUZZER SEEDS [RUNS]\n' "$0" >&2
  exit 1
}
work=$(mktemp -d) || exit 2
trap 'rm -rf -- "$work"' EXIT

run_in() { # FOLDER
  mkdir -- "$work/$1" "$work/$1/corpus" && cd -- "$work/$1" &&
    "$fuzzer" -seed=1 -runs="$runs" -artifact_prefix=./ corpus "$seeds" >log 2>&1
}
# What libFuzzer counts, less what tells of time and memory.
told() { grep -oE '(cov|ft|corp): [^ ]+' "$work/$1/log" | tail -n 3; }

run_in one &
first=$!
run_in other
second=$?
wait $first || second=2
[ $second -eq 0 ] && [ -n "$(told one)" ] || {
  printf 'a run ended early:\n' && tail -n 5 -- "$work"/*/log
  exit 2
}
if ! difference=$(diff <(told one) <(told other) && diff -rq -- "$work/one/corpus" "$work/other/corpus"); then
  printf 'two runs of one seed differ:\n%s\n' "$(head -n 20 <<<"$difference")"
  exit 77
fi
printf 'the same: %s, files %s\n' "$(told one | tr '\n' ' ')" "$(find "$work/one/corpus" -type f | wc -l)"
