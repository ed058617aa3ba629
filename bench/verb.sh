# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2154  # sourced by the driver, whose names these are
# The verb `bench` of the driver.

readonly BENCHMARKS='core engine strategies mutations'
readonly ENGINE_ROUNDS=15 # five of each of three

verb_bench() {
  parse bench "$@"
  most_words bench 1
  local what=${words[0]-core} seconds=${flag[seconds]-120}
  is_among "$what" "$(tr ' ' '\n' <<<"$BENCHMARKS")" || die $USAGE "no benchmark '$what'; there is: $BENCHMARKS"
  [ "$what" != engine ] || [ -z "${flag[json]-}" ] || die $USAGE "the benchmark engine takes no --json"
  [ "$what" != strategies ] || [ -z "${flag[seconds]-}" ] || die $USAGE "the benchmark strategies takes no --seconds"
  [ "$what" != mutations ] || [ -z "${flag[seconds]-}${flag[json]-}" ] ||
    die $USAGE "the benchmark mutations takes neither --seconds nor --json"
  require_compiler
  use_out
  mkdir -p -- "$out/bench" || die $BROKEN "cannot write to $out"
  "bench_$what" "$seconds"
}

bench_core() { # SECONDS
  local json=${flag[json]-$out/bench/core.json}
  { : >>"$json"; } 2>/dev/null || die $BROKEN "cannot write to $json"
  setup_needs release
  build release core_bench || exit $BROKEN
  "$root/build/release/bin/core_bench" --seconds="$1" --json="$json" || exit $BROKEN
  say "all values of each round: $json"
}

# Of the engine's rounds, in SECONDS altogether; never so short that nothing happens.
seconds_a_round() {
  awk -v all="$1" -v rounds=$ENGINE_ROUNDS 'BEGIN { print all < rounds / 10 ? 0.1 : all / rounds }'
}

bench_engine() { # SECONDS
  setup_needs explore
  build explore engine_speed engine_speed_tsan || exit $BROKEN
  exec "$root/build/explore/bin/engine_speed" "$(seconds_a_round "$1")"
}

bench_strategies() {
  local json=${flag[json]-$out/bench/strategies.json}
  { : >>"$json"; } 2>/dev/null || die $BROKEN "cannot write to $json"
  setup_needs explore
  build explore strategy_bench known_bug_hunters || exit $BROKEN
  "$root/build/explore/bin/strategy_bench" --json="$json" || exit $BROKEN
  say "each hunt: $json"
}

# Bugs of several targets that are not found at once.
readonly MUTATION_BUGS=(dead_not_tested stale_confirm reinit_ignores_sticky publish_before_zero resurrect_forgets_get
  double_kill_drops_twice exit_during_visit managed_twice bound_of_living exit_stays_managed manager_touches_released
  pool_area_of_two_owners pool_empty_does_not_wait pool_area_not_cleared)
bench_mutations() {
  local bug fuzzers=()
  for bug in "${MUTATION_BUGS[@]}"; do fuzzers+=("$(target_of_bug "$bug")_fuzzer_$bug"); done
  setup_needs explore
  build explore "${fuzzers[@]}" || exit $BROKEN
  exec "$root/bench/mutations.sh" --rows="$out/bench/mutations.txt" "${MUTATION_BUGS[@]}"
}
