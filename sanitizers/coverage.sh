# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# The verb `coverage` of the driver, whose words and tables it uses. Of each WHAT: runs it in a build with
# counters, asks LLVM for the lines and branches of core that ran, and shows the sums; then what nobody reached.
#
# `// unreached: REASON` in core stands beside the first of some lines that nothing reaches. A reason that is missing, or
# beside a line that is reached, fails the command, where the tests are among what is measured; so does a probe
# (probes.txt) that no corpus reaches, where all is measured.

readonly TESTS_WORD=tests # the WHAT that is no fuzz target
readonly CORE_TESTS=(core_{portable,linux}{,_allocation}_test core_linux_membarrier_test)

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
  printf '\n%-16s %20s %20s %9s\n' 'reached of core' lines branches probes
  for what in "${all[@]}"; do sums_of "$what" "$out/coverage/$what.lcov"; done
  [ ! -f "$out/coverage/linux" ] || sums_of 'tests, linux' "$out/coverage/linux"
  [ ${#all[@]} -eq 1 ] || sums_of 'all of these' "$out"/coverage/*.lcov
  show_probes "${all[@]}"
  list_unreached
  for what in "${all[@]}"; do
    pages_of "$what" "$html/$what" || exit $BROKEN
  done
  index_page "${all[@]}" >"$html/index.html" || die $BROKEN "cannot write to $html"
  say "pages: $html/index.html"
  is_among $TESTS_WORD "$(printf '%s\n' "${all[@]}")" || return 0
  local wrong
  wrong=$(unexplained; wrong_reasons; [ ${#words[@]} -gt 0 ] || missed_probes "${all[@]}")
  [ -z "$wrong" ] || { say "lines, reasons or probes of core are not as they should be, see above" && exit $FOUND; }
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
  export LLVM_PROFILE_FILE=$raw/%p.profraw
  if [ "$what" = $TESTS_WORD ]; then
    build coverage "${CORE_TESTS[@]}" || return
    LLVM_PROFILE_FILE=$raw/%p%c.profraw # kept in the file itself, whatever becomes of the process (modes.cmake)
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
  [ "$what" = $TESTS_WORD ] || return 0
  mapfile -t programs < <(programs_of "$what" | grep _linux_) # what these have is of that platform
  "$llvm/llvm-cov" export -format=lcov -instr-profile="$out/coverage/$what.profdata" \
    "${programs[0]}" "${programs[@]/#/-object=}" -sources "$root/core" >"$out/coverage/linux" 2>>"$log"
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
    END { printf "%-16s %20s %20s %9s\n", name, share("line"), share("branch"), probes }' \
    probes="$(probes_reached "${@:2}" | wc -l)/$(probes | wc -l)"
}

# FILE LINE of the reasons in core.
reasons() {
  (cd -- "$root/core" && grep -rnE --include='*.h' --include='*.cc' '// unreached: .' .) |
    sed -E 's,^\./([^:]*):([0-9]+):.*,\1 \2,' | sort -k1,1 -k2,2n
}

# FILE LINE NAME REASON of each probe; line 0 where it is not there once.
probes() {
  local name file text reason line
  while IFS='|' read -r name file text reason; do
    [[ $name == '' || $name == '#'* || -z $text ]] && continue
    line=$(grep -nF -- "$text" "$root/core/$file" | cut -d: -f1)
    [[ $line =~ ^[0-9]+$ ]] || line=0
    printf '%s %s %s %s\n' "$file" "$line" "$name" "$reason"
  done <"$root/sanitizers/probes.txt"
}

# FILE LINE 1 of what is reached in the files, FILE LINE 0 of other lines of code.
lines_reached() { # LCOV...
  counts_of "$@" | awk '
    $2 == "line" { key = $1 " " $3; seen[key] += ($4 > 0) }
    END { for (key in seen) print key, (seen[key] > 0) }'
}

probes_reached() { # LCOV...: NAME
  awk 'FILENAME == ARGV[1] { if ($3) reached[$1, $2]; next } ($1, $2) in reached { print $3 }' \
    <(lines_reached "$@") <(probes)
}

# A row for each probe: who reaches it.
show_probes() { # WHAT...
  local what
  printf '\n%-34s %s\n' probe 'reached by'
  {
    probes | cut -d' ' -f3
    for what in "$@"; do probes_reached "$out/coverage/$what.lcov" | sed "s/\$/ $what/"; done
  } | awk '{ if (!($1 in by)) order[++n] = $1; by[$1] = by[$1] (NF > 1 ? " " $2 : "") }
    END { for (i = 1; i <= n; i++) printf "%-34s%s\n", order[i], by[order[i]] == "" ? " nobody" : by[order[i]] }'
}

# Probes that no corpus reaches, without a reason.
missed_probes() { # WHAT...
  local what files=()
  for what in "$@"; do [ "$what" = $TESTS_WORD ] || files+=("$out/coverage/$what.lcov"); done
  probes | awk 'NF == 3 { print $3 }' | grep -vxFf <(probes_reached "${files[@]}")
}

# FILE LINE of what no run reached, but for runs of lines whose first one says why.
unexplained() {
  awk 'FILENAME == ARGV[1] { reason[$1, $2]; next }
    { good = ($1, $2) in reason || (good && $1 == file && $2 == last + 1); file = $1; last = $2 }
    !good { print $1, $2 }' <(reasons) \
    <(lines_reached "$out"/coverage/*.lcov | awk '$3 == 0 { print $1, $2 }' | sort -k1,1 -k2,2n)
}

# FILE LINE of reasons beside what is reached, or is no line of code.
wrong_reasons() {
  awk 'FILENAME == ARGV[1] { if (!$3) unreached[$1, $2]; next } !(($1, $2) in unreached) { print $1, $2 }' \
    <(lines_reached "$out"/coverage/*.lcov) <(reasons)
}

list_unreached() {
  local rows
  rows=$(wrong_reasons)
  [ -z "$rows" ] || printf '\nreached, though they say why they are not:\n%s\n' "$(sed 's/^\([^ ]*\) /  core\/\1: /' <<<"$rows")"
  rows=$(unexplained | awk '
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

# The same tables as a page, with the pages of each WHAT.
index_page() { # WHAT...
  local what
  printf '<!doctype html><meta charset="utf-8"><title>coverage of core</title><h1>Coverage of core</h1><ul>\n'
  for what in "$@"; do printf '<li><a href="%s/index.html">%s</a>\n' "$what" "$what"; done
  printf '</ul><pre>\n%-16s %20s %20s %9s\n' 'reached of core' lines branches probes
  for what in "$@"; do sums_of "$what" "$out/coverage/$what.lcov"; done
  show_probes "$@"
  list_unreached | sed 's/&/\&amp;/g; s/</\&lt;/g'
  printf '</pre>\n'
}
