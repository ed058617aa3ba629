#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# build_test.sh CXX COMBINATION: runs build.sh with the variables that a fuzzing service sets for it, and checks what comes out
# (check_build.sh). COMBINATION is ENGINE-SANITIZER, of libfuzzer-address, libfuzzer-undefined, afl-address and
# libfuzzer-coverage; libc++, which is libfuzzer-address with the C++ library that the services have; or race: a
# known bug that is a data race, which such a build must show, ThreadSanitizer or not. all: each of them, one after the other, and
# whether a build with a defect is seen (check_build_test.sh): some 25 minutes of processor time.
# Exit codes: 0, 1, and 3: skipped, with the reason.
set -u -o pipefail
[ $# -eq 2 ] || { echo "usage: build_test.sh CXX COMBINATION" >&2; exit 1; }
compiler=$1 combination=$2
here=$(cd -- "$(dirname -- "$0")/.." && pwd)
if [ "$combination" = all ]; then
  failed=0
  for combination in libfuzzer-address libfuzzer-undefined libfuzzer-coverage afl-address libc++ race; do
    echo "== $combination"
    bash "$0" "$compiler" "$combination" || [ $? -eq 3 ] || failed=1
  done
  echo "== check_build"
  bash "$here/.clusterfuzzlite/check_build_test.sh" "$compiler" || failed=1
  exit $failed
fi
work=$(mktemp -d) || exit 2
trap 'rm -rf -- "$work"' EXIT
chmod 755 "$work"
skip() { echo "skipped: $1"; exit 3; }

# The services' libFuzzer has the C++ library that it needs in it, under names of its own. Debian's wants libstdc++: this makes
# of it one like theirs.
engine_without_libstdcxx() { # ARCHIVE
  local fuzzer
  fuzzer=$(find "$("$compiler" -print-runtime-dir)" "$("$compiler" -print-resource-dir)/lib/linux" \
    \( -name "libclang_rt.fuzzer-$(uname -m).a" -o -name libclang_rt.fuzzer.a \) 2>/dev/null | head -n 1)
  [ -n "$fuzzer" ] &&
    ld -r --force-group-allocation -o "$work/engine.o" --whole-archive "$fuzzer" --no-whole-archive "$("$compiler" -print-file-name=libstdc++.a)" &&
    objcopy -w -G main -G 'LLVMFuzzer*' -G '__sanitizer_*' -G '__sancov*' "$work/engine.o" && ar rc "$1" "$work/engine.o"
}

common="-O1 -fno-omit-frame-pointer -gline-tables-only -Wno-error=unused-command-line-argument"
address="-fsanitize=address -fsanitize-address-use-after-scope"
undefined="-fsanitize=array-bounds,bool,builtin,enum,function,integer-divide-by-zero,null,object-size,return,returns-nonnull-attribute,shift,\
signed-integer-overflow,unsigned-integer-overflow,unreachable,vla-bound,vptr -fno-sanitize-recover=array-bounds,bool,builtin,enum,function,\
integer-divide-by-zero,null,object-size,return,returns-nonnull-attribute,shift,signed-integer-overflow,unreachable,vla-bound,vptr"
counters=-fsanitize=fuzzer-no-link engine=libfuzzer library=-fsanitize=fuzzer sanitizer=address flags=$address
source=$here
case $combination in
  libfuzzer-address) ;;
  libfuzzer-undefined) sanitizer=undefined flags=$undefined ;;
  libfuzzer-coverage) sanitizer=coverage flags="" counters="-fprofile-instr-generate -fcoverage-mapping" ;;
  afl-address)
    engine=afl counters=
    driver=$(compgen -G '/usr/l*/afl/libAFLDriver.a' | head -n 1)
    [ -n "$driver" ] || skip "no AFL++ here: ./lastput setup afl"
    # The services' archive has the runtime in it.
    library=$work/engine.a
    { cp -- "$driver" "$library" && ar r "$library" "${driver%/*}/afl-compiler-rt.o"; } || exit 2
    ;;
  libc++)
    # $LASTPUT_LIBCXX_ROOT: one that is not installed (sanitizers/cxx_library.cmake).
    flags="$address -stdlib=libc++${LASTPUT_LIBCXX_ROOT:+ -nostdinc++ -isystem$LASTPUT_LIBCXX_ROOT/include/c++/v1 -L$LASTPUT_LIBCXX_ROOT/lib}"
    # shellcheck disable=SC2086  # a list of words
    echo '#include <thread>
int main() { std::thread([] {}).join(); }' | "$compiler" -x c++ $flags -w - -static-libstdc++ -o "$work/probe" 2>/dev/null ||
      skip "$compiler builds no program with libc++ here: ./lastput setup explore-libcxx"
    library=$work/engine.a
    engine_without_libstdcxx "$library" || exit 2
    ;;
  race)
    source=$work/source
    mkdir -- "$source" && cp -r -- "$here"/{.clusterfuzzlite,CMakeLists.txt,core,corpus,sanitizers,sched,targets} "$source" &&
      patch -s -d "$source" -p1 <"$here/bugs/relaxed_last_put.patch" || exit 2
    ;;
  *) echo "build_test.sh: no combination '$combination'" >&2; exit 1 ;;
esac

mkdir -- "$work/out" "$work/work"
if ! env -i PATH="$PATH" HOME="$work" CXX="$compiler" CC="${compiler/clang++/clang}" CXXFLAGS="$common $flags $counters" \
  CFLAGS="$common $flags $counters" LIB_FUZZING_ENGINE="$library" FUZZING_ENGINE=$engine SANITIZER=$sanitizer \
  ARCHITECTURE="$(uname -m)" SRC="${source%/*}" WORK="$work/work" OUT="$work/out" \
  bash -eux "$source/.clusterfuzzlite/build.sh" >"$work/log" 2>&1; then
  grep -m 5 -E ' error: |CMake Error|undefined reference|multiple definition|cannot find|undefined symbol' -A 3 "$work/log"
  echo "build_test: $combination does not build"
  exit 1
fi

if [ "$combination" = race ]; then
  (cd "$work" && out/percpu_ref_fuzzer -max_total_time=60 -seed=1 >"$work/said" 2>&1)
  grep -q '^FAILED: G7\|data race' "$work/said" || { tail -n 20 "$work/said"; echo "build_test: the race was not found"; exit 1; }
  grep -m 1 '^FAILED' "$work/said"
  # The services name a bug by the topmost functions, less those of the C library, the sanitizer and libFuzzer.
  top=$(sed -nE 's/^ +#[0-9]+ 0x[0-9a-f]+ in ([^ (]+).*/\1/p' "$work/said" | grep -vE '^(_*sanitizer|_*asan|_*interceptor|fuzzer::|_*GI_|_*pthread|raise|abort|gsignal)' | head -n 1)
  case ${top:-sched::} in
    sched::* | targets::runtime::* | *on_failure*) echo "build_test: the stack of the race begins with the engine's '$top'"; exit 1 ;;
  esac
  echo "told by services as: $top"
  exit 0
fi
bash "$here/.clusterfuzzlite/check_build.sh" "$work/out" $sanitizer $engine
