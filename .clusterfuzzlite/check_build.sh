#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# check_build.sh OUT SANITIZER [ENGINE]: whether a fuzzing service can use what build.sh put into OUT. What the services'
# own check asks for, and what it lets pass: targets without counters of their own code, and leaks. ENGINE: libfuzzer, the default,
# or afl.
# Exit code 1 after all that is wrong has been told.
set -u -o pipefail
[ $# -ge 2 ] && [ $# -le 3 ] && [ -d "$1" ] && [[ ${3-libfuzzer} =~ ^(libfuzzer|afl)$ ]] ||
  { echo "usage: check_build.sh OUT SANITIZER [libfuzzer or afl]" >&2; exit 1; }
out=$(cd -- "$1" && pwd)
sanitizer=$2 engine=${3-libfuzzer}
least_edges=100
work=$(mktemp -d) || exit 2
trap 'rm -rf -- "$work"' EXIT
chmod 755 "$work"
mkdir -p "$work/empty" && chmod 555 "$work/empty"
wrong=0
offend() { echo "check_build: $1: $2"; wrong=1; }

calls_to() { objdump -d --no-show-raw-insn "$1" | grep -cE "call.*<_*$2"; }
# Nobody's files, an empty working directory that cannot be written to, no variables.
as_service() {
  (cd "$work/empty" && setpriv --reuid=65534 --regid=65534 --clear-groups env -i PATH="$PATH" TMPDIR="$work/tmp" "$@")
}
mkdir -m 777 "$work/tmp"

check_calls() { # FUZZER
  local address undefined
  address=$(calls_to "$1" asan_) undefined=$(calls_to "$1" ubsan_)
  case $sanitizer in
    address) [ "$address" -ge 1000 ] || offend "$1" "$address calls to AddressSanitizer, wanted 1000 or more" ;;
    undefined)
      [ "$undefined" -ge 168 ] || offend "$1" "$undefined calls to UndefinedBehaviorSanitizer, wanted 168 or more"
      [ "$address" -eq 0 ] || offend "$1" "$address calls to AddressSanitizer in an undefined build"
      ;;
  esac
}

check_files() { # FUZZER
  local name=${1##*/}
  [[ $name =~ ^[A-Za-z0-9_-]+_fuzzer$ ]] || offend "$1" "no name for a target"
  [ -s "$1.options" ] || offend "$1" "no options"
  ! grep -q '^\[tsan\]' "$1.options" || offend "$1" "options of a sanitizer that services do not have"
  mkdir -p "$work/seeds/$name"
  (cd "$work/seeds/$name" && cmake -E tar xf "$1_seed_corpus.zip") 2>/dev/null || offend "$1" "no seeds, or no zip of them"
  [ -n "$(ls "$work/seeds/$name")" ] || offend "$1" "no seed in its zip"
  ! ldd "$1" | grep -qE 'not found|libstdc|libc\+\+|absl|urcu' || offend "$1" "shared libraries that a service may lack: $(ldd "$1" | grep -E 'not found|libstdc|libc\+\+|absl|urcu')"
}

# Runs inputs, each once, the service's way.
runs() { # FUZZER ARGUMENT...
  local log=$work/log
  as_service "$@" >"$log" 2>&1 && return
  offend "$1" "exit code $? with ${*:2}: $(grep -m1 -E 'ERROR|SUMMARY|lastput:.*cannot' "$log")"
  return 1
}
check_edges() { # FUZZER EDGES
  [ "${2:-0}" -ge $least_edges ] || offend "$1" "${2:-0} edges, wanted $least_edges or more of our own code"
}
check_runs_afl() { # FUZZER
  local seeds=$work/seeds/${1##*/}
  runs "$1" "$work/nothing"
  runs "$1" "$seeds"/*
  AFL_QUIET=1 afl-showmap -q -m none -t 60000 -i "$seeds" -C -o "$work/map" -- "$1" >"$work/log" 2>&1
  check_edges "$1" "$(grep -c : "$work/map" 2>/dev/null)"
}
# What a coverage build is for: that it writes down what was run. It has no counters for an engine.
check_runs_of_coverage() { # FUZZER
  runs "$1" -runs=1 "$work/nothing"
  rm -f "$work/tmp/profile"
  runs env LLVM_PROFILE_FILE="$work/tmp/profile" "$1" -runs=0 "$work/seeds/${1##*/}"
  [ -s "$work/tmp/profile" ] || offend "$1" "no coverage is written"
}
check_runs_libfuzzer() { # FUZZER
  local name=${1##*/} edges
  runs "$1" -runs=1 "$work/nothing"
  runs "$1" -runs=100 "$(find "$work/seeds/$name" -type f | sort | head -n 1)"
  runs "$1" -runs=0 "$work/seeds/$name" || return
  edges=$(grep -oE ' cov: [0-9]+' "$work/log" | tail -n 1 | grep -oE '[0-9]+')
  check_edges "$1" "$edges"
  mkdir -m 777 -p "$work/tmp/corpus_$name"
  runs "$1" -fork=1 -max_total_time=5 -use_value_profile=1 -max_len=301 -timeout=25 -rss_limit_mb=2560 \
    -detect_leaks=1 "$work/tmp/corpus_$name" "$work/seeds/$name"
}

kind=$engine
[ "$sanitizer" != coverage ] || kind=of_coverage
: >"$work/nothing"
found=0
for fuzzer in "$out"/*_fuzzer; do
  [ -x "$fuzzer" ] || continue
  found=$((found + 1))
  check_files "$fuzzer"
  check_calls "$fuzzer"
  chmod -R a+rX "$work/seeds" "$work/nothing"
  "check_runs_$kind" "$fuzzer"
done
[ $found -gt 0 ] || offend "$out" "no fuzz target"
[ $wrong -ne 0 ] || echo "check_build: $found targets, $engine, $sanitizer: usable"
exit $wrong
