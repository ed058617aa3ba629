# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# The verb `stress` of the driver, whose words and tables it uses, and its `bugs --real`. Sourced by ./lastput.

stress_program() { echo "$root/build/$1/bin/real/$2${3:+/bugs/$3}/stress"; } # PRESET PLATFORM BUG
stress_scenarios() { sed -nE 's/^ +\{"([a-z_]+)",.*$/\1/p' "$root/stress/scenarios.cc"; }
real_bug_names() {
  local file
  for file in "$root"/bugs/real/*.patch; do
    [ -e "$file" ] && basename -- "$file" .patch
  done
}
real_bug_field() { sed -n "s/^$2: *//p" "$root/bugs/real/$1.patch" | head -n 1; } # BUG FIELD

# The preset for a sanitizer; g++ has two of its own.
stress_preset() { # SANITIZER
  if [ -n "${flag[compiler]-}" ] && [ "$(clang_version "${flag[compiler]}")" -eq 0 ]; then
    case $1 in
      none) echo release ;;
      thread) echo tsan-gcc ;;
      *) die $USAGE "--compiler=${flag[compiler]} builds soaks with --sanitizer=thread and none; the others are clang's" ;;
    esac
    return
  fi
  awk -F'|' -v which="$1" '$1 == which { print $2 }' <<<"$REAL_PRESETS"
}

verb_stress() {
  parse stress "$@"
  most_words stress 1
  local scenario=${words[0]-} bug=${flag[bug]-} sanitizer=${flag[sanitizer]-none} platform=${flag[platform]-} preset reason
  local seed=${flag[seed]-$((RANDOM * 32768 + RANDOM + 1))}
  [ -z "$scenario" ] || is_among "$scenario" "$(stress_scenarios)" ||
    die $USAGE "no scenario '$scenario'; there is: $(stress_scenarios | one_line)"
  [ -z "$bug" ] || is_among "$bug" "$(bug_names; real_bug_names)" ||
    die $USAGE "no bug '$bug'; there is: $({ bug_names; real_bug_names; } | one_line)"
  is_among "$sanitizer" $'thread\naddress\nundefined\nnone' || die $USAGE "--sanitizer=$sanitizer: thread, address, undefined or none"
  is_among "${platform:-linux}" $'linux\nportable' || die $USAGE "--platform=$platform: linux or portable"
  [ "${flag[seconds]-1}" -ge 1 ] || die $USAGE "--seconds=0: a soak needs a time"
  [ "${flag[threads]-1}" -ge 1 ] && [ "${flag[threads]-1}" -le 32 ] || die $USAGE "--threads=${flag[threads]}: 1 to 32"
  ! is_among "${bug:-none}" "$(real_bug_names)" || [ "${platform:-linux}" = linux ] ||
    die $USAGE "--platform=$platform: the bug $bug is in the linux platform"
  require_compiler
  use_out
  [ -z "${flag[json]-}" ] || [ -z "${flag[rr]+rr}" ] || die $USAGE "--json is not for --rr"
  [ -z "${flag[json]-}" ] || { : >>"${flag[json]}"; } 2>/dev/null || die $BROKEN "cannot write to ${flag[json]}"
  preset=$(stress_preset "$sanitizer") || exit $?
  setup_needs "$preset"
  build "$preset" "stress_${platform:-linux}${bug:+_$bug}" || exit $BROKEN
  if [ -z "$platform" ] && ! reason=$("$(stress_program "$preset" linux "$bug")" --sections); then
    is_among "${bug:-none}" "$(real_bug_names)" && die $MISSING "no restartable sequences here ($reason): the bug $bug is in those"
    say "no restartable sequences here ($reason): the portable platform"
    platform=portable
    build "$preset" "stress_portable${bug:+_$bug}" || exit $BROKEN
  fi
  run_stress "$preset" "${platform:-linux}"
}

# run_stress PRESET PLATFORM: with the rest from verb_stress.
run_stress() {
  local log=$out/logs/stress${scenario:+-$scenario}.log artifacts=$out/artifacts/stress code folder
  mkdir -p -- "$artifacts" || die $BROKEN "cannot write to $out"
  artifacts=$(realpath --relative-base=. -- "$artifacts")
  use_sanitizer_options
  go_on_after_a_race
  # The program gets what interrupts the driver, ends, and says what it has done.
  local child words
  exec {words}> >(tee -i -- "$log")
  local teller=$!
  (trap - INT TERM; exec "$(stress_program "$1" "$2" "$bug")" ${scenario:+"$scenario"} --seed="$seed" --seconds="${flag[seconds]-60}" \
    ${flag[rr]+--rr} \
    ${flag[threads]:+--threads="${flag[threads]}"} ${flag[patience]:+--patience="${flag[patience]}"} \
    ${flag[json]:+--json="${flag[json]}"} \
    --artifacts="$artifacts" --rings="$out/logs/stress.rings" \
    --again="./lastput stress --sanitizer=$sanitizer --platform=$2${flag[compiler]:+ --compiler=${flag[compiler]}}") \
    >&"$words" 2>&1 {words}>&- &
  child=$!
  exec {words}>&-
  trap 'kill -TERM $child 2>/dev/null' INT TERM
  wait $child
  code=$?
  while kill -0 $child 2>/dev/null; do # a signal ended the wait, not the program
    wait $child
    code=$?
  done
  trap - INT TERM
  wait $teller
  folder=$(sed -n 's/^written: //p' "$log" | tail -n 1)
  [ -z "$folder" ] || cp -- "$log" "$folder/log.txt" 2>/dev/null
  # The engine's core has no such bug.
  ! is_among "${bug:-none}" "$(real_bug_names)" || sed -i '/^bug /d' "$folder/program.lastput" 2>/dev/null
  exit "$(exit_code_of_stress "$code")"
}
exit_code_of_stress() {
  case $1 in
    0 | 1 | 2 | 3 | 77) echo "$1" ;;
    132 | 134 | 135 | 136 | 139) echo $FOUND ;;
    *) echo $BROKEN ;;
  esac
}

# --- ./lastput bugs --real -----------------------------------------------------------------------------------

# Each bug that only soaks find: hunted by its scenario, in so many rounds of at most so many seconds.
hunt_real_bugs() { # SECONDS ROUNDS NAME...
  local seconds=$1 rounds=$2 bug preset missed=0 reason
  shift 2
  for bug in "$@"; do
    preset=$(stress_preset "$(real_bug_field "$bug" Sanitizer)")
    build "$preset" "stress_linux_$bug" >"$out/logs/bugs-real.log" 2>&1 ||
      die $BROKEN "the bug $bug does not build; the log is $out/logs/bugs-real.log"
    reason=$("$(stress_program "$preset" linux "$bug")" --sections) || die $MISSING "no restartable sequences here: $reason"
  done
  use_sanitizer_options
  go_on_after_a_race
  printf '%-30s %-15s %-9s %-12s %-6s %s\n' bug scenario sanitizer found broke 'seconds, of each round'
  for bug in "$@"; do hunt_real_bug "$bug" "$seconds" "$rounds" || missed=$((missed + 1)); done
  [ $missed -eq 0 ] || die $FOUND "$missed of $# bugs were not found in most rounds"
}

# hunt_real_bug BUG SECONDS ROUNDS: whether it was found in most of them, by a guarantee that it names.
hunt_real_bug() {
  local bug=$1 seconds=$2 rounds=$3 scenario sanitizer breaks round found=0 times='' broke='' began log name
  scenario=$(real_bug_field "$bug" Scenario) sanitizer=$(real_bug_field "$bug" Sanitizer) breaks=$(real_bug_field "$bug" Breaks)
  local threads
  threads=$(real_bug_field "$bug" Threads)
  log=$out/logs/bugs-real-$bug.log
  for ((round = 1; round <= rounds; round++)); do
    began=$(date +%s%N)
    { "$(stress_program "$(stress_preset "$sanitizer")" linux "$bug")" "$scenario" --seed="$((${flag[seed]-1} + round - 1))" \
      --seconds="$seconds" --patience=10 --threads="${threads:-2}" --artifacts="$out/artifacts/stress" >"$log" 2>&1 </dev/null; } 2>/dev/null
    local code=$?
    name=$(sed -nE 's/^SUMMARY: lastput: ([A-Z][0-9]+) .*/\1/p' "$log" | tail -n 1)
    [ $code -lt 128 ] || code=$FOUND name=G8 # it crashed while it told of a crash
    if [ $code -eq $FOUND ] && [[ " $breaks " == *" ${name:-none} "* ]]; then
      found=$((found + 1))
      times+=" $(awk -v ns="$(($(date +%s%N) - began))" 'BEGIN { printf "%.1f", ns / 1e9 }')"
      [[ " $broke " == *" $name "* ]] || broke+="${broke:+ }$name"
    else
      times+=" ${name:-no}"
    fi
  done
  printf '%-30s %-15s %-9s %-12s %-6s%s\n' "$bug" "$scenario" "$sanitizer" "$found of $rounds" "$broke" "$times"
  [ $((2 * found)) -gt "$rounds" ]
}

readonly REAL_ROUNDS=3
# bugs --real [NAME...]: instead of all that `bugs` does otherwise.
verb_bugs_real() {
  local name names=("${words[@]}")
  for name in "${names[@]}"; do
    is_among "$name" "$(real_bug_names)" || die $USAGE "no bug '$name' among those of real threads; there is: $(real_bug_names | one_line)"
  done
  for name in seeds from peers keep regressions emitted; do
    [ -z "${flag[$name]-}" ] || die $USAGE "--$name is not for --real"
  done
  require_compiler
  if [ -n "${flag[list]-}" ]; then
    for name in $(real_bug_names); do printf '%-30s %s\n' "$name" "$(real_bug_field "$name" What)"; done
    exit $OK
  fi
  [ ${#names[@]} -gt 0 ] || mapfile -t names < <(real_bug_names)
  use_out
  setup_needs plain tsan
  hunt_real_bugs "${flag[seconds]-60}" $REAL_ROUNDS "${names[@]}"
}
