# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# The verb `replay` of the driver: which program an artifact belongs to, built and started. Sourced by
# ./lastput, whose words and tables it uses.

# Refuses what is certainly no artifact: text begins with "lastput 1" and ends with "end", the bytes of
# a fuzzer begin with their version, 1 or 2. The replay program reads the rest, and is exact.
require_artifact() {
  local file=$1
  [ -e "$file" ] || die $USAGE "$file: there is no such file"
  [ -f "$file" ] || die $USAGE "$file is not a regular file"
  [ -r "$file" ] || die $USAGE "$file cannot be read: permission denied"
  [ -s "$file" ] || [ ! -f "$file.json" ] || return 0 # a fuzzer's empty input is the smallest program
  [ -s "$file" ] || die $USAGE "$file is empty"
  local first
  first=$(first_line "$file")
  if [[ $first == lastput* ]]; then
    [[ $first =~ ^lastput\ +1$ ]] ||
      die $USAGE "$file says '$(printf '%s' "${first:0:40}" | tr -cd '[:print:]')'; this reads 'lastput 1' only"
    grep -aqE '^[[:space:]]*end[[:space:]]*(#.*)?$' -- "$file" ||
      die $USAGE "$file is truncated: it has no line 'end'"
  elif ! [[ $(head -c 1 -- "$file" | od -An -tx1) =~ ^\ 0[12]$ ]]; then
    die $USAGE "$file is no artifact: neither text that begins with 'lastput 1' nor a fuzzer's input of version 1 or 2"
  fi
}
# The first line that is no comment; of what has very long lines, their beginnings.
first_line() {
  head -c 65536 -- "$1" | tr -d '\0\r' | grep -am1 -vE '^[[:space:]]*(#|$)' | sed 's/[[:space:]]*\(#.*\)\{0,1\}$//'
}
is_text() { [[ $(first_line "$1") == lastput* ]]; }

# What an artifact was made with, a `bug` or a `count`: its own line `bug NAME`, or that of its sidecar, or of the fuzz
# target which AFL++ notes (load.h).
recorded() { # WORD FILE
  local word=$1 file=$2
  if is_text "$file"; then
    sed -n "s/^ *$word  *\([A-Za-z0-9_-]*\).*$/\1/p" -- "$file"
  elif [ -f "$file.json" ]; then
    sed -n "s/.*\"$word\" *: *\"\([A-Za-z0-9_-]*\)\".*/\1/p" -- "$file.json"
  else
    noted "$word" "${file%/*}/README.txt" "${file%/*}/../fuzzer_stats"
  fi | head -n 1
}
# Those of a folder's artifacts.
recorded_below() { # WORD FOLDER
  grep -rhaoE "^ *$1 +[A-Za-z0-9_-]+" -- "$2" 2>/dev/null | sed "s/^ *$1 *//"
  grep -rhaoE --include='*.json' "\"$1\" *: *\"[A-Za-z0-9_-]+\"" -- "$2" 2>/dev/null | sed 's/.*: *"//; s/"$//'
  noted "$1" -r --include=README.txt --include=fuzzer_stats "$2"
}
# A variant's programs are in bin/bugs/NAME or bin/counts/NAME.
noted() { # WORD ARGUMENTS-OF-GREP...
  local word=$1
  shift
  grep -haoE "$@" -e "${word}s/[A-Za-z0-9_-]+/[a-z_]+_fuzzer" 2>/dev/null | cut -d/ -f2
}

# The flags of replay, one a line, as its programs take them: those with a value, and those without.
readonly REPLAY_VALUES='times steps seconds html json' REPLAY_SWITCHES='text minimize timeline debug'
replay_flags() {
  local name
  for name in $REPLAY_VALUES; do
    [ -z "${flag[$name]-}" ] || echo "--$name=${flag[$name]}"
  done
  for name in $REPLAY_SWITCHES; do
    [ -z "${flag[$name]-}" ] || echo "--$name=yes"
  done
  [ -z "${flag[emit-test]-}" ] || echo "--emit_test=${flag[emit-test]}"
  [ -z "${flag[no-color]-}" ] || echo --color=no
}

verb_replay() {
  parse replay "$@"
  most_words replay 1
  [ ${#words[@]} -eq 1 ] || die $USAGE "replay wants a file or a folder: ./lastput replay FILE"
  is_among "${flag[steps]-last}" $'last\nall' || die $USAGE "--steps=${flag[steps]}: last or all"
  if [ ! -d "${words[0]}" ]; then
    replay_file "${words[0]}"
  elif is_recording "${words[0]}"; then
    replay_recording "${words[0]}"
  elif is_soak_failure "${words[0]}"; then
    replay_soak_failure "${words[0]}"
  else
    replay_folder "${words[0]}"
  fi
}

replay_file() { # FILE
  local file=$1 bug=${flag[bug]-} count=${flag[count]-} arguments
  require_artifact "$file"
  [ -z "${flag[json]-}" ] || die $USAGE "--json is for folders; $file is a file"
  ! is_run_artifact "$file" || replay_program "$file"
  if [ -z "$bug$count" ]; then
    bug=$(recorded bug "$file") count=$(recorded count "$file")
    [ "$bug" != none ] || bug=
    [ -z "$count" ] || say "made on the count $count: replaying on that"
    [ -z "$bug" ] || require_bug "$bug"
    [ -z "$bug" ] || say "made on the core with the known bug $bug: replaying on that"
  fi
  [ -z "$bug" ] || require_bug "$bug"
  [ -z "$count" ] || require_count "$count" "$bug"
  require_compiler
  mapfile -t arguments < <(replay_flags)
  use_out
  [ -z "${flag[rr]-}" ] || arguments+=("--rr=$out/rr/${file##*/}")
  setup_needs explore
  build explore "replay${bug:+_$bug}${count:+_$count}" || exit $BROKEN
  use_sanitizer_options
  exec "$(program_dir "$bug" "$count")/replay" "${arguments[@]}" -- "$file"
}

replay_folder() { # FOLDER
  local folder=$1 name arguments targets=(replay)
  no_flags_but "a folder; --FLAG wants one file of it" "$folder" json no-color
  [ -n "$(find "$folder" -type f -print -quit 2>/dev/null)" ] || die $USAGE "$folder holds no file"
  require_compiler
  mapfile -t arguments < <(replay_flags)
  for name in $(recorded_below bug "$folder" | sort -u | grep -xFf <(bug_names)); do targets+=("replay_$name"); done
  for name in $(recorded_below count "$folder" | sort -u | grep -xFf <(count_names)); do targets+=("replay_$name"); done
  use_out
  setup_needs explore
  build explore "${targets[@]}" || exit $BROKEN
  use_sanitizer_options
  exec "$(program_dir "")/replay" --driver="$root/lastput" "${arguments[@]}" -- "$folder"
}
