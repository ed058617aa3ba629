#!/bin/bash -eu
# SPDX-License-Identifier: Apache-2.0
# Builds the fuzz targets for a fuzzing service (OSS-Fuzz, ClusterFuzzLite, or whatever sets their variables):
#
#   CXX CXXFLAGS           the service's compiler and flags; flags of coverage and AddressSanitizer are taken
#                          out here, and given again to the code that they are for (sanitizers/instrument.cmake)
#   LIB_FUZZING_ENGINE     a flag or the path of an archive; linked after our objects
#   FUZZING_ENGINE         afl, libfuzzer, ...: how edges are counted
#   SANITIZER              address, undefined, coverage or none
#   SRC WORK OUT           the sources are the folder above this one; WORK is for the build
#
# $OUT gets THING_fuzzer, THING_fuzzer_seed_corpus.zip and THING_fuzzer.options of each target.
here=$(cd -- "$(dirname -- "$(readlink -f -- "$0")")/.." && pwd)
: "${CXX:?}" "${LIB_FUZZING_ENGINE:?}" "${OUT:?}" "${WORK:?}"
: "${FUZZING_ENGINE:=libfuzzer}" "${SANITIZER:=address}" "${CXXFLAGS:=}"

options=()
case $SANITIZER in
  address) mode=explore-asan ;;
  undefined | none) mode=explore ;;
  coverage) mode=explore options+=(-DLASTPUT_SOURCE_COVERAGE=ON) ;;
  *)
    echo "build.sh: no build with SANITIZER=$SANITIZER: data races are found in every build by the targets themselves, \
and memory sanitizing would need an engine of its own" >&2
    exit 1
    ;;
esac

# The driver refuses address beside thread, and the engine itself must have neither that nor counters.
flags=
for word in $CXXFLAGS; do
  case $word in
    -fsanitize=address | -fsanitize-address-use-after-scope) ;;
    -fsanitize=fuzzer-no-link | -fprofile-instr-generate | -fcoverage-mapping) ;;
    *) flags="$flags $word" ;;
  esac
done

# AFL++'s compiler puts counters into everything but what this list names.
printf 'src: %s/sched/*\n' "$here" >"$WORK/not_counted"
export AFL_LLVM_DENYLIST=$WORK/not_counted

# The C++ library is linked statically; what the engine replaces of libc++ (sched/libcxx.h) comes first, and wins.
linking="-static-libstdc++ -Wl,--allow-multiple-definition"

CXXFLAGS=$flags CFLAGS=$flags cmake -G "$(command -v ninja >/dev/null && echo Ninja || echo 'Unix Makefiles')" -S "$here" -B "$WORK/lastput" \
  -DCMAKE_CXX_COMPILER="$CXX" -DCMAKE_BUILD_TYPE=Service -DLASTPUT_MODE=$mode -DLASTPUT_SERVICE=ON \
  -DLASTPUT_SERVICE_ENGINE="$FUZZING_ENGINE" -DCMAKE_EXE_LINKER_FLAGS="$linking" "${options[@]}"
cmake --build "$WORK/lastput" --parallel "$(nproc)" --target fuzzers

for fuzzer in "$WORK"/lastput/bin/*_fuzzer; do
  name=${fuzzer##*/}
  cp -- "$fuzzer" "$OUT/$name"
  (cd -- "$WORK/lastput/corpus/${name%_fuzzer}" && cmake -E tar cf "$OUT/${name}_seed_corpus.zip" --format=zip -- *)
  cp -- "$here/.clusterfuzzlite/fuzzer.options" "$OUT/$name.options"
done
