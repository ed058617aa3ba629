# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2154  # sourced by the driver, whose names these are
# --junit=FILE of any verb: runs the same command line without it, shows what that says, and writes what came of it as JUnit XML,
# as https://llg.cubic.org/docs/junit/ describes it and CI systems read it. One case a target (fuzz), program (run), bug
# (bugs) or test (test; those are ctest's own). A failure that was found is a <failure>, a tool that failed an <error>, what is
# missing here <skipped>. The exit code is that of the command.

readonly JUNIT_LINES=400 # of what a command said, the last, as <system-out>

# with_junit VERB ARGUMENT...: does not return if there is a --junit=FILE before any `--`, and the verb takes it.
with_junit() {
  local verb=$1 argument file='' rest=() ours=yes code
  shift
  is_among --junit=FILE "$(flag_rows "$verb" | cut -d'|' -f2)" || return 0
  for argument in "$@"; do
    [ "$argument" != -- ] || ours=
    case $ours$argument in yes--junit=?*) file=${argument#*=} ;; *) rest+=("$argument") ;; esac
  done
  [ -n "$file" ] || return 0
  { : >>"$file"; } 2>/dev/null || die $BROKEN "cannot write to $file"
  parts=$(mktemp -d) || die $BROKEN "cannot write to ${TMPDIR:-/tmp}"
  trap 'rm -rf -- "$parts"' EXIT
  trap : INT # the command gets it too, and ends; what it says is still wanted
  (trap - INT; LASTPUT_JUNIT_PARTS=$parts exec "$root/lastput" "$verb" "${rest[@]}") 2>&1 | tee -i -- "$parts/said"
  code=${PIPESTATUS[0]}
  junit "$verb" "$code" "$parts/said" >"$parts/xml" && cat -- "$parts/xml" >"$file" || die $BROKEN "cannot write to $file"
  exit "$code"
}

# As XML has it; nothing but ASCII, so that no byte of a program can spoil it.
xml_text() { LC_ALL=C tr -cd '\11\12\40-\176' | sed -e 's/&/\&amp;/g' -e 's/</\&lt;/g' -e 's/>/\&gt;/g' -e 's/"/\&quot;/g'; }

result_of() { # CODE
  case $1 in "$OK") echo passed ;; "$FOUND") echo failure ;; "$MISSING") echo skipped ;; *) echo error ;; esac
}

junit() { # VERB CODE LOG
  local verb=$1 rows
  rows=$("junit_rows_$1" "$2" "$3")
  printf '<?xml version="1.0" encoding="UTF-8"?>\n<testsuites>\n'
  [ "$verb" != test ] || junit_of_ctest
  junit_suite "$verb" "$rows" "$3"
  printf '</testsuites>\n'
}

# Of rows RESULT|NAME|SECONDS|MESSAGE.
junit_suite() { # VERB ROWS LOG
  local result name seconds message
  printf '<testsuite name="lastput %s" tests="%d" failures="%d" errors="%d" skipped="%d" time="%d">\n' "$1" \
    "$(grep -c . <<<"$2")" "$(grep -c '^failure|' <<<"$2")" "$(grep -c '^error|' <<<"$2")" "$(grep -c '^skipped|' <<<"$2")" $SECONDS
  while IFS='|' read -r result name seconds message; do
    [ -n "$result" ] || continue
    printf '<testcase classname="lastput.%s" name="%s" time="%s">' "$1" "$(xml_text <<<"$name")" "$seconds"
    [ "$result" = passed ] || printf '<%s message="%s"/>' "$result" "$(xml_text <<<"$message")"
    printf '</testcase>\n'
  done <<<"$2"
  printf '<system-out>'
  tail -n $JUNIT_LINES -- "$3" | xml_text
  printf '</system-out>\n</testsuite>\n'
}

# The line that says what happened: the last of its kind.
message_of() { # LOG
  grep -aE '^SUMMARY: |^lastput: |^CUT OFF' -- "$1" | tail -n 1
}
# Each of NAMES but the last ended well, the last as the command did.
junit_rows_of() { # CODE LOG NAME...
  local code=$1 log=$2
  shift 2
  for name in "${@:1:$#-1}"; do echo "passed|$name|0|"; done
  echo "$(result_of "$code")|${!#}|$SECONDS|$(message_of "$log")"
}
junit_rows_fuzz() { # CODE LOG
  local names
  mapfile -t names < <(sed -nE 's/^lastput: target ([a-z_]+).*/\1/p' "$2")
  [ ${#names[@]} -gt 0 ] || names=(targets)
  junit_rows_of "$1" "$2" "${names[@]}"
}
junit_rows_run() { # CODE LOG
  local name
  name=$(sed -nE '0,/^lastput: program / s/^lastput: program ([^,]+),.*/\1/p' "$2")
  junit_rows_of "$1" "$2" "${name:-program}"
}
# "NAME found after 1.2 s" of a hunt, "NAME fails with the bug, and not without" of --regressions; else the bug is as it should not be.
junit_rows_bugs() { # CODE LOG
  local rows
  rows=$(sed -nE -e 's/^([a-z0-9_]+) +found after ([0-9.]+) s$/passed|\1|\2|/p' -e 's/^([a-z0-9_]+) +fails with the bug, and not without$/passed|\1|0|/p' \
    -e 's/^([a-z0-9_]+) +NOT AS EXPECTED after ([0-9.]+) s$/failure|\1|\2|not as expected/p' \
    -e 's/^([a-z0-9_]+) +((does not|fails|nothing is kept) .*)$/failure|\1|0|\2/p' "$2")
  [ -n "$rows" ] && [ "$1" -ne $BROKEN ] && echo "$rows" || junit_rows_of "$1" "$2" bugs
}
# Presets that did not build; tests come by themselves.
junit_rows_test() { # CODE LOG
  local rows
  rows=$(sed -nE 's/^lastput: (preset ([a-z-]+) does not build.*)/error|build \2|0|\1/p' "$2")
  [ -n "$rows" ] || [ -n "$(compgen -G "$parts/*.xml")" ] || rows=$(junit_rows_of "$1" "$2" tests)
  [ -z "$rows" ] || echo "$rows"
}
junit_of_ctest() {
  local file preset
  for file in "$parts"/*.xml; do
    [ -e "$file" ] || continue
    preset=$(basename -- "$file" .xml)
    LC_ALL=C tr -cd '\11\12\40-\176' <"$file" | sed -E -e '/^<\?xml/d' -e "s/<testsuite name=\"[^\"]*\"/<testsuite name=\"$preset\"/"
  done
}
