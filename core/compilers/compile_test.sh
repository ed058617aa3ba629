#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Compiles every source of the core, for each platform, with another compiler: the libraries in
# earnest, the tests and examples as far as their types go. Warnings are errors.
# Usage: compile_test.sh CORE_DIR COMPILER [FLAG...]. Exit codes: 0; 1 an error; 3 no such compiler.
set -eu -o pipefail
core=${1:?usage: compile_test.sh CORE_DIR COMPILER [FLAG...]} compiler=$2
shift 2
readonly flags=(-std=c++20 -Wall -Wextra -Wconversion -Werror "$@")

missing() {
  printf 'SKIPPED: %s\n' "$*"
  exit 3
}
command -v -- "$compiler" >/dev/null || missing "$compiler is not installed"
work=$(mktemp -d)
trap 'rm -rf -- "$work"' EXIT
printf '#include <version>\nint main() {}\n' >"$work/probe.cc"
"$compiler" "${flags[@]}" -fsyntax-only "$work/probe.cc" 2>"$work/problem" ||
  missing "$compiler $* cannot compile anything: $(head -n 1 "$work/problem")"

# Headers that are the same for every processor, where a cross compiler does not look for them.
mkdir "$work/include"
for library in gtest gmock; do
  [ ! -d "/usr/include/$library" ] || ln -s "/usr/include/$library" "$work/include/$library"
done

# GoogleTest, which takes longer than the tests themselves, is read once.
echo '#include <gtest/gtest.h>' >"$work/gtest.h"
"$compiler" "${flags[@]}" -isystem "$work/include" -x c++-header "$work/gtest.h" -o "$work/gtest.h.gch"

# sources PLATFORM NAMES...: those that `find` knows by these names, and that belong to the platform
sources() {
  local platform=$1
  shift
  (cd -- "$core" && find . "$@" -not -path './examples/installed/*' | sort |
    grep -vE "^\./platform/($([ "$platform" = linux ] && echo portable || echo linux))/")
}
# compile PLATFORM FLAG...: sources from stdin, two at a time
compile() {
  local platform=$1
  shift
  (cd -- "$core" && xargs -P 2 -n 1 "$compiler" "${flags[@]}" -I.. -I"platform/$platform" -isystem "$work/include" "$@") ||
    {
      echo "FAILED: platform $platform"
      exit 1
    }
}
readonly library=(-name '*.cc' -not -name '*_test.cc') tests=(-name '*_test.cc')
sources linux "${library[@]}" | compile linux -O2 -c -o /dev/null
sources portable "${library[@]}" | compile portable -fsyntax-only
# The other platform's are the same but for one that is the linux platform's own.
sources linux "${tests[@]}" | compile linux -include "$work/gtest.h" -fsyntax-only
echo "$compiler $*: $(sources linux "${library[@]}" | wc -l) sources of the libraries, $(sources linux "${tests[@]}" | wc -l) tests"
