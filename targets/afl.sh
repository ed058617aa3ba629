# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2154  # sourced by the driver, whose names these are
# ./lastput fuzz --engine=afl: AFL++ with the mutator of the targets (afl_mutator.cc), one process or a campaign (--jobs=N), and a
# failure told by the same target under libFuzzer.
#
# A campaign is what AFL++'s own docs/fuzzing_in_depth.md advises: one main instance, which takes over what all others found
# at the end (AFL_FINAL_SYNC; 4.04c does not know that yet), and secondary ones, each with another power schedule; from three
# jobs on the second is built with AddressSanitizer. They share the folder out/afl/TARGET, and look into each other's queues once
# a minute.

readonly AFL_SCHEDULES=(explore coe rare exploit lin quad mmopt)
readonly AFL_ASAN_FROM=3  # jobs
readonly AFL_LAST_SYNC_SECONDS=2 # that the main instance goes on, to take over what the others leave

# afl_stat NAME FOLDER: what afl-fuzz wrote about the run of one instance
afl_stat() { sed -n "s/^$1 *: *//p" -- "$2/fuzzer_stats" 2>/dev/null; }

# Instances, one a line: NAME | preset | flags of afl-fuzz
afl_instances() { # JOBS SECONDS
  local i
  [ "$1" -gt 1 ] || { echo "default|afl|-V $2" && return; }
  echo "main|afl|-M main -V $(($2 + AFL_LAST_SYNC_SECONDS))"
  for ((i = 1; i < $1; i++)); do
    if [ $i -eq 1 ] && [ "$1" -ge $AFL_ASAN_FROM ]; then
      echo "asan|afl-asan|-S asan -V $2"
    else
      echo "s$i|afl|-S s$i -p ${AFL_SCHEDULES[(i - 1) % ${#AFL_SCHEDULES[@]}]} -V $2"
    fi
  done
}

run_afl() { # TARGET BUG SECONDS SEED
  local target=$1 bug=$2 seconds=$3 seed=$4 jobs=${flag[jobs]-1} name preset flags pids=() stopped='' crash=''
  local work=$out/afl/$1${2:+-$2} log=$out/logs/afl-$1${2:+-$2}.log start
  rm -rf -- "$work" && mkdir -p -- "$work/seeds" || die $BROKEN "cannot write to $work"
  cp -- "$root/build/afl/corpus/$target"/* "$work/seeds" || die $BROKEN "cannot write to $work"
  find "$out/corpus/$target${bug:+-$bug}" -type f -exec cp -t "$work/seeds" -- {} + 2>/dev/null
  head -c 8 /dev/zero >"$work/executions"
  say "target $target, bug ${bug:-none}, seed $seed, engine AFL++, $seconds s${flag[jobs]:+, $jobs jobs}"
  rm -f -- "$log".*
  start=$SECONDS
  while IFS='|' read -r name preset flags; do
    # shellcheck disable=SC2086  # a list of words
    start_afl "$work" "$preset" $flags -s $((seed + ${#pids[@]})) >"$log.$name" 2>&1 &
    pids+=($!)
  done < <(afl_instances "$jobs" "$seconds")
  trap 'stopped=yes' INT TERM HUP
  while [ -z "$stopped$crash" ] && kill -0 "${pids[@]}" 2>/dev/null; do
    sleep 1
    printf '%s executions\n' "$(shared_executions "$work/executions")"
    crash=$(compgen -G "$work/*/crashes/id:*" | head -n 1)
  done
  trap '' INT TERM HUP
  [ -z "$stopped$crash" ] || kill "${pids[@]}" 2>/dev/null
  wait "${pids[@]}"
  trap - INT TERM HUP
  # One that could not start has the others go on: not a campaign as it was asked for.
  while IFS='|' read -r name _; do
    [ -f "$work/$name/fuzzer_stats" ] || die $BROKEN "afl-fuzz could not run; its words are in $log.$name"
  done < <(afl_instances "$jobs" "$seconds")
  keep_afl_queues "$target" "$bug" "$work"
  crash=$(compgen -G "$work/*/crashes/id:*" | head -n 1)
  [ -z "$crash" ] || tell_afl_failure "$target" "$bug" "$crash" "$work"
  afl_summary "$work" $((SECONDS - start)) "$jobs"
  exit $OK
}

# In WORK, for a target that fails leaves its files where it is; of a session of its own: Ctrl-C is for the driver.
start_afl() { # WORK PRESET FLAGS OF AFL-FUZZ...
  local program=$root/build/$2/bin${bug:+/bugs/$bug}/${target}_fuzzer
  cd -- "$1" || return
  exec env AFL_CUSTOM_MUTATOR_LIBRARY="$root/build/afl/bin/lastput_mutator.so" LASTPUT_EXECUTIONS="$1/executions" \
    AFL_BENCH_UNTIL_CRASH=1 AFL_NO_UI=1 AFL_NO_AFFINITY=1 AFL_SKIP_CPUFREQ=1 AFL_I_DONT_CARE_ABOUT_MISSING_CRASHES=1 \
    AFL_FINAL_SYNC=1 AFL_SYNC_TIME=1 \
    setsid afl-fuzz -i seeds -o . -t 5000+ -m none "${@:3}" -- "$program" ${flag[memory]:+"--memory=${flag[memory]}"}
}

# What adds coverage goes back to where every run begins from.
keep_afl_queues() { # TARGET BUG WORK
  build explore "$(fuzzer_build_target "$1" "$2" "")" || exit $BROKEN
  local corpus=$out/corpus/$1${2:+-$2}
  mkdir -p -- "$corpus" || die $BROKEN "cannot write to $corpus"
  use_sanitizer_options
  merge_into "$(program_dir "$2")/$1_fuzzer" "$out/logs/merge-$1${2:+-$2}.log" "$corpus" "$3"/*/queue ||
    die $BROKEN "the queues of AFL++ in $3 could not be merged into $corpus: $out/logs/merge-$1${2:+-$2}.log"
}

# The same lines as those of a run under libFuzzer, and AFL++'s stability: the least.
afl_summary() { # WORK SECONDS JOBS
  local all executions
  all=$(shared_executions "$1/executions")
  executions=$((all / ($2 > 0 ? $2 : 1)))
  awk -v seconds="$2" -v jobs="$3" -v rate="$executions" -v all="$all" -F' *: *' '
    $1 == "execs_done" { inputs += $2 }
    $1 == "stability" && (least == "" || $2 + 0 < least + 0) { least = $2 }
    $1 == "var_byte_count" { various += $2 }
    $1 == "edges_found" { edges = $2 }
    $1 == "total_edges" && FILENAME !~ /\/asan\// && edges > most { most = edges; of = $2 }
    END {
      printf "seconds: %d\njobs: %d\ninputs: %d\nexecutions per second: %d\nedges: %d of %d\n", seconds, jobs, inputs, rate, most, of
      printf "stability: %s\nbytes that vary: %d\n", least, various
    }' "$1"/*/fuzzer_stats
  printf 'corpus: %s\nexecutions: %s\n' "$out/corpus/$target${bug:+-$bug}" "$all"
}

tell_afl_failure() { # TARGET BUG CRASH WORK
  local artifacts=$out/artifacts/$1 log=$out/logs/fuzz-$1${2:+-$2}.log code
  mkdir -p -- "$artifacts" || die $BROKEN "cannot write to $out"
  artifacts=$(realpath --relative-base=. -- "$artifacts")
  "$(program_dir "$2")/$1_fuzzer" -artifact_prefix="$artifacts/" ${flag[memory]:+"--memory=${flag[memory]}"} "$3" 2>&1 |
    tee -- "$log" | filter_words
  code=$(exit_code_of "${PIPESTATUS[0]}" "$log")
  [ "$code" -ne $FOUND ] || tell_end "$log" "${2:+ --bug=$2}"
  [ "$code" -eq $FOUND ] || say "SUMMARY: lastput: AFL++ found a failure that $1_fuzzer does not show: $3"
  exit $FOUND
}
