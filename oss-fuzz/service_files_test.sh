#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# service_files_test.sh TREE: whether what services and CI read is what they can read, and names nothing that is not there: the
# YAML files (by python3-yaml where that is installed; in any case by their form), the commands of ./lastput and their flags,
# scripts, combinations that a test builds, and every target. Exit codes: 0; 1 after all that is wrong has been told.
set -u -o pipefail
cd -- "${1:?usage: service_files_test.sh TREE}" || exit 1
wrong=0
offend() { echo "service_files: $1: $2"; wrong=1; }

yaml_files=(.clusterfuzzlite/project.yaml oss-fuzz/project.yaml .github/workflows/*.yml)

# What these files are made of, and nothing else: comments, `key: value`, `- item`, blocks behind `|`; two blanks a level, no tab.
check_form() { # FILE
  awk '
    /\t/ { print FNR ": a tab" }
    { match($0, /^ */); indent = RLENGTH; text = substr($0, indent + 1) }
    text == "" || text ~ /^#/ { next }
    block && indent > block_indent { next }
    { block = 0 }
    indent % 2 { print FNR ": indented by " indent }
    indent > last + 4 { print FNR ": indented too far" }
    { last = indent; body = text; if (sub(/^- /, "", body)) last = indent + 2 }
    body ~ /^[A-Za-z_][A-Za-z0-9_-]*: [|]$/ { block = 1; block_indent = indent; next }
    body !~ /^[A-Za-z_][A-Za-z0-9_-]*:( .+)?$/ && text !~ /^- [^:]+$/ { print FNR ": neither a key nor an item: " text }
    { value = body; sub(/^[^:]*: */, "", value); gsub(/\$\{\{[^}]*\}\}/, "", value) }
    value ~ /: / && value !~ /^["\047]/ { print FNR ": a colon in a value without quotes" }
    gsub(/"/, "\"", value) % 2 || gsub(/\047/, "\047", value) % 2 { print FNR ": a quote that is not closed" }
    { opened = gsub(/\[/, "[", value); closed = gsub(/\]/, "]", value) }
    opened != closed { print FNR ": a list that is not closed" }' "$1"
}

for file in "${yaml_files[@]}"; do
  [ -f "$file" ] || { offend "$file" 'is not there' && continue; }
  while read -r line; do offend "$file:${line%%:*}" "${line#*: }"; done < <(check_form "$file")
  ! python3 -c 'import yaml' 2>/dev/null || python3 -c 'import sys, yaml; yaml.safe_load(open(sys.argv[1]))' "$file" 2>/dev/null ||
    offend "$file" 'is no YAML'
done

# Commands: verb and flags are in the driver's own help.
while IFS=: read -r file line command; do
  read -ra words <<<"$command"
  help=$(./lastput "${words[1]}" --help 2>/dev/null) || { offend "$file:$line" "no verb '${words[1]}'" && continue; }
  for word in "${words[@]:2}"; do
    case $word in
      --*) grep -qE -- "^ +${word%%=*}([= ]|\$)" <<<"$help" || offend "$file:$line" "./lastput ${words[1]} has no flag ${word%%=*}" ;;
    esac
  done
done < <(for file in .github/workflows/*.yml; do sed 's/^ *#.*//' "$file" | grep -noE '\./lastput( [^ |;&]+)+' | sed "s,^,$file:,"; done)

# Every target is fuzzed by name; the mode of every ClusterFuzzLite job is one that it has.
for file in targets/*_fuzzer.cc; do
  name=$(basename -- "$file" _fuzzer.cc)
  [ "$(grep -cE "[ ]$name( |;|\$)" .github/workflows/fuzz.yml)" -eq 2 ] || offend .github/workflows/fuzz.yml "not two places with $name"
done
while IFS=: read -r file line mode; do
  case ${mode##* } in code-change | batch | prune | coverage) ;; *) offend "$file:$line" "no mode of ClusterFuzzLite: ${mode##* }" ;; esac
done < <(grep -nE '^ +mode: ' .github/workflows/cflite_*.yml)
for mode in code-change batch prune coverage; do
  grep -qE "^ +mode: $mode\$" .github/workflows/cflite_*.yml || offend .github/workflows "no job with mode $mode"
done

# What is enabled is what a test builds, and what both folders name is there.
enabled() { awk -v key="$1:" '$1 == key { on = 1; next } on && $1 == "-" { print $2; next } { on = 0 }' oss-fuzz/project.yaml; }
for engine in $(enabled fuzzing_engines); do
  for sanitizer in $(enabled sanitizers); do
    [ "$engine" = libfuzzer ] || [ "$sanitizer" = address ] || continue # the services build no other
    grep -qE "foreach\(combination .*$engine-$sanitizer" CMakeLists.txt || offend oss-fuzz/project.yaml "no test builds $engine-$sanitizer"
  done
done
for file in .clusterfuzzlite/build.sh oss-fuzz/build.sh; do
  [ -x "$file" ] && bash -n "$file" || offend "$file" 'cannot be run'
done
grep -q '/\.clusterfuzzlite/build\.sh"$' oss-fuzz/build.sh || offend oss-fuzz/build.sh 'does not call the one of .clusterfuzzlite'
for folder in .clusterfuzzlite oss-fuzz; do
  grep -qE '^FROM gcr\.io/oss-fuzz-base/base-builder:[a-z0-9-]+$' "$folder/Dockerfile" || offend "$folder/Dockerfile" 'no base image by name'
  grep -q '^language: c++$' "$folder/project.yaml" || offend "$folder/project.yaml" 'no language'
done

[ $wrong -ne 0 ] || echo 'service_files: all as expected'
exit $wrong
