# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2154  # sourced by the driver, whose names these are
# The verb `replay` of what soaks leave: folders of failures, and recordings of rr.

# As rr leaves them.
is_recording() { [ -f "$1/version" ] && compgen -G "$1/events*" >/dev/null; }
is_soak_failure() { [ -f "$1/report.txt" ] && [ -f "$1/options.json" ]; }

# How it was recorded, so it is replayed: one line, written beside it by lastput; words, of which nothing is executed.
words_of_recording() { # TRACE
  local how='rr replay'
  [ ! -f "$1/how-to-replay" ] || how=$(head -c 200 -- "$1/how-to-replay" | head -n 1 | tr -d '\0')
  [[ $how =~ ^rr\ replay(\ -[A-Za-z-]+)*$ ]] || die $USAGE "$1/how-to-replay says '$how'; wanted: rr replay, and flags"
  echo "$how"
}

# To the check that failed, and where every thread is there; with --debug a person goes on.
replay_recording() { # TRACE
  local trace=$1 how words log tool
  no_flags_but "a recording of rr; --FLAG is not for those" "$trace" times debug
  how=$(words_of_recording "$trace") || exit $?
  read -ra words <<<"$how"
  for tool in rr gdb; do
    command -v $tool >/dev/null || die $MISSING "$trace is a recording of rr, and there is no $tool here; install it (Debian: apt-get install $tool)"
  done
  [ -z "${flag[debug]-}" ] || exec "${words[@]}" "$trace" -- -x "$root/replay/failure.py"
  use_out
  if [ -n "${flag[times]-}" ]; then replay_recording_again "$trace" "${words[@]}"; fi
  log=$out/logs/replay-rr.log
  "${words[@]}" "$trace" -- -batch -x "$root/replay/failure.py" 2>&1 </dev/null | grep --line-buffered -vE '^(\[|BFD: |0x[0-9a-f]+ in |.*received signal SIGTRAP)' | cat -s | tee -i -- "$log"
  grep -q '^at the failure, in thread ' "$log" ||
    die $BROKEN "$trace does not come to a failing check: it was recorded elsewhere, or rr cannot replay it here; ${words[*]} $trace tells more"
  say "to go on from there, backwards too: ./lastput replay --debug $trace"
  exit $FOUND
}

# So many times, and whether the program says the same each time.
replay_recording_again() { # TRACE WORDS...
  local trace=$1 n same=0 first='' said
  shift
  for ((n = 1; n <= flag[times]; n++)); do
    said=$("$@" -a "$trace" 2>&1 </dev/null | grep -v '^rr: ')
    [ $n -gt 1 ] || first=$said
    [ "$said" != "$first" ] || same=$((same + 1))
  done
  printf '%s\n%d of %d the same\n' "$(grep -E '^(FAILED|SUMMARY): ' <<<"$first")" $same "${flag[times]}"
  [ "$same" -eq "${flag[times]}" ] || die $BROKEN "$trace does not replay alike each time"
  grep -qE '^(FAILED|SUMMARY): ' <<<"$first" && exit $FOUND
  exit $OK
}

replay_soak_failure() { # FOLDER
  local folder=$1
  cat -- "$folder/report.txt"
  echo
  if is_recording "$folder/rr"; then replay_recording "$folder/rr"; fi
  [ -f "$folder/program.lastput" ] ||
    die $MISSING "$folder holds no recording of rr and no program: nothing replays it but its own command, '$(grep -m1 '^again: ' "$folder/report.txt")'"
  say "the last operations of its workers as a program, on the engine; that it is clean there proves nothing"
  replay_file "$folder/program.lastput"
}

# no_flags_but WHAT FILE FLAG...: refuses the others of replay, whose names take the place of FLAG in WHAT.
no_flags_but() {
  local what=$1 file=$2 name
  shift 2
  for name in $(flag_names replay | tr ' ' '\n' | sed -E 's/^--//; s/=.*//'); do
    case $name in out | compiler) continue ;; esac
    is_among "$name" "$(printf '%s\n' "$@")" || [ -z "${flag[$name]-}" ] || die $USAGE "$file is ${what/FLAG/$name}"
  done
}
