#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The driver's words and exit codes, without building anything: help, and every input that it refuses.
set -u -o pipefail

here=$(dirname -- "$(readlink -f -- "${BASH_SOURCE[0]}")")
lastput=$here/lastput
# shellcheck source=sanitizers/expect.sh
. "$here/sanitizers/expect.sh"
cd -- "$work" || exit 2 # not the tree: the driver works from anywhere

# expect CODE WORDS COMMAND...: the exit code, and words that what it prints must contain. What it
# refuses it must refuse in one line, quickly, and without a help page.
expect() {
  local code=$1 words=$2 start=$SECONDS
  shift 2
  ends "$code" "$@"
  says "$words"
  [ "$code" -ne 1 ] || [ "$(wc -l <<<"$output")" -eq 1 ] || offend "$*: more than one line"
  [ $((SECONDS - start)) -le 10 ] || offend "$*: took $((SECONDS - start)) s"
}

# Help names every verb there is, and each verb has its own.
expect 0 'usage: ./lastput VERB' "$lastput"
expect 0 'usage: ./lastput VERB' "$lastput" --help
for verb in setup build fuzz corpus stress nightly replay run bugs audit bench coverage test; do
  expect 0 "$verb" "$lastput" --help
  expect 0 "usage: ./lastput $verb" "$lastput" "$verb" --help
done

# Verbs and flags.
expect 1 "unknown verb 'frobnicate'; there is: fuzz corpus stress nightly test replay" "$lastput" frobnicate
expect 1 "unknown flag '--frobnicate' for fuzz; there is: --seconds=N" "$lastput" fuzz --frobnicate=1
expect 1 "unknown flag '-x' for test" "$lastput" test -x
expect 1 "wants a value: --seconds=N" "$lastput" fuzz --seconds
expect 1 "wants a value: --seconds=N" "$lastput" fuzz --seconds=
expect 1 "'abc' is no number" "$lastput" fuzz --seconds=abc
expect 1 "'-1' is no number" "$lastput" fuzz --seed=-1
expect 1 "takes no value" "$lastput" test --all=yes

# Real threads.
expect 1 "takes no value" "$lastput" fuzz --real=yes
expect 1 "--sanitizer is for real threads: add --real" "$lastput" fuzz --sanitizer=thread
expect 1 "--platform is for real threads: add --real" "$lastput" fuzz --platform=linux
expect 1 "--sanitizer=memory: thread, address, undefined or none" "$lastput" fuzz --real --sanitizer=memory
expect 1 "--platform=windows: linux or portable" "$lastput" fuzz --real --platform=windows
expect 1 "--memory is for the engine" "$lastput" fuzz --real --memory=sc
expect 0 "--sanitizer=WHICH" "$lastput" fuzz --help
expect 1 "'strong' is neither weak nor sc" "$lastput" fuzz --memory=strong
expect 1 "'hongg' is neither libfuzzer nor afl" "$lastput" fuzz --engine=hongg
expect 1 "--jobs=0: 1 to 64" "$lastput" fuzz --jobs=0
expect 1 "--since=HEAD is for --changed" "$lastput" fuzz --since=HEAD
expect 1 "--changed chooses the targets; leave 'managed' out" "$lastput" fuzz --changed managed
expect 1 "without --bug" "$lastput" fuzz --changed --bug=no_bias
expect 1 "wants a value: --junit=FILE" "$lastput" fuzz --junit
expect 1 "unknown flag '--junit' for bench" "$lastput" bench --junit=x
expect 2 "cannot write to /dev/null/x" "$lastput" fuzz --junit=/dev/null/x
expect 1 "--jobs=65: 1 to 64" "$lastput" fuzz --jobs=65
expect 1 "unknown flag '--.*'" "$lastput" fuzz '--.*'
expect 1 "there is no such program" "$lastput" build --compiler=no-such-compiler

# Targets, bugs, presets.
expect 1 "no target 'nothing'; there is: " "$lastput" fuzz nothing
expect 1 "no bug 'nothing'; there is: " "$lastput" fuzz --bug=nothing
expect 1 "no bug 'nothing'; there is: " "$lastput" bugs nothing
expect 1 "no count 'nothing'; there is: atomic_count" "$lastput" fuzz --count=nothing
expect 1 "a known bug is one of the core" "$lastput" fuzz --count=atomic_count --bug=no_bias
expect 1 "only target percpu_ref runs other counts" "$lastput" fuzz managed --count=atomic_count
expect 1 "no preset 'nothing'; there is: release" "$lastput" build nothing
expect 1 "no preset 'compilers'; there is: release" "$lastput" build compilers
expect 1 "no preset 'nothing'; there is: release" "$lastput" setup compilers nothing
expect 1 "at most 1 argument" "$lastput" fuzz percpu_ref sequential
expect 0 "" "$lastput" bugs --list
expect 1 "--from=nothing: corpus or minimal" "$lastput" bugs --from=nothing
expect 1 "--seeds=0: one at least" "$lastput" bugs --seeds=0

expect 1 "at most 0 argument" "$lastput" audit ref.cc
expect 1 "unknown flag '--mutants'" "$lastput" audit --mutants=all
expect 1 "--jobs=65: 1 to 64" "$lastput" audit --jobs=65
expect 1 "--seconds=0: " "$lastput" audit --seconds=0
expect 1 "wants a value: --only=WORDS" "$lastput" audit --only=
expect 1 "takes no value" "$lastput" audit --list=yes

# Coverage.
expect 1 "no target 'nothing'; there is: " "$lastput" coverage percpu_ref nothing
expect 1 "wants a value: --html=DIR" "$lastput" coverage --html=
expect 2 "cannot write to /dev/null/pages" "$lastput" coverage tests --html=/dev/null/pages --out="$work/out"

# Nights.
expect 1 "'1h' is no number of hours" "$lastput" nightly --hours=1h
expect 1 "--hours=0.0: from 0.001 to 277" "$lastput" nightly --hours=0.0
expect 1 "--probes=maybe: on or off" "$lastput" nightly --probes=maybe
expect 1 "no bug 'nothing'" "$lastput" nightly --bug=nothing
expect 1 "--compiler=g++: a night needs clang 14" "$lastput" nightly --compiler=g++
expect 1 "--report=nowhere: no night is there" "$lastput" nightly --report=nowhere
expect 1 "at most 0 argument" "$lastput" nightly pool

# Corpora.
expect 1 "corpus wants one of: show merge minimize import" "$lastput" corpus
expect 1 "not 'frobnicate'" "$lastput" corpus frobnicate
expect 1 "no target 'nothing'; there is: " "$lastput" corpus merge nothing
expect 1 "at most 2 argument" "$lastput" corpus show percpu_ref managed
expect 1 "import wants inputs" "$lastput" corpus import
expect 1 "import managed from where?" "$lastput" corpus import managed
expect 1 "does not say which target" "$lastput" corpus import nowhere
expect 1 "nowhere: there is no such file or folder" "$lastput" corpus import managed nowhere

# Benchmarks.
expect 1 "no benchmark 'nothing'; there is: core engine strategies" "$lastput" bench nothing
expect 1 "no benchmark 'core engine'" "$lastput" bench "core engine"
expect 1 "no benchmark '*'" "$lastput" bench '*'
expect 1 "at most 1 argument" "$lastput" bench core engine
expect 1 "the benchmark engine takes no --json" "$lastput" bench engine --json=file
expect 1 "the benchmark strategies takes no --seconds" "$lastput" bench strategies --seconds=1
expect 1 "the benchmark mutations takes neither" "$lastput" bench mutations --json=file
expect 1 "wants a value: --json=FILE" "$lastput" bench --json=
expect 1 "'1.5' is no number" "$lastput" bench --seconds=1.5
expect 1 "unknown flag '--rounds'" "$lastput" bench --rounds=3

# Programs.
: >prog.c
: >prog.txt
expect 1 "run wants a program" "$lastput" run
expect 1 "run wants a program" "$lastput" run -- prog.c
expect 1 "none.c: there is no such file" "$lastput" run none.c
expect 1 "none.c: there is no such file" "$lastput" run prog.c none.c
expect 1 "prog.txt is no C or C++ file" "$lastput" run prog.txt
expect 1 "/ is not a regular file" "$lastput" run /
expect 1 "unknown flag '--frobnicate' for run" "$lastput" run --frobnicate prog.c
expect 1 "'x' is no number" "$lastput" run --seconds=x prog.c
expect 1 "'1.5' is no number" "$lastput" run --executions=1.5 prog.c
expect 1 "at least one" "$lastput" run --executions=0 prog.c
expect 1 "--jobs=0: 1 to 64" "$lastput" run --jobs=0 prog.c
expect 1 "at least one step" "$lastput" run --steps=0 prog.c
expect 1 "--races=maybe: on or off" "$lastput" run --races=maybe prog.c
expect 1 "--memory=tso: weak or sc" "$lastput" run --memory=tso prog.c
expect 1 "wants a value: --races=off" "$lastput" run --races prog.c
expect 1 "--exhaustive searches in one process" "$lastput" run --exhaustive --jobs=2 prog.c
expect 1 "--exhaustive has nothing random" "$lastput" run --exhaustive --seed=1 prog.c
expect 1 "--preemptions and --stale bound --exhaustive" "$lastput" run --preemptions=2 prog.c
expect 1 "more than one line" "$lastput" run prog.c -- $'a\nb'

# Every execution.
expect 1 "prog.c is C or C++: ./lastput run --exhaustive prog.c" "$lastput" verify prog.c
expect 1 "none.txt: there is no such file" "$lastput" verify none.txt
expect 1 "no bug 'none'" "$lastput" verify --bug=none
expect 1 "at most 1 argument" "$lastput" verify a b
expect 1 "--memory=tso: weak, sc or both" "$lastput" verify --memory=tso
expect 1 "'x' is no number" "$lastput" verify --preemptions=x
expect 1 "--jobs=0: 1 to 64" "$lastput" verify --jobs=0

# Artifacts.
mkdir -p "a folder"
: >"a folder/empty"
printf 'lastput 1\nthread T1\n' >"a folder/truncated"
printf 'lastput 99\nthread T1\nend\n' >"a folder/newer"
printf 'PK\003\004 no artifact' >"a folder/foreign"
printf '\003 raw, of another version' >"a folder/other-version"
printf 'lastput 1\nbug nothing\nthread T1\nend\n' >"a folder/unknown-bug"
printf 'lastput 1\ntarget run\nsource 00000000 gone.c\nend\n' >"a folder/program"
printf 'lastput 1\ntarget run\nend\n' >"a folder/no-program"
printf 'lastput 1\ntarget run\nsource %08x prog.c\nend\n' 0 >prog.lastput
expect 1 "was made of gone.c, which is not here" "$lastput" replay "a folder/program"
expect 1 "names no program" "$lastput" replay "a folder/no-program"
expect 1 "wants a file or a folder" "$lastput" replay
printf "lastput \033[31m9\nend\n" >"a folder/colour"
expect 1 "says 'lastput [31m9'" "$lastput" replay "a folder/colour"
expect 1 "no such file" "$lastput" replay "a folder/none"
expect 1 "is a folder; --html wants one file of it" "$lastput" replay --html=page.html "a folder"
expect 1 "is a folder; --debug wants one file of it" "$lastput" replay --debug "a folder"
mkdir "no files"
expect 1 "holds no file" "$lastput" replay "no files"
expect 1 "--json is for folders" "$lastput" replay --json=x "a folder/program"
expect 1 "--steps=some: last or all" "$lastput" replay --steps=some "a folder/program"
expect 1 "wants a value: --html=OUT" "$lastput" replay --html "a folder/program"
expect 1 "--emit-test is for those of the core" "$lastput" replay --emit-test=x.cc prog.lastput
expect 1 "--bug is for those of the core" "$lastput" replay --bug=no_bias prog.lastput
expect 1 "is empty" "$lastput" replay "a folder/empty"
expect 1 "is truncated" "$lastput" replay "a folder/truncated"
expect 1 "says 'lastput 99'" "$lastput" replay "a folder/newer"
expect 1 "is no artifact" "$lastput" replay "a folder/foreign"
expect 1 "is no artifact" "$lastput" replay "a folder/other-version"
expect 1 "no bug 'nothing'" "$lastput" replay "a folder/unknown-bug"
expect 1 "not a regular file" "$lastput" replay /dev/null

# Nowhere to write. (root may write everywhere but into what is no folder.)
: >"a file"
expect 2 "cannot write to a file" "$lastput" build --out="a file"
expect 2 "cannot write to a file/json" "$lastput" run --out=out --json="a file/json" prog.c
expect 2 "cannot write to a file/core.json" "$lastput" bench --out=out --json="a file/core.json"

# A machine without clang, apt-get and a way to become root.
mkdir bin
ln -s /usr/bin/* bin/ 2>/dev/null
rm -f bin/clang* bin/apt* bin/sudo
expect 3 "missing here: clang" env PATH="$work/bin" "$lastput" fuzz --out="$work/out"
expect 3 "missing here: clang" env PATH="$work/bin" "$lastput" run --out="$work/out" prog.c
expect 3 "missing here: clang" env PATH="$work/bin" "$lastput" fuzz --out="$work/out" --junit="$work/junit.xml"
expect 0 '<skipped message="lastput: missing here: clang' cat "$work/junit.xml"
expect 3 "missing here: clang" env PATH="$work/bin" "$lastput" bench --out="$work/out"
expect 3 "clang libclang-rt-dev" env PATH="$work/bin" "$lastput" setup --out="$work/out"
expect 3 "clang-15 clang-16 clang-19" env PATH="$work/bin" "$lastput" setup compilers --out="$work/out"
expect 1 "unknown flag" env PATH="$work/bin" "$lastput" fuzz --frobnicate
rm -f bin/g++ bin/c++
expect 3 "g++" env PATH="$work/bin" "$lastput" test --out="$work/out"

all_as_expected
