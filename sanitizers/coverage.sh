# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# The verb `coverage` of the driver, whose words and tables it uses. Of each WHAT: runs it in a build with
# counters, asks LLVM for the lines and branches of core that ran, and shows the sums; then what nobody reached.

readonly TESTS_WORD=tests # the WHAT that is no fuzz target
readonly CORE_TESTS=(core_{portable,linux}{,_allocation}_test)

verb_coverage() {
  parse coverage "$@"
  local what all=() html=${flag[html]-}
  for what in "${words[@]}"; do [ "$what" = $TESTS_WORD ] || require_target "$what"; done
  mapfile -t all < <(target_names; echo $TESTS_WORD)
  [ ${#words[@]} -eq 0 ] || all=("${words[@]}")
  require_compiler
  use_out
  html=${html:-$out/reports/coverage}
  { mkdir -p -- "$html" && : >"$html/.probe" && rm -- "$html/.probe"; } 2>/dev/null || die $BROKEN "cannot write to $html"
  setup_needs coverage explore
  require_llvm_cov
  rm -rf -- "$out/coverage" && mkdir -p -- "$out/coverage" || die $BROKEN "cannot write to $out"
  use_sanitizer_options
  for what in "${all[@]}"; do measure "$what" || exit $BROKEN; done
  printf '\n%-16s %20s %20s\n' 'reached of core' lines branches
  for what in "${all[@]}"; do sums_of "$what" "$out/coverage/$what.lcov"; done
  [ ${#all[@]} -eq 1 ] || sums_of 'all of these' "$out"/coverage/*.lcov
  list_unreached
  for what in "${all[@]}"; do
    pages_of "$what" "$html/$what" || exit $BROKEN
  done
  say "pages: $html/{$(printf '%s,' "${all[@]}" | sed 's/,$//')}/index.html"
}

# The tools of the compiler that builds: they read no other version's counters.
require_llvm_cov() {
  llvm=$(dirname -- "$(readlink -f -- "$(compiler_for coverage)")")
  [ -x "$llvm/llvm-cov" ] && [ -x "$llvm/llvm-profdata" ] ||
    die $MISSING "llvm-cov and llvm-profdata are not beside $(compiler_for coverage); Debian has them in llvm-$(clang_version "$(compiler_for coverage)")"
}

# The programs with the counters of WHAT, one a line.
programs_of() {
  if [ "$1" = $TESTS_WORD ]; then
    printf "$root/build/coverage/bin/%s\n" "${CORE_TESTS[@]}"
  else
    echo "$root/build/explore-coverage/bin/$1_fuzzer"
  fi
}

# Runs WHAT and leaves coverage/WHAT.profdata and .lcov in out.
measure() {
  local what=$1 raw=$out/coverage/$1.raw log=$out/logs/coverage-$1.log folders=() folder programs=()
  mkdir -p -- "$raw" || return
  export LLVM_PROFILE_FILE=$raw/%p%c.profraw # kept in the file itself, whatever becomes of the process
  if [ "$what" = $TESTS_WORD ]; then
    build coverage "${CORE_TESTS[@]}" || return
    ctest --test-dir "$root/build/coverage/core" -j "$(nproc)" >"$log" 2>&1 </dev/null ||
      { say "tests of core fail under coverage: $log" >&2 && return 1; }
  else
    build explore-coverage "$what"_fuzzer || return
    for folder in "$out/corpus/$what" "$root/build/explore-coverage/corpus/$what"; do
      [ -d "$folder" ] && folders+=("$folder")
    done
    "$root/build/explore-coverage/bin/${what}_fuzzer" -runs=0 -artifact_prefix="$raw/" "${folders[@]}" >"$log" 2>&1 ||
      { say "$what fails on its corpus: $log" >&2 && return 1; }
  fi
  unset LLVM_PROFILE_FILE
  mapfile -t programs < <(programs_of "$what")
  "$llvm/llvm-profdata" merge -o "$out/coverage/$what.profdata" "$raw"/*.profraw >>"$log" 2>&1 &&
    "$llvm/llvm-cov" export -format=lcov -instr-profile="$out/coverage/$what.profdata" \
      "${programs[0]}" "${programs[@]/#/-object=}" -sources "$root/core" >"$out/coverage/$what.lcov" 2>>"$log" ||
    { say "llvm-cov could not read what $what counted: $log" >&2 && return 1; }
}

# One row for each line and branch: FILE KIND PLACE COUNT, of code that is shipped.
counts_of() { # LCOV...
  awk -F'[:,]' -v core="$root/core/" '
    $1 == "SF" { file = substr($2, length(core) + 1); wanted = file !~ /(_test\.cc$|test_support|examples\/|compilers\/)/ }
    !wanted { next }
    $1 == "DA" { print file, "line", $2, $3 }
    $1 == "BRDA" { print file, "branch", $2 "." $3 "." $4, $5 == "-" ? 0 : $5 }' "$@"
}

sums_of() { # NAME LCOV...
  counts_of "${@:2}" | awk -v name="$1" '
    { key = $1 SUBSEP $2 SUBSEP $3; if (!(key in most)) all[$2]++; if ($4 > 0 && most[key] == 0) reached[$2]++; if ($4 + 0 >= most[key]) most[key] = $4 }
    function share(kind) { return all[kind] ? sprintf("%5.1f %% (%d/%d)", 100 * reached[kind] / all[kind], reached[kind], all[kind]) : "-" }
    END { printf "%-16s %20s %20s\n", name, share("line"), share("branch") }'
}

# FILE LINE of what no run reached, but where the line says why.
unreached() {
  local file line
  counts_of "$out"/coverage/*.lcov | awk '
    $2 == "line" { key = $1 " " $3; seen[key] = 1; if ($4 > 0) reached[key] = 1 }
    END { for (key in seen) if (!(key in reached)) print key }' | sort -k1,1 -k2,2n |
    while read -r file line; do
      [[ $(sed -n "${line}p" -- "$root/core/$file") == *'// unreached: '?* ]] || printf '%s %s\n' "$file" "$line"
    done
}

list_unreached() {
  local rows
  rows=$(unreached | awk '
    function close_range() { if (first) printf "%s%s", first, first < last ? "-" last : "" }
    $1 != file { close_range(); printf "%s  core/%s: ", file == "" ? "" : "\n", $1; file = $1; first = last = $2; next }
    $2 == last + 1 { last = $2; next }
    { close_range(); printf ", "; first = last = $2 }
    END { close_range() }')
  if [ -n "$rows" ]; then printf '\nlines not reached:\n%s\n' "$rows"; else printf '\nevery line is reached, or says why it is not\n'; fi
}

pages_of() { # WHAT DIR
  local programs=()
  mapfile -t programs < <(programs_of "$1")
  "$llvm/llvm-cov" show -format=html -show-branches=count -output-dir="$2" -instr-profile="$out/coverage/$1.profdata" \
    "${programs[0]}" "${programs[@]/#/-object=}" -sources "$root/core" >>"$out/logs/coverage-$1.log" 2>&1 ||
    { say "no pages of $1: $out/logs/coverage-$1.log" >&2 && return 1; }
}
