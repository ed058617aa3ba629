# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2154  # sourced by the driver, whose names these are
# What the machine has: compilers, tools and libraries; what each preset needs of them, and how the rest is installed.

clang_version() { # of a compiler; 0 if it is no clang
  local text
  text=$("$1" --version 2>/dev/null) || text=
  [[ $text =~ clang\ version\ ([0-9]+) ]] && echo "${BASH_REMATCH[1]}" || echo 0
}
has_runtimes() { # libFuzzer and the sanitizers come in a package of their own
  compgen -G "$("$1" -print-runtime-dir 2>/dev/null)/libclang_rt.fuzzer*.a" >/dev/null ||
    compgen -G "$(dirname -- "$("$1" -print-libgcc-file-name --rtlib=compiler-rt 2>/dev/null)")/libclang_rt.fuzzer*.a" >/dev/null
}
is_usable_clang() { [ "$(clang_version "$1")" -ge 14 ] && has_runtimes "$1"; }

# The newest clang++ with its runtimes; empty: none.
find_clang() {
  local version candidate
  for version in {30..14} ''; do
    candidate=$(command -v "clang++${version:+-$version}") || continue
    is_usable_clang "$candidate" && echo "$candidate" && return
  done
}

# Those that any compiler builds.
is_for_any_compiler() { [ "$1" = release ] || [ "$1" = tsan-gcc ]; }
# The compiler for a preset: as asked for; else the newest clang, and for these the system's own.
compiler_for() {
  local preset=$1 asked=${flag[compiler]-}
  if [ -z "$asked" ] && [ -n "${CXX-}" ]; then
    if is_for_any_compiler "$preset" || is_usable_clang "$CXX"; then asked=$CXX; fi
  fi
  if [ -n "$asked" ]; then
    command -v -- "$asked" || echo "$asked"
  elif is_for_any_compiler "$preset"; then
    command -v g++
  else
    find_clang
  fi
}
require_compiler() {
  local asked=${flag[compiler]-}
  [ -n "$asked" ] || return 0
  command -v -- "$asked" >/dev/null || die $USAGE "--compiler=$asked: there is no such program"
}
# check_clang PRESET: an own choice of compiler must do.
check_clang() {
  local asked=${flag[compiler]-}
  is_for_any_compiler "$1" || [ -z "$asked" ] || is_usable_clang "$asked" ||
    die $MISSING "preset $1 needs clang 14 or newer with its runtimes (package libclang-rt-dev); $asked is not that"
}

has_header() {
  local prefix more=${CMAKE_PREFIX_PATH-}
  for prefix in /usr /usr/local ${more//[:;]/ }; do
    [ -e "$prefix/include/$1" ] && return
  done
  return 1
}
has_cmake() {
  local text
  text=$(cmake --version 2>/dev/null) || return 1
  [[ $text =~ version\ ([0-9]+)\.([0-9]+) ]] && ((BASH_REMATCH[1] * 1000 + BASH_REMATCH[2] >= 3021))
}
has_clang() { [ -n "$(compiler_for explore)" ]; }
has_libcxx() { "$(compiler_for explore)" -stdlib=libc++ -fsyntax-only -x c++ -include version /dev/null; }

# need | how to see that it is there | packages of Debian
readonly NEEDS='
clang 14 or newer with its runtimes|has_clang|clang libclang-rt-dev llvm
g++|command -v g++|g++
cmake 3.21 or newer|has_cmake|cmake
ninja|command -v ninja|ninja-build
patch|command -v patch|patch
GoogleTest|has_header gtest/gtest.h|libgtest-dev
Google Benchmark|has_header benchmark/benchmark.h|libbenchmark-dev
Abseil|has_header absl/flags/flag.h|libabsl-dev
liburcu|g++ -E -x c++ -include urcu/urcu-bp.h /dev/null|liburcu-dev
nlohmann-json|has_header nlohmann/json.hpp|nlohmann-json3-dev
'
# With what core's own tests try it beside the compiler of the preset, and skip what is not there.
readonly COMPILERS_NEEDS='
clang 15|command -v clang++-15|clang-15
clang 16|command -v clang++-16|clang-16
clang 19|command -v clang++-19|clang-19
runtimes of clang 19|has_runtimes clang++-19|libclang-rt-19-dev
libc++ for clang 19|clang++-19 -stdlib=libc++ -fsyntax-only -x c++ -include version /dev/null|libc++-19-dev libc++abi-19-dev
g++ for aarch64|command -v aarch64-linux-gnu-g++|g++-aarch64-linux-gnu libc6-dev-arm64-cross
qemu-user|command -v qemu-aarch64|qemu-user
gdb|command -v gdb|gdb
pkg-config|command -v pkg-config|pkg-config
'
readonly AFL_NEEDS='
AFL++|command -v afl-clang-fast++|afl++
'

# missing_needs TABLE: its rows that this machine lacks
missing_needs() {
  local what check packages
  while IFS='|' read -r what check packages; do
    [ -n "$what" ] || continue
    $check >/dev/null 2>&1 || printf '%s|%s\n' "$what" "$packages"
  done <<<"$1"
}

# A libc++ of the compiler's age; Debian has one version installed at a time.
libcxx_needs() {
  local version
  version=$(clang_version "$(compiler_for explore)")
  printf 'libc++ %s|has_libcxx|libc++-%s-dev libc++abi-%s-dev\n' "$version" "$version" "$version"
}

# How to become root: nothing to say, sudo, or not at all.
root_command() {
  [ "$(id -u)" -eq 0 ] && return
  command -v sudo >/dev/null && sudo -n true 2>/dev/null && echo "sudo -n" && return
  return 1
}

# needs_of WORD...: the table for these presets, and for the word compilers
needs_of() {
  printf '%s' "$NEEDS"
  case " $* " in *" afl "* | *" afl-asan "*) printf '%s' "$AFL_NEEDS" ;; esac
  case " $* " in *" explore-libcxx "*) libcxx_needs ;; esac
  case " $* " in *" compilers "*) printf '%s' "$COMPILERS_NEEDS" ;; esac
}

# setup_needs PRESET...: installs what is missing for these.
setup_needs() {
  local table missing what packages as_root log
  table=$(needs_of "$@")
  missing=$(missing_needs "$table")
  [ -n "$missing" ] || return 0
  what=$(cut -d'|' -f1 <<<"$missing" | paste -sd, | sed 's/,/, /g')
  packages=$(cut -d'|' -f2 <<<"$missing" | one_line)
  command -v apt-get >/dev/null ||
    die $MISSING "missing here: $what; install with your package manager (Debian's names: $packages)"
  as_root=$(root_command) ||
    die $MISSING "missing here: $what; not root, so please run: sudo apt-get install $packages"
  log=$out/logs/setup.log
  say "missing here: $what; installing $packages"
  # shellcheck disable=SC2086  # both are lists of words
  install_packages "$as_root" $packages >"$log" 2>&1 </dev/null ||
    die $BROKEN "apt-get could not install $packages: $(grep -m1 '^E: ' "$log" || tail -n 1 "$log") (all of it: $log)"
  missing=$(missing_needs "$table")
  [ -z "$missing" ] || die $BROKEN "installed, but still missing: $(cut -d'|' -f1 <<<"$missing" | one_line) (log: $log)"
}

# install_packages ROOT-COMMAND PACKAGE...: an installation that was killed is finished first.
install_packages() {
  local as_root=$1
  shift
  [ -z "$(dpkg --audit)" ] || $as_root env DEBIAN_FRONTEND=noninteractive dpkg --configure -a
  $as_root apt-get -o DPkg::Lock::Timeout=300 update ||
    echo "apt-get update failed; trying with the lists that are there"
  $as_root env DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=300 \
    install -y --no-install-recommends "$@"
}
