#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Stops a program in each state of a ref, and compares what gdb prints. Usage: printer_test.sh PROGRAM
# Exit codes: 0; 1 something else is printed; 3 no gdb that can do it.
set -u -o pipefail
program=${1:?usage: printer_test.sh PROGRAM}
here=$(dirname -- "$(readlink -f -- "${BASH_SOURCE[0]}")")

missing() {
  printf 'SKIPPED: %s\n' "$*"
  exit 3
}
command -v gdb >/dev/null || missing "no gdb here"
gdb -nx -batch -ex 'python print("has python")' 2>&1 | grep -q 'has python' || missing "this gdb has no Python"
"$program" >/dev/null || { "$program"; exit 3; }

commands=$(mktemp)
trap 'rm -f -- "$commands"' EXIT
cat >"$commands" <<'GDB'
set debuginfod enabled off
set print address off
break stop_here
commands
silent
printf "> %s: ", label
output *watched
echo \n
continue
end
run
GDB
output=$(gdb -nx -batch -ex "source $here/percpu.py" -x "$commands" "$program" 2>&1 </dev/null)
! grep -qiE 'ptrace|could not trace|cannot create process' <<<"$output" || missing "gdb may not trace here: $output"

cpu=$(sed -n 's/^cpu //p' <<<"$output")
release=$(sed -nE 's/^> percpu: .*, (release <released\(percpu::[a-z_]+::Ref&\)>)$/\1/p' <<<"$output")
expected="> new: not initialised
> percpu: live, percpu mode, count 6 = 1 shared + 5 percpu (cpu $cpu: 5), $release
> kill pending: dead (kill pending), switching to atomic mode, count 5 = 0 shared + 5 percpu (cpu $cpu: 5), $release
> killed: dead, atomic mode, count 4, $release
> kept by one: dead, atomic mode, count 1, $release
> released: dead, atomic mode, count 0, $release
> exited: not initialised, was dead
> switching: live, switching to atomic mode, count 3 = 2 shared + 1 percpu (cpu $cpu: 1), may come back, stays atomic, $release
> in its callback: live, atomic mode (in its callback), count 3, may come back, stays atomic, $release
> switched: live, atomic mode, count 2, may come back, stays atomic, $release
> below zero: live, percpu mode, count -1 = 2 shared + -3 percpu (cpu $cpu: -3), may come back, $release
> leaks: live, atomic mode, leaks, may come back, stays atomic, $release
> managed: live, percpu mode, count 2 = 2 shared + 0 percpu, may come back, managed, $release"
diff <(printf '%s\n' "$expected") <(grep '^> ' <<<"$output") || {
  printf 'FAILED: expected on the left; all that gdb said:\n%s\n' "$output"
  exit 1
}
[ -n "$release" ] || {
  echo "FAILED: release is not named"
  exit 1
}
echo "as expected, on CPU $cpu"
