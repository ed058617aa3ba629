#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The library as others get it: installed, moved, and used from outside the tree.
# Usage: install_test.sh STEP CORE_DIR BUILD_DIR WORK_DIR CXX
# `install` comes first; the others use what it leaves in WORK_DIR. Exit codes: 0; 1 an offence; 3
# something is missing on this machine.
set -eu -o pipefail
step=${1:?usage: install_test.sh STEP CORE_DIR BUILD_DIR WORK_DIR CXX}
core=$2 build=$3 work=$4 cxx=$5
readonly prefix=$work/moved/percpu examples=$core/examples/installed
unset CXXFLAGS LDFLAGS CMAKE_PREFIX_PATH
export PKG_CONFIG_PATH=$prefix/lib/pkgconfig CXX=$cxx

fail() {
  printf 'FAILED: %s\n' "$*"
  exit 1
}
missing() {
  printf 'SKIPPED: %s\n' "$*"
  exit 3
}
# expect WORDS COMMAND...: it succeeds, and prints them
expect() {
  local words=$1 output
  shift
  output=$("$@" 2>&1) || fail "$* fails: $output"
  [[ $output == *"$words"* ]] || fail "$* does not say '$words' but: $output"
}
quietly() {
  local output
  output=$("$@" 2>&1) || fail "$*: $output"
}
version() { sed -nE 's/^#define PERCPU_VERSION_M?[A-Z]+ ([0-9]+)$/\1/p' "$core/version.h" | paste -sd.; }
# expect_sessions PROGRAM: the example does its work, with the version of this tree
expect_sessions() { expect "percpu $(version): 2008 sessions, used by all threads" "$@"; }
expect_both() { expect 'released after 3 and 3 puts' "$@"; }

# Below another root, and then moved: nothing that is installed may know where it lies.
step_install() {
  rm -rf -- "$work"
  mkdir -p -- "$work/moved"
  DESTDIR=$work/root quietly cmake --install "$build" --prefix /elsewhere/percpu
  mv -- "$work/root/elsewhere/percpu" "$prefix"
  [ -z "$(find "$work/root" -type f)" ] || fail "installed outside of the prefix: $(find "$work/root" -type f)"
}

# Headers of the folder that are nobody else's business; one that is neither here nor installed was forgotten.
readonly internal=' callback_scope.h check.h domain_state.h fork_watch.h manager_state.h percpu_memory.h rcu_state.h refill_worker.h test_support.h '

# Nothing but the library: a list of what may be there, and what must.
step_files() {
  local strangers wanted at
  strangers=$(cd "$prefix" && find . -type f | grep -vE \
    '^\./(include/percpu/([a-z_]+|platform/[a-z_/]+)\.h|lib/libpercpu_(linux|portable)\.a|lib/pkgconfig/percpu-(linux|portable)\.pc|lib/cmake/percpu/[A-Za-z-]+\.cmake|share/percpu/gdb/percpu\.py|share/doc/percpu/LICENSE)$' || true)
  [ -z "$strangers" ] || fail "installed, but no part of the library: $strangers"
  for wanted in include/percpu/ref.h lib/libpercpu_linux.a lib/libpercpu_portable.a share/doc/percpu/LICENSE \
    share/percpu/gdb/percpu.py; do
    [ -f "$prefix/$wanted" ] || fail "not installed: $wanted"
  done
  for wanted in "$core"/*.h; do
    [ -f "$prefix/include/percpu/${wanted##*/}" ] || [[ $internal == *" ${wanted##*/} "* ]] ||
      fail "${wanted##*/} is neither public (percpu_library.cmake) nor internal (here)"
  done
  at=$(grep -rlF -e "$core" -e "$build" -e "$work" -e /elsewhere/percpu "$prefix" --include='*.cmake' --include='*.pc' || true)
  [ -z "$at" ] || fail "names a place of this machine: $at"
  [ ! -f "$core/../LICENSE" ] || cmp -- "$core/LICENSE" "$core/../LICENSE" || fail "two licences"
}

# Each public header by itself, on each platform, with nothing in reach but what is installed.
step_headers() {
  local platform header
  for platform in linux portable; do
    for header in "$prefix"/include/percpu/*.h "$prefix/include/percpu/platform/$platform/percpu_platform.h"; do
      printf '#include "%s"\n#include "%s"\n' "$header" "$header" >"$work/alone.cc"
      quietly "$cxx" -std=c++20 -Wall -Wextra -Wconversion -Werror -fsyntax-only -I"$prefix/include" \
        -I"$prefix/include/percpu/platform/$platform" "$work/alone.cc"
    done
  done
}

step_find_package() {
  quietly cmake -S "$examples" -B "$work/find_package" -DCMAKE_PREFIX_PATH="$prefix"
  quietly cmake --build "$work/find_package" -j 2
  expect_sessions "$work/find_package/sessions"
  expect_sessions "$work/find_package/sessions_portable"
  expect_both "$work/find_package/both"
  # The package knows its version, and refuses who wants another.
  sed 's/find_package(percpu 0.1/find_package(percpu 0.999/' "$examples/CMakeLists.txt" >"$work/other.txt"
  mkdir -p "$work/other" && cp "$examples"/*.cc "$work/other" && mv "$work/other.txt" "$work/other/CMakeLists.txt"
  cmake -S "$work/other" -B "$work/other/build" -DCMAKE_PREFIX_PATH="$prefix" >"$work/other.log" 2>&1 &&
    fail "found as version 0.999"
  grep -q "version: $(version)" "$work/other.log" || fail "the package does not tell version $(version)"
}

step_pkg_config() {
  command -v pkg-config >/dev/null || missing "no pkg-config here"
  local platform flags words
  for platform in linux portable; do
    [ "$(pkg-config --modversion "percpu-$platform")" = "$(version)" ] || fail "percpu-$platform has another version"
    words=$(pkg-config --cflags --libs "percpu-$platform")
    for flags in -O0 '-O3 -Wall -Wextra -Wconversion -Werror' '-O2 -flto' '-O2 -static'; do
      # shellcheck disable=SC2086  # lists of words
      quietly "$cxx" -std=c++20 $flags "$examples/sessions.cc" $words -o "$work/sessions"
      expect_sessions "$work/sessions"
    done
  done
}

# Alone: a copy of the folder is a project, here for shared libraries.
step_shared() {
  local copy=$work/copy/percpu into=$work/shared words
  rm -rf -- "$work/copy" && mkdir -p "$work/copy" && cp -r "$core" "$copy"
  quietly cmake -S "$copy" -B "$work/copy/build" -DBUILD_SHARED_LIBS=ON -DCMAKE_INSTALL_PREFIX="$into"
  quietly cmake --build "$work/copy/build" -j 2
  quietly cmake --install "$work/copy/build"
  quietly cmake -S "$examples" -B "$work/shared_use" -DCMAKE_PREFIX_PATH="$into"
  quietly cmake --build "$work/shared_use" -j 2
  expect_sessions "$work/shared_use/sessions"
  expect_sessions "$work/shared_use/sessions_portable"
  expect_both "$work/shared_use/both"
  expect_same_counting "$work/shared_use/sessions" "$work/find_package/sessions"
  readelf -d "$into/lib/libpercpu_linux.so" | grep -q NODELETE || fail "may be unloaded under its sections"
  command -v pkg-config >/dev/null || missing "no pkg-config here; the rest is right"
  export PKG_CONFIG_PATH=$into/lib/pkgconfig LD_LIBRARY_PATH=$into/lib
  words=$(pkg-config --cflags --libs percpu-linux)
  # shellcheck disable=SC2086
  quietly "$cxx" -std=c++20 -O2 -fPIC "$examples/sessions.cc" $words -o "$work/sessions"
  expect_same_counting "$work/sessions" "$work/find_package/sessions"
}
# A program that does not see the library's state counts right all the same, but never percpu.
expect_same_counting() {
  local one other
  one=$("$1") other=$("$2")
  [ "${one##*; }" = "${other##*; }" ] || fail "$1 says '$one', $2 '$other'"
}

# As part of another project: no tests, no installation, no flags, no folder but the library's own.
step_add_subdirectory() {
  local project=$work/add_subdirectory flags
  rm -rf -- "$project" && mkdir -p "$project/third_party" && cp -r "$core" "$project/third_party/percpu"
  cp "$examples"/*.cc "$project"
  {
    echo 'cmake_minimum_required(VERSION 3.21)'
    echo 'project(other LANGUAGES CXX)'
    echo 'enable_testing()'
    echo 'add_subdirectory(third_party/percpu EXCLUDE_FROM_ALL)'
    sed -n '/^add_executable/,$p' "$examples/CMakeLists.txt"
  } >"$project/CMakeLists.txt"
  quietly cmake -S "$project" -B "$project/build" -DCMAKE_EXPORT_COMPILE_COMMANDS=ON
  flags=$(grep '"command"' "$project/build/compile_commands.json")
  ! grep -E -e '-W(error|all|extra|conversion)' <<<"$flags" || fail "warnings of our own reach other people's project"
  ! grep -E -e '-I[^ ]*/third_party( |$)' <<<"$flags" || fail "what lies beside the folder is in the include path"
  ! grep sessions.cc <<<"$flags" | grep -e -fno-semantic-interposition || fail "the library's flags reach the program"
  expect 'No tests were found' ctest --test-dir "$project/build"
  [ "$(find "$project/build" -name cmake_install.cmake -exec grep -l libpercpu {} +)" = "" ] || fail "it installs percpu, too"
  quietly cmake --build "$project/build" -j 2 --target sessions_portable
  expect_sessions "$project/build/sessions_portable"
}

"step_$step"
echo "$step: as expected"
