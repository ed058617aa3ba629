#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Guards the house: licence lines, include arrows, both sides of every sync tag, no leftovers.
# Usage: tidy_test.sh SOURCE_DIR. Prints each offence as file:line: what; exit 1 if there is one.
set -u
cd "${1:?usage: tidy_test.sh SOURCE_DIR}" || exit 1
offences=0

offend() {
  printf '%s\n' "$1"
  offences=$((offences + 1))
}

sources() {
  find core sched targets replay bugs audit bench stress -type f \( -name '*.h' -o -name '*.c' -o -name '*.cc' -o -name '*.def' \) \
    2>/dev/null | sort
}

check_licence_lines() {
  local f
  while read -r f; do
    head -n 2 "$f" | grep -q 'SPDX-License-Identifier: Apache-2.0' || offend "$f:1: no SPDX line"
  done < <(sources; find . -name CMakeLists.txt -not -path './build/*'; find . -name '*.cmake' -not -path './build/*'; echo lastput)
}

# Who may include whose headers. Arrows go one way; core and sched know nothing of the rest.
check_arrows() {
  local f folder allowed target line
  while read -r f; do
    folder=${f%%/*}
    case $folder in
      core) allowed='core' ;;
      sched) allowed='sched sched/debug' ;;
      targets) allowed='targets core sched' ;;
      stress) allowed='stress targets core sched/debug' ;;
      replay) allowed='replay targets sched sched/debug core' ;;
      bugs) allowed='bugs' ;;
      audit) allowed='audit bugs' ;;
      bench) allowed='bench core sched targets' ;;
    esac
    while IFS=: read -r line target; do
      target=${target#*\"}
      case $target in
        sched/debug/*) target=sched/debug ;; # starts gdb and rr, and knows nothing of the engine
        *) target=${target%%/*} ;;
      esac
      case " core sched sched/debug targets replay bugs audit bench stress " in
        *" $target "*) ;;
        *) continue ;;
      esac
      case " $allowed " in
        *" $target "*) ;;
        *) offend "$f:$line: $folder may not include $target" ;;
      esac
    done < <(grep -nE '^#include "[a-z_]+/' "$f")
  done < <(sources)
}

# Every ordered atomic operation of core and targets says sync[tag] and why, within the lines above
# it; every tag has a releasing and an acquiring side.
check_sync_tags() {
  local out
  out=$(find core targets -name '*.h' -o -name '*.cc' | grep -v '_test\.cc$' | grep -v test_support | sort |
    xargs awk '
      FNR == 1 { near = -100 }
      { code = $0; sub(/\/\/.*/, "", code) }
      /sync\[/ {
        near = FNR
        rest = $0
        while (match(rest, /sync\[[a-z_]+\][^.;]*/)) {
          text = substr(rest, RSTART, RLENGTH)
          tag = text; sub(/^sync\[/, "", tag); sub(/\].*/, "", tag)
          if (!(tag in where)) where[tag] = FILENAME ":" FNR
          if (text ~ /(release|acq_rel|seq_cst)/) releases[tag] = 1
          if (text ~ /(acquire|acq_rel|seq_cst)/) acquires[tag] = 1
          rest = substr(rest, RSTART + RLENGTH)
        }
      }
      code ~ /memory_order_(acquire|release|acq_rel|seq_cst|consume)|memory_order::(acquire|release|acq_rel|seq_cst)/ {
        if (FNR - near > 8) print FILENAME ":" FNR ": an ordered atomic without sync[tag] and its reason"
      }
      END {
        for (tag in where) {
          if (!(tag in releases)) print where[tag] ": sync[" tag "] has no releasing side"
          if (!(tag in acquires)) print where[tag] ": sync[" tag "] has no acquiring side"
        }
      }')
  [ -z "$out" ] || while read -r line; do offend "$line"; done <<<"$out"
}

check_leftovers() {
  local line
  while read -r line; do offend "$line: leftover"; done < <(
    sources | xargs grep -nE '\b(TODO|FIXME|XXX|HACK)\b' | cut -c1-160)
}

# Every fuzz target has a corpus, and a row in FUZZING.md.
check_targets() {
  local f name
  for f in targets/*_fuzzer.cc; do
    [ -e "$f" ] || continue
    name=${f##*/}
    name=${name%_fuzzer.cc}
    [ -d "corpus/$name" ] || offend "$f:1: no corpus/$name"
    grep -q "\`$name\`" FUZZING.md || offend "$f:1: no word of \`$name\` in FUZZING.md"
  done
}

check_licence_lines
check_arrows
check_sync_tags
check_leftovers
check_targets
if [ "$offences" -ne 0 ]; then
  printf 'tidy: %d offences\n' "$offences"
  exit 1
fi
echo 'tidy: clean'
