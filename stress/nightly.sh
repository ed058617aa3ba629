# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2154  # sourced by the driver, whose names these are
# The verb `nightly` of the driver: rounds of `stress` and `fuzz`, one after the other, whatever becomes of each. What they are, and what
# came of them, is for the program nightly_report (stress/nightly/); its journal.h says what is in the folder of a night.
#
# A round is a command that a person could give. It runs in a subshell of this one, though, without building: so a night tests what
# there was at its beginning, all of it.

readonly NIGHT_PRESETS=(plain tsan asan ubsan release tsan-gcc explore)
readonly NIGHT_PROBES_FROM=3600 # seconds: a shorter night does not measure probes unless told to
readonly NIGHT_RESERVE=4M       # set aside, so that a full disk has room for the report
readonly ROUND_GRACE=180        # seconds over twice its time, after which a round is killed

verb_nightly() {
  parse nightly "$@"
  most_words nightly 0
  local bug=${flag[bug]-} seed=${flag[seed]-$((RANDOM * 32768 + RANDOM + 1))} night stopping='' unbuilt='' seconds probes reporter
  reporter=$root/build/plain/bin/nightly_report
  check_night
  require_compiler
  use_out
  setup_needs "${NIGHT_PRESETS[@]}"
  build plain nightly_report || exit $BROKEN
  if [ -n "${flag[report]-}" ]; then
    rm -f -- "${flag[report]}/.reserve"
    exec "$reporter" --report --dir="${flag[report]}"
  fi
  if [ -n "${flag[plan]-}" ]; then plan_night && exit $OK; fi
  lock_nights
  tell_cut_off_nights
  begin_night
  build_night
  run_night
  measure_probes
  rm -f -- "$night/.reserve"
  "$reporter" --report --dir="$night"
  exit $?
}

check_night() {
  local name
  if [ -n "${flag[report]-}" ]; then
    [ -f "${flag[report]}/night.json" ] || die $USAGE "--report=${flag[report]}: no night is there; $out/nightly has those that there are"
    return
  fi
  seconds=$(awk -v hours="${flag[hours]-8}" 'BEGIN { printf "%d", hours * 3600 + 0.5 }')
  [ "$seconds" -ge 1 ] && [ "$seconds" -le 1000000 ] || die $USAGE "--hours=${flag[hours]}: from 0.001 to 277"
  [ -z "$bug" ] || is_among "$bug" "$(bug_names; real_bug_names)" ||
    die $USAGE "no bug '$bug'; there is: $({ bug_names; real_bug_names; } | one_line)"
  is_among "${flag[probes]-on}" $'on\noff' || die $USAGE "--probes=${flag[probes]}: on or off"
  for name in ${flag[compiler]:+"${flag[compiler]}"}; do
    is_usable_clang "$name" || die $USAGE "--compiler=$name: a night needs clang 14 or newer with its runtimes; what g++ builds is soaked anyway"
  done
  probes=${flag[probes]-$([ -z "$bug" ] && [ "$seconds" -ge $NIGHT_PROBES_FROM ] && echo on)}
}

# plan_night MORE-FLAGS...: a line a round. Bugs of the linux platform are in no fuzz target.
plan_night() {
  local targets=() platforms=linux,portable
  mapfile -t targets < <(target_names)
  if is_among "${bug:-none}" "$(real_bug_names)"; then targets=() platforms=linux; fi
  "$reporter" --plan --seed="$seed" --seconds="$seconds" --only="${flag[only]-}" --bug="$bug" --platforms=$platforms \
    --scenarios="$(stress_scenarios | paste -sd,)" --targets="$(IFS=,; echo "${targets[*]}")" --clang="${flag[compiler]-}" "$@"
}

# One night at a time: they would share processors, logs and corpora.
lock_nights() {
  mkdir -p -- "$out/nightly" && exec 8>"$out/nightly/.lock" || die $BROKEN "cannot write to $out/nightly"
  flock -n 8 || die $BROKEN "another night runs in $out; --out=DIR names another place"
}

tell_cut_off_nights() {
  local folder
  for folder in "$out"/nightly/*/; do
    [ -f "${folder}night.json" ] && [ ! -f "${folder}report.html" ] || continue
    folder=$(realpath --relative-base=. -- "$folder")
    say "the night $folder was cut off; what it found: ./lastput nightly --report=$folder"
  done
}

begin_night() {
  local name n=1 facts
  name=$(date -u +%F)-$seed
  night=$out/nightly/$name
  while [ -e "$night" ]; do n=$((n + 1)) night=$out/nightly/$name-$n; done
  facts=$(night_facts)
  mkdir -p -- "$night" && plan_night --dir="$night" --began="$(date +%s)" --facts="$facts" >"$night/plan.txt" || die $BROKEN "cannot write to $night"
  if [ ! -s "$night/plan.txt" ]; then
    rm -rf -- "$night"
    die $USAGE "--only=${flag[only]-}: no cell has that in its name; ./lastput nightly --plan shows them"
  fi
  head -c $NIGHT_RESERVE /dev/zero >"$night/.reserve" || die $BROKEN "cannot write to $night: $NIGHT_RESERVE are needed"
  night=$(realpath --relative-base=. -- "$night")
  say "night of $(wc -l <"$night/plan.txt") rounds, $seconds s, seed $seed${bug:+, bug $bug}: $night"
}

night_facts() {
  local commit
  commit=$(git -C "$root" rev-parse --short=12 HEAD 2>/dev/null) || commit='not known'
  [ -z "$(git -C "$root" status --porcelain 2>/dev/null)" ] || commit+=', and what was changed since'
  printf 'commit=%s\nclang=%s\ng++=%s\n' "$commit" "$("$(compiler_for explore)" --version | head -n 1)" "$(g++ --version | head -n 1)"
}

# --- Building --------------------------------------------------------------------------------------------------

# What of a command decides what it builds.
build_of_command() { sed -E 's/ --(seconds|seed|threads)=[0-9]+//g; s/^stress [a-z_]+/stress/' <<<"$1"; }

# without_running VERB ARGUMENT...: its build alone; ends the subshell.
without_running() {
  exec 8>&-
  run_stress() { exit $OK; }
  run_fuzzer() { exit $OK; }
  flag=() words=()
  "verb_$1" "${@:2}"
}

# Each build once, before the clock runs. What does not build is left out, and told as such.
build_night() {
  local command key built='' arguments
  while read -r _ _ _ _ command; do
    key=$(build_of_command "$command")
    is_among "$key" "$built" && continue
    built+=$key$'\n'
    read -ra arguments <<<"$command"
    (without_running "${arguments[@]}") </dev/null || unbuilt+=$key$'\n'
  done <"$night/plan.txt"
  [ "$unbuilt" != "$built" ] || die $BROKEN "nothing of the night builds"
  if [ "$probes" = on ]; then
    for key in $(target_names); do build explore-coverage "${key}_fuzzer" || { probes=off && break; }; done
  fi
}

# --- Running ---------------------------------------------------------------------------------------------------

stop_night() { stopping=$1; } # WHY: the round ends, and with it the night

# What a round runs gets the signal that ends it with a summary; the shells around it tell the rest as always. Not by ^C's signal,
# which a shell cannot trap that was started in the background.
ask_to_end() { # GROUP
  local process group
  for process in /proc/[0-9]*; do
    [[ $(readlink -- "$process/exe" 2>/dev/null) == "$root"/build/* ]] || continue
    { read -r _ _ _ _ group _ <"$process/stat"; } 2>/dev/null && [ "$group" = "$1" ] && kill -TERM "${process#/proc/}" 2>/dev/null
  done
}

has_room() {
  head -c 262144 /dev/zero 2>/dev/null >"$night/.probe"
  local failed=$?
  rm -f -- "$night/.probe"
  return $failed
}

run_night() {
  local number time cell command
  trap 'stop_night "stopped by a signal"' INT TERM HUP
  while read -r number time cell _ command <&7; do
    [ -z "$stopping" ] || break
    has_room || { stopping='the disk is full' && break; }
    run_round
  done 7<"$night/plan.txt"
  trap '' INT TERM HUP # what is left takes a moment
  [ -z "$stopping" ] || { say "the night ends: $stopping" && rm -f -- "$night/.reserve" && echo "$stopping" >"$night/ended.txt"; }
}

# With number, time, cell and command from run_night.
run_round() {
  local log=$night/$number.log began code round watchdog arguments corpus='' before=-1 after=-1 start=$EPOCHREALTIME
  began=$(date +%s)
  read -ra arguments <<<"$command"
  case $command in
    stress*) arguments+=(--json="$night/$number.json") ;;
    fuzz*) corpus=$out/corpus/${arguments[1]}${bug:+-$bug} before=$(inputs_in "$corpus") ;;
  esac
  if is_among "$(build_of_command "$command")" "$unbuilt"; then
    echo "lastput: it does not build, see $out/logs" >"$log"
    code=$BROKEN
  else
    set -m # a process group of its own
    without_building "${arguments[@]}" </dev/null >"$log" 2>&1 7<&- &
    round=$!
    watch_round "$round" $((2 * time + ROUND_GRACE)) &
    watchdog=$!
    set +m
    wait_for "$round"
    code=$?
    { kill -KILL -- "-$watchdog"; wait "$watchdog"; } 2>/dev/null
  fi
  [ -z "$corpus" ] || after=$(inputs_in "$corpus")
  [ "$code" -ne $FOUND ] || name_frames "$log"
  note_round "$(awk -v from="$start" -v to="$EPOCHREALTIME" 'BEGIN { print to - from }')"
}

# without_building VERB ARGUMENT...: with what was built before; ends the subshell.
without_building() {
  exec 8>&-
  set +m
  trap - INT TERM HUP
  build() { return $OK; }
  setup_needs() { return $OK; }
  flag=() words=()
  "verb_$1" "${@:2}"
}

# The exit code of a round: until a signal ends the wait, and then the round.
wait_for() {
  local code again
  wait "$1" 2>/dev/null
  code=$?
  while kill -0 "$1" 2>/dev/null; do
    ask_to_end "$1"
    sleep 0.5
  done
  [ -z "$stopping" ] && return $code
  wait "$1" 2>/dev/null
  again=$?
  [ $again -eq 127 ] || code=$again # else it was waited for before
  return $code
}

# watch_round GROUP SECONDS: unless the night is gone by then.
watch_round() {
  exec 7<&- 8>&- >/dev/null 2>&1
  sleep "$2"
  ! kill -0 $$ 2>/dev/null || kill -KILL -- "-$1"
}

inputs_in() { find "$1" -type f 2>/dev/null | wc -l; }

# Where a full disk does not let it, the reserve does; the night ends then. Once more, though: somebody may be building the program.
note_round() { # SECONDS
  local words
  words=$(append_note "$1" 2>&1) || { sleep 2 && words=$(append_note "$1" 2>&1); } || {
    say "round $number, $cell: exit code $code; $words"
    rm -f -- "$night/.reserve"
    stopping="cannot write to $night"
    words=$(append_note "$1" 2>&1) || { tail -n 40 -- "$log"; return; }
  }
  printf '[%d/%d] %s: %s\n' "$number" "$(wc -l <"$night/plan.txt")" "$cell" "$words"
}
append_note() {
  "$reporter" --dir="$night" --note="$number" --code="$code" --began="$began" --took="$1" --inputs_before="$before" --inputs_after="$after"
}

# Without a sanitizer, functions that no other file sees have no name in a stack, and those that are inlined are not in it: both are in
# what the compiler wrote for debuggers. The frames follow behind the log, as a sanitizer would write them. By LLVM's addr2line where it is:
# that of binutils leaves out what clang has inlined.
name_frames() { # LOG
  local rows program base='' path symbol address tool
  tool=$(dirname -- "$(readlink -f -- "$(compiler_for explore)")")/llvm-addr2line
  [ -x "$tool" ] || tool=$(command -v addr2line) || return 0
  rows=$(sed -nE 's/^(\/[^ ]*)\(([^ ()]*)\)\[(0x[0-9a-f]+)\]$/\1 \2 \3/p' -- "$1")
  program=${rows%% *}
  [ -x "$program" ] || return 0
  while read -r path symbol address; do
    [ -n "$base" ] || [ "$path" != "$program" ] || case $symbol in +0x*) base=$((address - symbol)) ;; esac
  done <<<"$rows"
  [ -n "$base" ] || return 0
  {
    echo 'the stack, by addr2line:'
    while read -r path symbol address; do
      [ "$path" != "$program" ] || printf '0x%x\n' $((address - base - 1)) # of the call, not behind it
    done <<<"$rows" | "$tool" -Cfi -e "$program" 2>/dev/null | paste - - | awk -F'\t' '{ print "    #" NR - 1 " " $1 " " $2 }'
  } >>"$1"
}

measure_probes() {
  local targets group
  [ "$probes" = on ] && [ -z "$stopping" ] || return 0
  mapfile -t targets < <(target_names)
  say "measuring which probes the corpora reach"
  set -m
  without_building coverage "${targets[@]}" </dev/null >"$night/coverage.txt" 2>&1 &
  group=$!
  set +m
  trap 'kill -KILL -- "-$group" 2>/dev/null' INT TERM HUP
  wait "$group" 2>/dev/null || say "not measured; why: $night/coverage.txt"
  trap '' INT TERM HUP
}
