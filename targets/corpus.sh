# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2154  # sourced by the driver, whose names these are
# The verb `corpus` of the driver: what runs have gathered in out/corpus/TARGET. Sourced by ./lastput.

readonly CORPUS_COMMANDS=$'show\nmerge\nminimize\nimport'

verb_corpus() {
  parse corpus "$@"
  local command=${words[0]-} target=${words[1]-} targets=()
  is_among "$command" "$CORPUS_COMMANDS" ||
    die $USAGE "corpus wants one of: $(one_line <<<"$CORPUS_COMMANDS")${command:+, not '$command'}"
  if [ "$command" = import ]; then
    most_words import 3
    check_import "${words[@]:1}"
    targets=("$target")
  else
    most_words "corpus $command" 2
    [ -z "$target" ] || require_target "$target"
    mapfile -t targets < <(if [ -n "$target" ]; then echo "$target"; else target_names; fi)
  fi
  require_compiler
  use_out
  setup_needs explore
  build explore corpus_tool "${targets[@]/%/_fuzzer}" || exit $BROKEN
  use_sanitizer_options
  "corpus_$command"
}

# check_import [TARGET] PATH: sets target and source. Without TARGET it is told by a folder, or the name of an OSS-Fuzz corpus.
check_import() {
  [ $# -gt 0 ] || die $USAGE "import wants inputs: ./lastput corpus import [TARGET] FOLDER or FILE or FILE.zip"
  source=${!#}
  [ $# -eq 2 ] || target=$(target_of_path "$source")
  if [ $# -eq 1 ] && is_among "$source" "$(target_names)" && [ ! -e "$source" ]; then
    die $USAGE "import $source from where? ./lastput corpus import $source FOLDER or FILE or FILE.zip"
  fi
  [ -n "$target" ] || die $USAGE "$source does not say which target it is of: ./lastput corpus import TARGET $source"
  require_target "$target"
  [ -e "$source" ] || die $USAGE "$source: there is no such file or folder"
}
target_of_path() {
  local path name
  path=$(realpath -m -- "$1")
  while [ -n "$path" ]; do
    for name in $(target_names); do
      [[ ${path##*/} =~ ^([a-z]+_)?${name}(_fuzzer)?([_.-].*)?$ ]] && echo "$name" && return
    done
    path=${path%/*}
  done
}

corpus_of() { echo "$out/corpus/$1"; }
seeds_of() { echo "$root/build/explore/corpus/$1"; }
fuzzer_of() { echo "$root/build/explore/bin/$1_fuzzer"; }
count_files() { find "$1" -maxdepth 1 -type f 2>/dev/null | wc -l; } # FOLDER

# merge_into FUZZER LOG CORPUS FOLDER...: adds to CORPUS, named by their content, inputs of the others with what it has not:
# libFuzzer's merge, smallest first; an input that fails is left out.
merge_into() {
  local fuzzer=$1 log=$2 artifacts
  shift 2
  artifacts=$(mktemp -d -- "$log.XXXXXX") || return
  LASTPUT_REPORT='' "$fuzzer" "${merge_flag:--merge=1}" -artifact_prefix="$artifacts/" "$@" >"$log" 2>&1
  local code=$?
  merge_failures=$(find "$artifacts" -name 'crash-*' ! -name '*.json' | wc -l)
  if [ "$merge_failures" -gt 0 ] && [ -n "${keep_failures-}" ]; then
    mkdir -p -- "$keep_failures" && find "$artifacts" -type f -exec mv -t "$keep_failures" -- {} +
  fi
  rm -rf -- "$artifacts"
  return $code
}

# shrink TARGET FLAG: leaves in its corpus what a merge keeps beside the seeds. First what stays is written, then what was
# there before, and is not of it, goes: whenever it is stopped, nothing is lost, and what a fuzzer has added meanwhile stays.
shrink() {
  local target=$1 merge_flag=$2 corpus kept log before name had
  corpus=$(corpus_of "$target") log=$out/logs/merge-$target.log
  had=$(count_files "$corpus")
  [ "$had" -gt 0 ] || { printf '%-16s nothing in %s\n' "$target" "$corpus" && return; }
  kept=$(mktemp -d -- "$out/corpus/.merge.XXXXXX") && before=$(mktemp -- "$log.XXXXXX") || die $BROKEN "cannot write to $out"
  # shellcheck disable=SC2064  # these very names
  trap "rm -rf -- '$kept' '$before'" EXIT
  find "$corpus" -maxdepth 1 -type f -printf '%f\n' >"$before"
  mkdir -- "$kept/seeds" "$kept/all"
  cp -- "$(seeds_of "$target")"/* "$kept/all" || die $BROKEN "cannot write to $out"
  if [ "$merge_flag" = -set_cover_merge=1 ]; then
    merge_into "$(fuzzer_of "$target")" "$log" "$kept/seeds" "$kept/all" "$corpus"
    mv -- "$kept/seeds" "$kept/cover"
  else
    merge_into "$(fuzzer_of "$target")" "$log" "$kept/all" "$corpus"
    mv -- "$kept/all" "$kept/cover"
  fi || die $BROKEN "libFuzzer could not merge $corpus; its words are in $log"
  drop_seeds "$kept/cover"
  find "$kept/cover" -type f -exec cp -n -t "$corpus" -- {} + || die $BROKEN "cannot write to $corpus"
  while IFS= read -r name; do
    [ -e "$kept/cover/$name" ] || rm -f -- "${corpus:?}/$name"
  done <"$before"
  rm -rf -- "$kept" "$before"
  trap - EXIT
  printf '%-16s %d inputs of %d stay\n' "$target" "$(count_files "$corpus")" "$had"
}
# Of a folder of the target. Runs begin with them in any case.
drop_seeds() { # FOLDER
  local name
  while IFS= read -r name; do rm -f -- "${1:?}/$name"; done < <(names_of_seeds "$target")
}
# The names that a seed of the target can have: its own, and that by its content.
names_of_seeds() { # TARGET
  (cd -- "$(seeds_of "$1")" && sha1sum -- * | sed -E 's/^([0-9a-f]+)  (.*)/\1\n\2/')
}

corpus_merge() {
  local target
  for target in "${targets[@]}"; do shrink "$target" -merge=1; done
}
corpus_minimize() {
  local target
  for target in "${targets[@]}"; do shrink "$target" -set_cover_merge=1; done
}

corpus_import() {
  local stage corpus had log keep_failures
  corpus=$(corpus_of "$target") log=$out/logs/import-$target.log keep_failures=$out/artifacts/$target
  stage=$(mktemp -d) || die $BROKEN "cannot write to ${TMPDIR:-/tmp}"
  # shellcheck disable=SC2064  # this very name
  trap "rm -rf -- '$stage'" EXIT
  mkdir -p -- "$stage/inputs" "$stage/zip" "$corpus" || die $BROKEN "cannot write to $corpus"
  local from=$source
  if [ -f "$source" ] && [[ $(head -c 2 -- "$source" | od -An -tx1) == ' 50 4b' ]]; then
    from=$stage/zip
    (archive=$(realpath -- "$source") && cd -- "$from" && cmake -E tar xf "$archive") >/dev/null 2>&1 ||
      die $USAGE "$source is no zip that can be read"
  fi
  "$root/build/explore/bin/corpus_tool" gather "$target" "$stage/inputs" "$from" || exit
  drop_seeds "$corpus"
  had=$(count_files "$corpus")
  merge_into "$(fuzzer_of "$target")" "$log" "$corpus" "$(seeds_of "$target")" "$stage/inputs" ||
    die $BROKEN "libFuzzer could not run them; its words are in $log"
  drop_seeds "$corpus"
  say "$(($(count_files "$corpus") - had)) added to $corpus: those with coverage that was not there"
  [ "$merge_failures" -eq 0 ] || {
    say "$merge_failures of them fail: ./lastput replay $(realpath --relative-base=. -- "$keep_failures")"
    exit $FOUND
  }
}

# --- show --------------------------------------------------------------------------------------------

corpus_show() {
  local target
  printf '%-16s %8s %8s %10s %8s %8s %16s %9s %s\n' target seeds gathered bytes median largest 'edges' features 'operations'
  for target in "${targets[@]}"; do show_target "$target"; done
}

show_target() { # TARGET
  local folders=("$(seeds_of "$1")") log=$out/logs/show-$1.log facts run
  [ ! -d "$(corpus_of "$1")" ] || folders+=("$(corpus_of "$1")")
  facts=$("$root/build/explore/bin/corpus_tool" show "$1" "${folders[@]}") || exit $BROKEN
  "$(fuzzer_of "$1")" -runs=0 -artifact_prefix="$out/logs/" "${folders[@]}" >"$log" 2>&1 ||
    die $FOUND "$1 fails on its corpus: $log"
  run=$(grep -oE ' ft: [0-9]+' "$log" | tail -n 1)
  awk -v target="$1" -v seeds="$(count_files "${folders[0]}")" -v gathered="$(count_files "$(corpus_of "$1")")" \
    -v features="${run##* }" -v edges="$(sed -n 's/^edges: //p' "$log")" '
    $1 == "inputs" { bytes = $4; median = $6; largest = $8 }
    $1 == "operation" { all++; if ($3) reached++; else missing = missing " " $2 }
    END {
      printf "%-16s %8d %8d %10d %8d %8d %16s %9d %d of %d%s\n", target, seeds, gathered, bytes, median, largest, edges, features,
        reached, all, missing == "" ? "" : "; none with:" missing
    }' <<<"$facts"
}
