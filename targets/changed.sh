# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2154  # sourced by the driver, whose names these are
# ./lastput fuzz --changed: the targets that a change can reach. What a target is made of is what ninja knows: its inputs, and what
# the compiler read for each of its objects when they were last built (ninja -t inputs, ninja -t deps). A file that is new can reach
# a target only by a file that is changed, too; a change of the build itself reaches all of them.

# check_changed: what goes with --changed
check_changed() {
  local name
  [ -z "${flag[since]-}" ] || [ -n "${flag[changed]-}" ] || die $USAGE "--since=${flag[since]} is for --changed"
  [ -n "${flag[changed]-}" ] || return 0
  [ ${#words[@]} -eq 0 ] || die $USAGE "--changed chooses the targets; leave '${words[0]}' out"
  for name in bug count real; do
    [ -z "${flag[$name]-}" ] || die $USAGE "--changed is for the targets as they are: without --$name"
  done
  command -v git >/dev/null || die $MISSING "git is not here, which knows what is changed"
  git -C "$root" rev-parse -q --verify HEAD >/dev/null 2>&1 || die $USAGE "--changed: $root is no git work tree with a commit"
  [ -z "${flag[since]-}" ] || git -C "$root" rev-parse -q --verify "${flag[since]}^{commit}" >/dev/null ||
    die $USAGE "--since=${flag[since]}: git knows no such commit"
}

# Paths in the tree that differ from HEAD, or from where this branch left --since; and files that git does not know.
changed_files() {
  local base=HEAD
  [ -z "${flag[since]-}" ] || base=$(git -C "$root" merge-base "${flag[since]}" HEAD) || die $USAGE "--since=${flag[since]}: no commit in common with HEAD"
  git -C "$root" diff --name-only --no-renames --no-relative "$base" -- && git -C "$root" ls-files --others --exclude-standard --full-name "$root"
}

# Paths in the tree that a target of preset explore is made of.
files_of_target() { # TARGET
  local tree=$root/build/explore inputs
  inputs=$(ninja -C "$tree" -t inputs "$1_fuzzer" | grep -v '^ninja: ') || return
  # The compiler tells headers of some objects by paths from the build folder.
  { printf '%s\n' "$inputs"; grep '\.o$' <<<"$inputs" | xargs -d '\n' ninja -C "$tree" -t deps | sed -n 's/^    //p'; } |
    sed -E "s,^$root/,," | grep -vE '^(/|build/)' | sort -u
}
files_of_build() {
  ninja -C "$root/build/explore" -t inputs build.ninja | sed -E "s,^$root/,," | grep -E '^[^/].*(CMakeLists\.txt|\.cmake)$' | sort -u
  echo CMakePresets.json # read when a tree is configured first
}

# targets_reached CHANGED-FILES: one a line
targets_reached() {
  local name reached
  if grep -qxFf <(files_of_build) <<<"$1"; then target_names && return; fi
  for name in $(target_names); do
    reached=$(files_of_target "$name") && [ -n "$reached" ] || die $BROKEN "ninja does not say what ${name}_fuzzer is made of"
    ! grep -qxFf - <(printf '%s\n' "$1") <<<"$reached" || echo "$name"
  done
}

# Fuzzes each of them, for its part of the time, until one fails.
fuzz_changed() {
  local changed reached share stopped='' code
  changed=$(changed_files) || exit
  [ -n "$changed" ] || { say "nothing is changed: nothing to fuzz" && exit $OK; }
  setup_needs explore
  # shellcheck disable=SC2046  # a list of words
  build explore $(target_names | sed 's/$/_fuzzer/') || exit $BROKEN
  reached=$(targets_reached "$changed") || exit
  [ -n "$reached" ] || { say "no target is made of what is changed ($(grep -c . <<<"$changed") files): nothing to fuzz" && exit $OK; }
  share=$((seconds / $(grep -c . <<<"$reached")))
  seconds=$((share > 0 ? share : 1))
  say "the change reaches $(one_line <<<"$reached"): $seconds s each"
  trap 'stopped=yes' INT
  for target in $reached; do
    (fuzz_on_engine)
    code=$?
    [ $code -eq $OK ] && [ -z "$stopped" ] || exit $code
  done
  exit $OK
}
