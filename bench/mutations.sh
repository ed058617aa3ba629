#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# How soon fuzzing finds known bugs by each mix of mutations, from the smallest program alone:
#   mutations.sh [--runs=N] [--seeds=N] [--build=DIR] [--mixes=FILE] [--rows=FILE] BUG...
# FILE has lines NAME|MIX, MIX as $LASTPUT_MUTATIONS; the first one is what the others are compared with (default: those of
# bench/README.md). Prints a table: medians of executions, and in how many executions and processor seconds less each mix
# finds them (geometric means over all hunts; one that gives up after N inputs counts as if it had found its bug then).
# --rows: each hunt, as BUG|MIX|EXECUTIONS|SECONDS.
# Exit codes: 0; 1 usage; 3 a fuzzer is not built.
set -u -o pipefail

root=$(dirname -- "$(readlink -f -- "${BASH_SOURCE[0]}")")/..
runs=4000 seeds=5 build=$root/build/explore rows=/dev/null bugs=()
added='preempt=1 shift=1 forget=1 duplicate=1 move=1 splice=2'
mixes="new 3/4|new=60
all 3/4|new=60 $added
all 1/2|new=26 $added
all|new=0 $added
new|bytes=0 setup=0 schedules=0 reroll=0 preempt=0 shift=0 forget=0 insert=0 erase=0 replace=0 swap=0 duplicate=0 move=0 splice=0"
usage() { sed -n '3,9s/^# \{0,1\}//p' -- "${BASH_SOURCE[0]}"; }
for word in "$@"; do
  case $word in
    -h | --help) usage && exit 0 ;;
    --runs=*) runs=${word#*=} ;;
    --seeds=*) seeds=${word#*=} ;;
    --build=*) build=${word#*=} ;;
    --rows=*) rows=${word#*=} ;;
    --mixes=*) mixes=$(cat -- "${word#*=}") || exit 1 ;;
    -*) usage >&2 && exit 1 ;;
    *) bugs+=("$word") ;;
  esac
done
[ ${#bugs[@]} -gt 0 ] || { usage >&2 && exit 1; }

work=$(mktemp -d) || exit 2
trap 'rm -rf -- "$work"' EXIT
TIMEFORMAT='%U %S'

header() { sed -n "s/^$2: *//p" -- "$root/bugs/$1.patch" | head -n 1; }

# hunt BUG MIX SEED: "EXECUTIONS SECONDS"
hunt() {
  local target fuzzer spent
  target=$(header "$1" Target)
  fuzzer=$build/bin/bugs/$1/${target:-percpu_ref}_fuzzer
  [ -x "$fuzzer" ] || { printf 'not built: ninja -C %s %s_fuzzer_%s\n' "$build" "${target:-percpu_ref}" "$1" >&2 && return 3; }
  rm -rf -- "$work/run" && mkdir -p -- "$work/run/corpus"
  printf '\2' >"$work/run/corpus/minimal" # the version of the bytes: the smallest program
  spent=$({ time LASTPUT_MUTATIONS=$2 LASTPUT_EXPECT=$(header "$1" Breaks) LASTPUT_REPORT=$work/run/report \
    "$fuzzer" -runs="$runs" -seed="$3" -verbosity=0 -artifact_prefix="$work/run/" "$work/run/corpus" \
    >"$work/run/log" 2>&1; } 2>&1)
  sed -n 's/^ *"executions": \([0-9]*\),/\1/p' -- "$work/run/report" | tr '\n' ' '
  awk '{ print $1 + $2 }' <<<"$spent"
}

# Rows BUG|MIX|EXECUTIONS|SECONDS to a table.
tell() {
  awk -F'|' '
    function median(bug, mix,   n, list, i, j, t) {
      n = split(all[bug, mix], list, " ")
      for (i = 2; i <= n; ++i)
        for (j = i; j > 1 && list[j - 1] + 0 > list[j] + 0; --j) { t = list[j]; list[j] = list[j - 1]; list[j - 1] = t }
      return list[int((n + 1) / 2)]
    }
    !($1 in bugs) { bugs[$1]; bug[++b] = $1 }
    !($2 in mixes) { mixes[$2]; mix[++m] = $2 }
    { all[$1, $2] = all[$1, $2] " " $3; log_executions[$2] += log($3 + 1); log_seconds[$2] += log($4 + 0.001); ++hunts[$2] }
    END {
      line = "| bug |"; for (i = 1; i <= m; ++i) line = line " " mix[i] " |"; print line
      line = "| --- |"; for (i = 1; i <= m; ++i) line = line "--:|"; print line
      for (k = 1; k <= b; ++k) {
        line = "| " bug[k] " |"; for (i = 1; i <= m; ++i) line = line " " median(bug[k], mix[i]) " |"; print line
      }
      line = "| **fewer executions than " mix[1] "**, times |"
      for (i = 1; i <= m; ++i) line = line sprintf(" %.2f |", exp((log_executions[mix[1]] - log_executions[mix[i]]) / hunts[mix[1]]))
      print line
      line = "| **fewer seconds than " mix[1] "**, times |"
      for (i = 1; i <= m; ++i) line = line sprintf(" %.2f |", exp((log_seconds[mix[1]] - log_seconds[mix[i]]) / hunts[mix[1]]))
      print line
    }'
}

for bug in "${bugs[@]}"; do
  while IFS='|' read -r name mix; do
    for ((seed = 1; seed <= seeds; ++seed)); do
      found=$(hunt "$bug" "$mix" "$seed") || exit 3
      printf '%s|%s|%s\n' "$bug" "$name" "${found/ /|}"
    done
  done <<<"$mixes"
done | tee -- "$rows" | tell
