# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# The verb `run` of the driver, and `replay` of what it left. Sourced by ./lastput, whose words and tables
# it uses. A program becomes: its objects, instrumented, between two objects that mark where they begin and
# end, then sched/run and the engine (program.h).

# Where the engine lies that programs are linked with; a test of another tree sets it, and builds it.
parts=${LASTPUT_RUN_PARTS:-$root/build/explore/run}

# Of the engine that programs are linked with: nothing, or _wide, for more threads.
width=
readonly TOO_NARROW=76 # how a program ends that needs it
readonly EXHAUSTIVE_SECONDS=600 # until it gives up

readonly RUN_LANGUAGES='c:c cc:c++ cpp:c++ cxx:c++ c++:c++ C:c++'

verb_run() {
  local before=() argument cflags=() arguments=()
  while [ $# -gt 0 ] && [ "$1" != -- ]; do
    argument=$1
    before+=("$argument") && shift
    # May be given several times.
    case $argument in --cflags=?*) read -ra argument <<<"${argument#*=}" && cflags+=("${argument[@]}") ;; esac
  done
  [ $# -eq 0 ] || { shift && arguments=("$@"); }
  parse run "${before[@]}"
  check_run_flags
  check_sources "${words[@]}"
  check_arguments "${arguments[@]}"
  require_compiler
  use_out
  local json=${flag[json]-}
  [ -z "$json" ] || { : >>"$json"; } 2>/dev/null || die $BROKEN "cannot write to $json"
  build_program || exit $?
  search_program
}

check_run_flags() {
  if [ -n "${flag[exhaustive]-}" ]; then
    [ "${flag[jobs]-1}" = 1 ] || die $USAGE "--exhaustive searches in one process; leave --jobs out"
    [ -z "${flag[seed]-}" ] || die $USAGE "--exhaustive has nothing random; leave --seed out"
  else
    [ -z "${flag[preemptions]-}${flag[stale]-}" ] || die $USAGE "--preemptions and --stale bound --exhaustive, which is not given"
  fi
  is_among "${flag[races]-off}" $'on\noff' || die $USAGE "--races=${flag[races]}: on or off"
  is_among "${flag[memory]-sc}" $'weak\nsc' || die $USAGE "--memory=${flag[memory]}: weak or sc"
  [ "${flag[steps]-1}" != 0 ] || die $USAGE "--steps=0: an execution has at least one step"
  [ "${flag[jobs]-1}" -ge 1 ] && [ "${flag[jobs]-1}" -le 64 ] || die $USAGE "--jobs=${flag[jobs]}: 1 to 64"
  [ "${flag[executions]-1}" != 0 ] || die $USAGE "--executions=0: at least one"
}

check_sources() {
  [ $# -gt 0 ] || die $USAGE "run wants a program: ./lastput run PROG.c... [-- ARGS]"
  local file
  for file in "$@"; do
    [ -e "$file" ] || die $USAGE "$file: there is no such file"
    [ -f "$file" ] || die $USAGE "$file is not a regular file"
    [ -r "$file" ] || die $USAGE "$file cannot be read: permission denied"
    ! is_run_artifact "$file" || die $USAGE "$file is an artifact, not a program: ./lastput replay $file"
    [ -n "$(language_of "$file")" ] || die $USAGE "$file is no C or C++ file; endings: .c .cc .cpp .cxx .c++ .C"
  done
}

# They stand in artifacts, one a line.
check_arguments() {
  local argument
  for argument in "$@"; do
    [[ $argument != *$'\n'* ]] || die $USAGE "an argument of the program has more than one line"
  done
}

language_of() { # FILE; nothing if it is none
  local ending=${1##*.} pair
  for pair in $RUN_LANGUAGES; do
    [ "${pair%%:*}" = "$ending" ] && echo "${pair#*:}"
  done
}

program_name() { local name=${words[0]##*/} && echo "${name%.*}"; }
checksum_of() { cksum <"$1" | awk '{ printf "%08x", $1 }'; }

# Instruments, compiles and links ${words[@]} with ${cflags[@]}; the program is $program then.
build_program() {
  setup_needs explore
  check_clang explore
  compiler=$(compiler_for explore)
  build_engine "$compiler" || return $BROKEN
  folder=$out/run/$(program_name).$$
  mkdir -p -- "$folder" "$out/artifacts/run" || die $BROKEN "cannot write to $folder"
  trap 'rm -rf -- "$folder"' EXIT
  program=$folder/$(program_name)
  trap 'exit 130' INT # and no word of what did not compile
  compile_all && link_program || return
  trap - INT
}

# Whether build/explore/run is as this compiler would make it of the sources as they are.
is_built() { # COMPILER
  [ -f "$parts/stamp" ] && grep -qF "|$1|" "$root/build/explore/.configured" 2>/dev/null &&
    [ -z "$(find "$root/sched" "$root/sanitizers" "$root/CMakeLists.txt" -name programs -prune -o \
      -type f -newer "$parts/stamp" -print -quit)" ]
}
build_engine() { # COMPILER
  [ -z "${LASTPUT_RUN_PARTS-}" ] || return 0
  is_built "$1" && return
  build explore lastput_run && touch "$parts/stamp"
}

compile_all() {
  local file number=0 launcher=() language standard
  [ "$(clang_version "$compiler")" -ge 15 ] || launcher=(bash "$root/sanitizers/instrument_memory_calls.sh")
  objects=()
  for file in "${words[@]}"; do
    language=$(language_of "$file")
    standard=gnu17
    [ "$language" = c ] || standard=c++20
    objects+=("$folder/$number.o") && number=$((number + 1))
    "${launcher[@]}" "$compiler" -x "$language" -std=$standard -O0 -g -fno-omit-frame-pointer \
      -fno-optimize-sibling-calls -fstack-clash-protection -fdebug-compilation-dir=. -pthread \
      "${cflags[@]}" -Qunused-arguments -fsanitize=thread -mllvm -tsan-instrument-func-entry-exit=0 \
      -c "$file" -o "${objects[-1]}" || die $USAGE "$file does not compile"
  done
}

link_program() {
  local log=$folder/link.log options
  mapfile -t options < <(sed 's/^LINKER:/-Wl,/' "$parts/link_options")
  "$compiler" -o "$program" -no-pie "$parts/marks_begin.cc.o" "${objects[@]}" "${cflags[@]}" "$parts/marks_end.cc.o" \
    -Qunused-arguments "${options[@]}" -Wl,--wrap=main,--undefined=__wrap_main -Wl,-z,norelro -Wl,-z,now \
    -Wl,--start-group "$parts/libsched_run$width.a" "$parts/libsched_report$width.a" \
    "$parts/libsched_debugger.a" "$parts/libsched$width.a" -Wl,--end-group \
    -pthread -ldl -lm >"$log" 2>&1 && return
  if grep -q "undefined reference to .\(main\|__real_main\)'" "$log"; then
    die $USAGE "the program has no main()"
  fi
  grep -vE '^clang|in function|^/usr/bin/ld: .*\.o: in' "$log" | cut -c1-200 | head -n 8 >&2
  die $USAGE "the program does not link; libraries are named by --cflags=-lNAME"
}

# What an artifact says of how the program is built and started (artifact.h).
manifest() {
  local word
  for word in "${words[@]}"; do echo "source $(checksum_of "$word") $word"; done
  for word in "${cflags[@]}"; do echo "flag $word"; done
  for word in "${arguments[@]}"; do echo "argument $word"; done
  [ -z "$width" ] || echo "library sched$width"
}

# The flags, as a person gave them.
given_flags() {
  local word text=
  for word in "${before[@]}"; do [[ $word != --* ]] || text+="${text:+ }$word"; done
  echo "$text"
}

search_program() {
  local name options=() artifacts
  artifacts=$(realpath --relative-base=. -- "$out/artifacts/run")
  flag[seed]=${flag[seed]-$((RANDOM * 32768 + RANDOM + 1))}
  for name in seconds executions seed races memory steps jobs json preemptions stale; do
    [ -z "${flag[$name]-}" ] || options+=("--$name=${flag[$name]}")
  done
  if [ -n "${flag[exhaustive]-}" ]; then
    options+=(--exhaustive=yes)
    [ -n "${flag[seconds]-}" ] || options+=(--seconds=$EXHAUSTIVE_SECONDS)
  fi
  # A number of executions is a limit of its own.
  [ -z "${flag[executions]-}" ] || [ -n "${flag[seconds]-}" ] || options+=(--seconds=0)
  options+=(--words="$(given_flags)" --built="$folder/manifest" --artifacts="$artifacts/")
  manifest >"$folder/manifest"
  start_program "${options[@]}" --has-wider=yes
  width=_wide
  manifest >"$folder/manifest"
  link_program && start_program "${options[@]}" --goes-on=yes
}

# Ends as the program does; returns if that wants the wider library.
start_program() { # FLAGS...
  local code
  trap : INT # the program gets it too, and ends; what it says is still wanted
  # Standard error: bash must not tell in its own words how the program ended.
  { (trap - INT; exec "$program" --name="$(program_name)" "$@" -- "${arguments[@]}" 2>&3 3>&-); } 3>&2 2>/dev/null
  code=$?
  case $code in
    $TOO_NARROW) return ;;
    # Also: interrupted, terminated, or nobody read on.
    $OK | $USAGE | $BROKEN | $MISSING | $FOUND | 130 | 141 | 143) exit $code ;;
  esac
  die $BROKEN "the program ended in a way that cannot be seen from inside (exit code $code)"
}

# --- Replay ------------------------------------------------------------------------------------------

is_run_artifact() { is_text "$1" && grep -qE '^ *target +run *$' -- "$1"; }

# lines_of WORD FILE: the rest of each line that begins with it
lines_of() { sed -n "/^ *end *$/q; s/^ *$1 //p" -- "$2"; }

replay_program() { # FILE
  local file=$1 sum path library options=() cflags=() arguments=()
  [ -z "${flag[emit-test]-}" ] ||
    die $USAGE "$file is of a program, which is its own test: keep $file, and replay it; --emit-test is for those of the core"
  [ -z "${flag[bug]-}" ] || die $USAGE "$file is of a program; --bug is for those of the core"
  words=()
  while read -r sum path; do
    words+=("$path")
    [ -e "$path" ] || die $USAGE "$file was made of $path, which is not here; replay it in the folder where it was run"
    [ "$(checksum_of "$path")" = "$sum" ] || say "$path has changed since: it may fail in another way, or not at all"
  done < <(lines_of source "$file")
  mapfile -t cflags < <(lines_of flag "$file")
  mapfile -t arguments < <(lines_of argument "$file")
  [ ${#words[@]} -gt 0 ] || die $USAGE "$file names no program: it has no line 'source'"
  check_sources "${words[@]}"
  library=$(lines_of library "$file")
  case $library in
    '' | sched) ;;
    sched_wide) width=_wide ;;
    *) die $USAGE "$file was made with the library $library, which is not here; there is: sched sched_wide" ;;
  esac
  if [ -n "${flag[text]-}" ]; then cat -- "$file" && exit $OK; fi
  require_compiler
  use_out
  build_program || exit $?
  mapfile -t options < <(replay_flags)
  [ -z "${flag[rr]-}" ] || options+=("--rr=$out/rr/${file##*/}")
  start_program --replay="$file" "${options[@]}"
}
