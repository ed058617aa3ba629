#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Builds the core for another processor, and runs life.cc and an example there, emulated.
# Usage: cross_test.sh CORE_DIR PLATFORM COMPILER EMULATOR. Exit codes: 0; 1 something is wrong; 3
# compiler or emulator are missing.
set -eu -o pipefail
core=${1:?usage: cross_test.sh CORE_DIR PLATFORM COMPILER EMULATOR} platform=$2 compiler=$3 emulator=$4
readonly none='no restartable sequence is written for this processor or C library'

missing() {
  printf 'SKIPPED: %s\n' "$*"
  exit 3
}
command -v -- "$compiler" >/dev/null || missing "$compiler is not installed"
work=$(mktemp -d)
trap 'rm -rf -- "$work"' EXIT

mkdir "$work/include" && ln -s "$core" "$work/include/percpu"
cd -- "$work"
find "$core" -maxdepth 1 -name '*.cc' -not -name '*_test.cc' >sources
ls "$core/platform/posix_fork.cc" "$core/platform/reader_counts.cc" "$core/platform/$platform/percpu_platform.cc" "$core/compilers/life.cc" \
  "$core/examples/installed/sessions.cc" >>sources
xargs -P 2 -n 1 -- "$compiler" -std=c++20 -O2 -Wall -Wextra -Wconversion -Werror -pthread -I"$core/.." -Iinclude \
  -I"$core/platform/$platform" -c <sources
for program in life sessions; do
  other=$([ $program = life ] && echo sessions || echo life)
  # shellcheck disable=SC2046  # a list of files
  "$compiler" -static -pthread $(ls ./*.o | grep -v "/$other.o") -o "$program"
done

command -v -- "$emulator" >/dev/null || missing "it builds, but $emulator is not installed"
printf 'int main() {}\n' >probe.cc && "$compiler" -static probe.cc -o probe
"$emulator" ./probe || missing "it builds, but $emulator does not run programs here"

why=
[ "$platform" != linux ] || why=$none
"$emulator" ./life "$why"
"$emulator" ./sessions
