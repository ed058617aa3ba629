#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The library as others get it: installed, moved, and used from outside the tree.
# Usage: install_test.sh STEP SCHED_DIR BUILD_DIR WORK_DIR CXX
# $LIBRARY_CXXFLAGS, $LIBRARY_LDFLAGS: what takes the C++ library that the engine was built with; empty: the default.
# `install` comes first; the others use what it leaves in WORK_DIR. Exit codes: 0; 1 an offence; 3
# something is missing on this machine.
set -eu -o pipefail
step=${1:?usage: install_test.sh STEP SCHED_DIR BUILD_DIR WORK_DIR CXX}
sched=$2 build=$3 work=$4 cxx=$5
readonly prefix=$work/moved/sched example=$sched/examples/queue
unset CMAKE_PREFIX_PATH CMAKE_BUILD_TYPE
export CXXFLAGS=${LIBRARY_CXXFLAGS-} LDFLAGS=${LIBRARY_LDFLAGS-}

fail() {
  printf 'FAILED: %s\n' "$*"
  exit 1
}
# expect CODE WORDS COMMAND...: it ends with that code, and prints them, however it breaks its lines
expect() {
  local code=$1 words=$2 output got=0
  shift 2
  output=$("$@" 2>&1) || got=$?
  [ $got -eq "$code" ] || fail "$* ends with $got, not $code: $output"
  [[ $(tr -s '[:space:]' ' ' <<<"$output") == *"$words"* ]] || fail "$* does not say '$words' but: $output"
}
quietly() { expect 0 '' "$@"; }
configure() { # SOURCE BUILD FLAGS...
  cmake -S "$1" -B "$2" -DCMAKE_CXX_COMPILER="$cxx" -DCMAKE_PREFIX_PATH="$prefix" "${@:3}"
}

# Below another root, and then moved: nothing that is installed may know where it lies.
step_install() {
  rm -rf -- "$work"
  mkdir -p -- "$work/moved"
  DESTDIR=$work/root quietly cmake --install "$build" --prefix /elsewhere/sched
  mv -- "$work/root/elsewhere/sched" "$prefix"
  [ -z "$(find "$work/root" -type f)" ] || fail "installed outside of the prefix: $(find "$work/root" -type f)"
}

# Nothing but the library: a list of what may be there, and what must.
step_files() {
  local strangers wanted at
  strangers=$(cd "$prefix" && find . -type f | grep -vE \
    '^\./(include/sched/(sched|report|search|symbolize|timeline)\.h|lib/libsched(|_report)(|_wide)\.a|lib/cmake/sched/[A-Za-z_-]+\.cmake|lib/cmake/sched/(instrument_memory_calls\.sh|source_root\.cc)|share/doc/sched/LICENSE)$' || true)
  [ -z "$strangers" ] || fail "installed, but no part of the library: $strangers"
  for wanted in include/sched/{sched,report,search,symbolize,timeline}.h lib/libsched{,_report}{,_wide}.a \
    lib/cmake/sched/{schedConfig,schedConfigVersion,sched_add_target,instrument}.cmake share/doc/sched/LICENSE; do
    [ -f "$prefix/$wanted" ] || fail "not installed: $wanted"
  done
  [ -x "$prefix/lib/cmake/sched/instrument_memory_calls.sh" ] || fail "the launcher cannot be executed"
  at=$(grep -rlF -e "${sched%/*}/" -e "$build" -e "$work" -e /elsewhere/sched "$prefix" || true)
  [ -z "$at" ] || fail "names a place of this machine: $at"
}

# Each public header by itself, with nothing in reach but what is installed.
step_headers() {
  local header
  for header in "$prefix"/include/sched/*.h; do
    printf '#include <sched/%s>\n#include <sched/%s>\n' "${header##*/}" "${header##*/}" >"$work/alone.cc"
    # shellcheck disable=SC2086  # a list of words
    quietly "$cxx" -std=c++20 $CXXFLAGS -Wall -Wextra -Wconversion -Werror -fsyntax-only -I"$prefix/include" \
      "$work/alone.cc"
  done
}

# expect_found FOLDER: both programs of a broken queue find it, and again what they have kept.
expect_found() {
  cd -- "$1"
  rm -f failure.sched crash-*
  expect 77 'replay: ./queue_search --replay=failure.sched' ./queue_search
  for how in --seed=7 --os-threads; do
    expect 77 'bounded_queue.h:' ./queue_search --replay=failure.sched $how
  done
  expect 77 'SUMMARY: lastput: ' ./queue_fuzzer -runs=20000 -seed=1
  expect 77 'SUMMARY: lastput: ' ./queue_fuzzer crash-*
}
# build_example FOLDER FLAGS...
build_example() {
  quietly configure "$example" "$@"
  quietly cmake --build "$1" -j 2
}

step_example() {
  build_example "$work/right"
  expect 0 '100% tests passed' ctest --test-dir "$work/right"
  expect 0 'executions: 2000' "$work/right/queue_search" --executions=2000 --seed=2
  build_example "$work/broken1" -DBROKEN=1
  expect 77 '::pop bounded_queue.h:' "$work/broken1/queue_search" --keep="$work/kept"
  expect_found "$work/broken1"
  build_example "$work/broken2" -DBROKEN=2 -DCMAKE_BUILD_TYPE=Release
  expect_found "$work/broken2"
  expect 0 'does not fail' "$work/right/queue_search" --replay="$work/kept"
}

# A library of one's own that is code under test, and in C; a GoogleTest; more threads than sched::sched has.
step_parts() {
  local project=$work/parts
  mkdir -p -- "$project"
  cat >"$project/part.c" <<'END'
int plain;
void touch(void) { ++plain; }
END
  cat >"$project/a_test.cc" <<'END'
#include <gtest/gtest.h>
#include <sched/search.h>

#include <thread>

extern "C" void touch();

void touches(bool both) {
  std::thread other(touch);
  if (both) touch();
  other.join();
}
TEST(Touch, IsNotForTwo) {
  EXPECT_TRUE(sched::search([] { touches(true); }).failed());
  const sched::SearchResult found = sched::search([] { touches(false); });
  EXPECT_FALSE(found.failed()) << sched::describe(found);
}
END
  cat >"$project/main.cc" <<'END'
#include <sched/search.h>

#include <string>
#include <thread>
#include <vector>

extern "C" void touch();

// As many threads at once as there may be; those behind it are one too many, and `racing` ones touch the part.
void body(unsigned more, unsigned racing) {
  std::vector<std::thread> threads;
  for (unsigned i = 1; i < sched::kMaxThreads + more; ++i)
    threads.emplace_back([i, racing] {
      if (i < racing) touch();
    });
  for (std::thread& thread : threads) thread.join();
}
int main(int argc, char** argv) {
  static_assert(EXPECTED_WIDE == (sched::kMaxThreads > 16));
  const std::string how = argv[1];  // the flags are behind it
  const unsigned more = how == "more", racing = how == "race" ? 9 : 2;
  return sched::search_main(argc - 1, argv + 1, [&] { body(more, racing); });
}
END
  cat >"$project/CMakeLists.txt" <<'END'
cmake_minimum_required(VERSION 3.21)
project(parts LANGUAGES C CXX)
find_package(sched CONFIG REQUIRED)
add_library(part STATIC part.c)
sched_instrument(part)
sched_add_target(narrow main.cc)
sched_add_target(wide main.cc WIDE)
foreach(target narrow wide)
  target_link_libraries(${target} PRIVATE part)
endforeach()
if(NOT "$ENV{CXXFLAGS}" MATCHES "libc|c[+][+]/v1")  # the system's GoogleTest is not made for libc++
  find_package(GTest REQUIRED)
  sched_add_target(a_test a_test.cc)
  target_link_libraries(a_test PRIVATE part GTest::gtest_main)
endif()
target_compile_definitions(narrow PRIVATE EXPECTED_WIDE=0)
target_compile_definitions(wide PRIVATE EXPECTED_WIDE=1)
END
  CXXFLAGS='' LDFLAGS='' expect 1 'it has C sources, and the C compiler here is GNU' \
    configure "$project" "$project/gcc" -DCMAKE_C_COMPILER=gcc
  quietly configure "$project" "$project/build" -DCMAKE_C_COMPILER="${cxx/clang++/clang}"
  quietly cmake --build "$project/build" -j 2
  cd -- "$project"
  [ ! -e build/a_test ] || quietly build/a_test
  for width in narrow wide; do
    expect 0 'executions: 200' "build/$width" right --executions=200
    expect 77 'plain' "build/$width" race
    expect 2 'threads at once' "build/$width" more
  done
}

# What cannot work is said when it is configured, or compiled.
step_refusals() {
  CXXFLAGS='' LDFLAGS='' expect 1 'sched needs clang 14 or newer, and the C++ compiler here is GNU' \
    configure "$example" "$work/gnu" -DCMAKE_CXX_COMPILER=g++
  expect 1 "sched takes ThreadSanitizer's place" configure "$example" "$work/tsan" -DCMAKE_CXX_FLAGS=-fsanitize=thread
  if ! grep -q 'SCHED_ASAN ON' "$prefix/lib/cmake/sched/schedConfig.cmake"; then
    expect 1 'this sched was built without AddressSanitizer' \
      configure "$example" "$work/asan" -DCMAKE_CXX_FLAGS=-fsanitize=address,undefined
  fi
  expect 1 'has no libFuzzer here' configure "$example" "$work/no_fuzzer" -DSCHED_HAS_LIBFUZZER=OFF
  mkdir -p -- "$work/other"
  sed 's/find_package(sched 0.1/find_package(sched 0.999/' "$example/CMakeLists.txt" >"$work/other/CMakeLists.txt"
  expect 1 'version: 0.1.' configure "$work/other" "$work/other/build"
  printf '#include <sched/sched.h>\n' >"$work/library.cc"
  expect 1 'this sched was built with libc++: compile with -stdlib=libc++' \
    "$cxx" -std=c++20 -fsyntax-only -I"$prefix/include" -DSCHED_LIBCXX=1 -stdlib=libstdc++ "$work/library.cc"
}

# Other versions of clang than the engine's.
step_compilers() {
  local other tried=
  [ -z "$CXXFLAGS" ] || { echo 'SKIPPED: a libc++ is for one version of clang' && exit 3; }
  for other in clang++-14 clang++-19; do
    command -v $other >/dev/null && [ "$(command -v $other)" != "$(command -v "$cxx")" ] || continue
    tried+=" $other"
    build_example "$work/$other" -DCMAKE_CXX_COMPILER=$other
    expect 0 'executions: 10000' "$work/$other/queue_search"
    build_example "$work/$other.broken" -DCMAKE_CXX_COMPILER=$other -DBROKEN=1
    expect_found "$work/$other.broken"
  done
  [ -n "$tried" ] || { echo 'SKIPPED: no other clang here' && exit 3; }
}

"step_$step"
echo "$step: as expected"
