# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# The verb `fuzz` of the driver, whose words and tables it uses: which fuzz target, built in which preset and started, and how
# its end is told. Sourced by ./lastput.

# sanitizer | preset
readonly REAL_PRESETS='
thread|tsan
address|asan
undefined|ubsan
none|plain
'
readonly RSS_LIMIT_MB=4096 # the sanitizers' shadow counts

# exit_code_of CODE LOG: the engines' own codes in ours (see ./lastput).
exit_code_of() {
  case $1 in
    0) echo $OK ;;
    66 | 70 | 71 | 77) echo $FOUND ;;
    1) grep -qE '^SUMMARY: |ERROR: (Address|Leak|Undefined|Thread)' "$2" && echo $FOUND || echo $BROKEN ;;
    72 | 130) echo 130 ;;
    132 | 134 | 135 | 136 | 139) echo $FOUND ;;
    *) echo $BROKEN ;;
  esac
}

verb_fuzz() {
  parse fuzz "$@"
  most_words fuzz 1
  local bug=${flag[bug]-} count=${flag[count]-} target seconds=${flag[seconds]-60}
  local seed=${flag[seed]-$((RANDOM * 32768 + RANDOM + 1))}
  [ -z "$bug" ] || require_bug "$bug"
  [ -z "$count" ] || require_count "$count" "$bug"
  target=${words[0]-$(target_of_bug "$bug")}
  require_target "$target"
  [ -z "$count" ] || [ "$target" = percpu_ref ] || die $USAGE "--count=$count: only target percpu_ref runs other counts"
  [ "${flag[jobs]-1}" -ge 1 ] && [ "${flag[jobs]-1}" -le $MOST_JOBS ] || die $USAGE "--jobs=${flag[jobs]}: 1 to $MOST_JOBS"
  check_real_flags
  check_changed
  require_compiler
  use_out
  [ -z "${flag[changed]-}" ] || fuzz_changed
  if [ -n "${flag[real]-}" ]; then fuzz_on_threads; else fuzz_on_engine; fi
}

check_real_flags() {
  local name
  [ -z "${flag[count]-}" ] || [ -z "${flag[real]-}${flag[engine]-}" ] || die $USAGE "--count is for libFuzzer and the engine: without --real and --engine"
  for name in sanitizer platform; do
    [ -n "${flag[real]-}" ] || [ -z "${flag[$name]-}" ] || die $USAGE "--$name is for real threads: add --real"
  done
  [ -z "${flag[real]-}" ] || [ "${flag[engine]-libfuzzer}" = libfuzzer ] || die $USAGE "--real is for libFuzzer, not for --engine=${flag[engine]}"
  [ -z "${flag[real]-}" ] || [ -z "${flag[memory]-}" ] || die $USAGE "--memory is for the engine; real threads have the machine's"
  is_among "${flag[sanitizer]-thread}" $'thread\naddress\nundefined\nnone' ||
    die $USAGE "--sanitizer=${flag[sanitizer]}: thread, address, undefined or none"
  is_among "${flag[platform]-linux}" $'linux\nportable' || die $USAGE "--platform=${flag[platform]}: linux or portable"
}

# These have target, bug, count, seconds and seed from verb_fuzz.
fuzz_on_engine() {
  if [ "${flag[engine]-}" = afl ]; then
    setup_needs explore afl
    build afl "${target}_fuzzer${bug:+_$bug}" lastput_mutator || exit $BROKEN
    [ "${flag[jobs]-1}" -lt $AFL_ASAN_FROM ] || build afl-asan "${target}_fuzzer${bug:+_$bug}" || exit $BROKEN
    run_afl "$target" "$bug" "$seconds" "$seed"
  fi
  setup_needs explore
  build explore "$(fuzzer_build_target "$target" "$bug" "$count")" || exit $BROKEN
  run_fuzzer "$(program_dir "$bug" "$count")/${target}_fuzzer" explore "" ${flag[memory]:+"--memory=${flag[memory]}"}
}

fuzzer_build_target() { # TARGET BUG COUNT
  if [ -n "$2" ]; then echo "bug_$2"; elif [ -n "$3" ]; then echo "count_$3"; else echo "$1_fuzzer"; fi
}

fuzz_on_threads() {
  local preset platform=${flag[platform]-} reason
  preset=$(awk -F'|' -v which="${flag[sanitizer]-thread}" '$1 == which { print $2 }' <<<"$REAL_PRESETS")
  setup_needs "$preset"
  if [ -z "$platform" ] && is_bug_of_portable "$bug"; then
    say "the bug $bug is in the portable platform: that one"
    platform=portable
  fi
  build_real "$preset" "${platform:-linux}"
  if [ -z "$platform" ] && ! reason=$("$(real_program "$preset" linux)" --sections); then
    say "no restartable sequences here ($reason): the portable platform"
    platform=portable
    build_real "$preset" portable
  fi
  run_fuzzer "$(real_program "$preset" "${platform:-linux}")" "$preset" -real -detect_leaks=0 -rss_limit_mb=$RSS_LIMIT_MB
}
real_program() { echo "$root/build/$1/bin/real/$2${bug:+/bugs/$bug}/${target}_fuzzer"; } # PRESET PLATFORM
build_real() { build "$1" "${target}_fuzzer_real_$2${bug:+_$bug}" || exit $BROKEN; }

# Whether the patch changes nothing but what the linux platform does without, where liburcu is installed.
is_bug_of_portable() {
  [ -n "$1" ] && ! grep '^--- a/' "$root/bugs/$1.patch" | grep -qvE 'core/platform/(portable/|reader_counts)'
}

# run_fuzzer PROGRAM PRESET LOG-SUFFIX FLAGS...
run_fuzzer() {
  local program=$1 seeds=$root/build/$2/corpus/$target suffix=$3
  shift 3
  local name=$target${bug:+-$bug}${count:+-$count}
  local corpus=$out/corpus/$name artifacts=$out/artifacts/$target log=$out/logs/fuzz-$name$suffix.log code
  mkdir -p -- "$corpus" "$artifacts" || die $BROKEN "cannot write to $out"
  artifacts=$(realpath --relative-base=. -- "$artifacts") # as short as it can be, for the replay command
  local folders=("$corpus")
  [ -d "$seeds" ] && folders+=("$seeds")
  local command=("$program" -max_total_time="$seconds" -artifact_prefix="$artifacts/"
    -verbosity=0 -handle_int=0 -print_final_stats=0 -print_funcs=0 "$@" "${folders[@]}")
  use_sanitizer_options
  if [ "${flag[jobs]-1}" -gt 1 ]; then
    say "target $target, seeds $seed to $((seed + flag[jobs] - 1)), ${flag[jobs]} jobs, $seconds s"
    run_jobs "${flag[jobs]}" "$seed" "$log" "${command[@]}"
    code=$?
  else
    trap : INT # the fuzzer gets it too, and ends; what it says is still wanted
    (trap - INT; exec "${command[@]}" -seed="$seed") 2>&1 | tee -i -- "$log" | filter_words
    code=${PIPESTATUS[0]}
    trap - INT
  fi
  code=$(exit_code_of "$code" "$log")
  [ "$code" -ne $BROKEN ] || say "the fuzzer could not run; its words are in $log" >&2
  [ "$code" -ne $FOUND ] || tell_end "$log" "${bug:+ --bug=$bug}${count:+ --count=$count}"
  exit "$code"
}

# What a person wants to see of a fuzzer's words; the log has all of them. libFuzzer tells about itself,
# and once the target has told its failure, what it adds is about its own signal handler.
filter_words() {
  trap '' INT
  sed -u -e '/^INFO: /d' -e '/^###### /d' -e '/ # Uses: [0-9]*$/d' \
    -e '/^SUMMARY: lastput: /,$ { /^SUMMARY: lastput: /!d; }'
}

# A failure that the target could not tell (a timeout, a sanitizer's report) ends in the same two lines.
tell_end() { # LOG FLAGS
  local input
  grep -q '^SUMMARY: lastput: ' -- "$1" && return
  input=$(sed -n 's/.*Test unit written to //p' -- "$1" | tail -n 1)
  [ -z "$input" ] || printf 'replay: ./lastput replay %s%s\n' "$input" "$2"
  grep -m1 '^SUMMARY: ' -- "$1" || say "SUMMARY: lastput: the fuzzer died; its words are in $1"
}
