#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# check_build_test.sh CXX: whether check_build.sh sees what is wrong with a build: toy targets, each with one defect that the services'
# own check lets pass. Exit codes: 0; 1 a defect is not seen.
set -u -o pipefail
compiler=${1:?usage: check_build_test.sh CXX}
here=$(cd -- "$(dirname -- "$0")" && pwd)
work=$(mktemp -d) || exit 2
trap 'rm -rf -- "$work"' EXIT
chmod 755 "$work"
failures=0

readonly HEAD='#include <cstddef>
#include <cstdint>
int missing();
static char* volatile kept;
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  int sum = 0;
  for (size_t i = 0; i < size; ++i) if (data[i] == i) ++sum;'

# sees WORDS DEFECT STATEMENT FLAGS...: a target with the statement, compiled with the flags.
sees() {
  local words=$1 out=$work/$2 said
  mkdir -m 755 "$out" "$out/seeds"
  printf '%s\n%s\n return sum < 0; }\n' "$HEAD" "$3" >"$out/toy.cc"
  "$compiler" -g -O1 "${@:4}" -fsanitize=address -c "$out/toy.cc" -o "$out/toy.o" &&
    "$compiler" -fsanitize=address,fuzzer "$out/toy.o" -o "$out/toy_fuzzer" ${libraries[@]+"${libraries[@]}"} || { failures=1 && return; }
  printf 'seed' >"$out/seeds/one"
  (cd "$out/seeds" && cmake -E tar cf "$out/toy_fuzzer_seed_corpus.zip" --format=zip -- *)
  cp -- "$here/fuzzer.options" "$out/toy_fuzzer.options"
  said=$(bash "$here/check_build.sh" "$out" address 2>&1) && echo "check_build passes a target with: $2" && failures=1
  grep -qE -- "$words" <<<"$said" || { printf 'of a target with %s it does not say "%s":\n%s\n' "$2" "$words" "$said" && failures=1; }
}

libraries=()
sees 'LeakSanitizer: detected memory leaks' leak 'kept = new char[10]; kept = nullptr;' -fsanitize=fuzzer-no-link
sees '^check_build: .* (exit code 1 with -runs=0|0 edges)' no_counters ''
sees ' edges, wanted 100 or more' few_edges '' -fsanitize=fuzzer-no-link
printf 'int missing() { return 0; }\n' >"$work/missing.cc"
"$compiler" -shared -fPIC "$work/missing.cc" -o "$work/libmissing.so" || exit 2
# shellcheck disable=SC2034  # of sees
libraries=(-L"$work" -lmissing)
sees 'shared libraries that a service may lack' missing_library 'sum += missing();' -fsanitize=fuzzer-no-link
[ $failures -ne 0 ] || echo 'each defect is seen'
exit $failures
