# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# What the tests of programs by their words and exit codes share. Sourced: makes a folder of its own in $work, gone at the end. They
# end with `all_as_expected`.

failures=0 output=
work=$(mktemp -d)
trap 'rm -rf -- "$work"' EXIT

# offend SENTENCE: the test goes on, and fails at its end; shows what was printed last.
offend() {
  failures=$((failures + 1))
  printf 'FAILED: %s\n%s\n' "$1" "$output"
}
# ends CODE COMMAND...: its exit code; what it prints is in $output then.
ends() {
  local code=$1 got
  shift
  output=$("$@" 2>&1 </dev/null)
  got=$?
  [ "$got" -eq "$code" ] || offend "$*: exit code $got, not $code"
}
# expect CODE WORDS COMMAND...: also words that it must say.
expect() {
  local code=$1 words=$2
  shift 2
  ends "$code" "$@"
  says "$words"
}
says() { [[ $output == *"$1"* ]] || offend "does not say '$1'"; }
says_not() { [[ $output != *"$1"* ]] || offend "says '$1'"; }
# The same for a regular expression that a line must match.
matches() { grep -qE -e "$1" <<<"$output" || offend "no line is '$1'"; }
matches_not() { ! grep -qE -e "$1" <<<"$output" || offend "a line is '$1'"; }

# play_rr: from here on, rr is what sched/debug/played_rr.sh plays; $PLAYED_RR says how.
play_rr() {
  mkdir -p -- "$work/played" && ln -sf -- "$(dirname -- "$(readlink -f -- "${BASH_SOURCE[0]}")")/../sched/debug/played_rr.sh" "$work/played/rr"
  PATH=$work/played:$PATH
}

skip() {
  printf 'SKIPPED: %s\n' "$1"
  exit 0
}
all_as_expected() {
  [ $failures -eq 0 ] && echo "all as expected"
  exit $((failures != 0))
}
