# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2154  # sourced by the driver, whose names these are
# ./lastput fuzz --engine=afl: AFL++ with the mutator of the targets (afl_mutator.cc), and a failure told by the same target
# under libFuzzer.

# The executions so far, which the target adds up in shared memory.
afl_executions() { od -An -tu8 -- "$1" 2>/dev/null | tr -d ' '; }

# afl_stat FOLDER NAME: what afl-fuzz wrote about its run
afl_stat() { sed -n "s/^$2 *: *//p" -- "$1/default/fuzzer_stats" 2>/dev/null; }

run_afl() { # TARGET BUG SECONDS SEED
  local target=$1 bug=$2 seconds=$3 seed=$4 code
  local work=$out/afl/$1${2:+-$2} log=$out/logs/afl-$1${2:+-$2}.log tree=$root/build/afl
  rm -rf -- "$work" && mkdir -p -- "$work/seeds" || die $BROKEN "cannot write to $work"
  cp -- "$tree/corpus/$target"/* "$work/seeds" || die $BROKEN "cannot write to $work"
  find "$out/corpus/$target${bug:+-$bug}" -type f -exec cp -t "$work/seeds" -- {} + 2>/dev/null
  head -c 8 /dev/zero >"$work/executions"
  say "target $target, bug ${bug:-none}, seed $seed, engine AFL++, $seconds s"
  start_afl "$work" "$tree/bin${bug:+/bugs/$bug}/${target}_fuzzer" "$seconds" "$seed" >"$log" 2>&1 &
  local afl=$!
  trap 'kill $afl 2>/dev/null' INT TERM
  while sleep 1 && kill -0 $afl 2>/dev/null; do printf '%s executions\n' "$(afl_executions "$work/executions")"; done
  wait $afl
  code=$?
  trap - INT TERM
  [ -f "$work/default/fuzzer_stats" ] || die $BROKEN "afl-fuzz could not run (exit code $code); its words are in $log"
  local crash
  crash=$(compgen -G "$work/default/crashes/id:*" | head -n 1)
  [ -z "$crash" ] || tell_afl_failure "$target" "$bug" "$crash" "$work"
  printf 'inputs: %s\nstability: %s\nedges: %s of %s\ncorpus: %s\nexecutions: %s\n' "$(afl_stat "$work" execs_done)" \
    "$(afl_stat "$work" stability)" "$(afl_stat "$work" edges_found)" "$(afl_stat "$work" total_edges)" \
    "$work/default/queue" "$(afl_executions "$work/executions")"
  exit $OK
}

# In WORK, for a target that fails leaves its files where it is.
start_afl() { # WORK PROGRAM SECONDS SEED
  cd -- "$1" || return
  exec env AFL_CUSTOM_MUTATOR_LIBRARY="$tree/bin/lastput_mutator.so" LASTPUT_EXECUTIONS="$1/executions" \
    AFL_BENCH_UNTIL_CRASH=1 AFL_NO_UI=1 AFL_NO_AFFINITY=1 AFL_SKIP_CPUFREQ=1 AFL_I_DONT_CARE_ABOUT_MISSING_CRASHES=1 \
    afl-fuzz -i seeds -o . -V "$3" -s "$4" -t 5000+ -m none -- "$2" ${flag[memory]:+"--memory=${flag[memory]}"}
}

tell_afl_failure() { # TARGET BUG CRASH WORK
  local artifacts=$out/artifacts/$1 log=$out/logs/fuzz-$1${2:+-$2}.log code
  mkdir -p -- "$artifacts" || die $BROKEN "cannot write to $out"
  artifacts=$(realpath --relative-base=. -- "$artifacts")
  build explore "$(fuzzer_build_target "$1" "$2" "")" || exit $BROKEN
  use_sanitizer_options
  "$(program_dir "$2")/$1_fuzzer" -artifact_prefix="$artifacts/" ${flag[memory]:+"--memory=${flag[memory]}"} "$3" 2>&1 |
    tee -- "$log" | filter_words
  code=$(exit_code_of "${PIPESTATUS[0]}" "$log")
  [ "$code" -ne $FOUND ] || tell_end "$log" "${2:+ --bug=$2}"
  [ "$code" -eq $FOUND ] || say "SUMMARY: lastput: AFL++ found a failure that $1_fuzzer does not show: $3"
  exit $FOUND
}
