#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# lastput_audit on a made-up core, whose searches are shell scripts: what it says, and how it goes on after
# a kill. Usage: lastput_audit_test.sh LASTPUT_AUDIT
set -u
audit=$(readlink -f -- "${1:?usage: lastput_audit_test.sh LASTPUT_AUDIT}")
here=$(dirname -- "$(readlink -f -- "${BASH_SOURCE[0]}")")
# shellcheck source=sanitizers/expect.sh
. "$here/../sanitizers/expect.sh"
cd -- "$work" || exit 1

# expect CODE WORDS ARGUMENTS...
expect() {
  local code=$1 words=$2
  shift 2
  ends "$code" "$audit" --source=tree --build=build --out=out --seconds=1 --jobs=2 "$@"
  says "$words"
}
# searched: how many times a core has been searched so far
searched() { cat searches 2>/dev/null | wc -l; }
# expect_searched N WHEN
expect_searched() {
  [ "$(searched)" -eq "$1" ] || offend "$2: $(searched) searches, not $1"
}

mkdir -p tree/core tree/targets tree/verify tree/corpus build
# The search finds whatever makes the add weaker; never the load's order.
core() { # COMMENT
  cat >tree/core/count.cc <<END
int get() {
  // $1
  return count.load(std::memory_order_acquire);
}
void add() { count.fetch_add(1, std::memory_order_acq_rel); }
END
}
core "sync[count] acquire: whatever."
cat >tree/CMakeLists.txt <<END
cmake_minimum_required(VERSION 3.21)
project(made_up NONE)
add_custom_target(audit_programs COMMAND \${CMAKE_COMMAND} -E copy $work/search $work/build/bin/audit/count_test)
END
cat >search <<END
#!/bin/sh
echo search >>$work/searches
[ ! -e $work/wait ] || { echo \$\$ >$work/waits; exec sleep 60; }
grep -q 'fetch_add(1, std::memory_order_acq_rel)' $work/build/audit/core/count.cc && exit 0
echo 'seed 7: G2 oracle: made up'
exit 1
END
chmod +x search
mkdir -p build/bin/audit
cmake -S tree -B build >log 2>&1 || { cat log && exit 1; }

expect 0 "core/count.cc:3:21  get  load       acquire  to relaxed" --list
expect 1 "takes flags only" word
expect 1 "no mutant has 'nothing' in its name" --only=nothing
expect 1 "--jobs is 1 to 64" --jobs=0
expect 2 "no sources of the core in tree/none/core" --source=tree/none
expect_searched 0 "nothing to search yet"

# A kill in the middle loses one search: here that of the core as it is and the first mutant are kept.
expect 77 "1 mutants: 0 found, 0 kept with a reason, 1 survive without one" --only=load
expect_searched 2 "as it is, and the load"
: >wait
"$audit" --source=tree --build=build --out=out --seconds=1 --jobs=2 >killed 2>&1 &
for _ in {1..600}; do [ -s waits ] && break || sleep 0.05; done
kill -KILL $!
{ wait $!; } 2>/dev/null
kill -KILL "$(cat waits)" # or the next start waits for its end
rm -f wait
expect_searched 3 "killed in the next"
expect 77 "4 mutants: 3 found, 0 kept with a reason, 1 survive without one" --json=again.json
expect_searched 5 "the next again, and the one that is not milder"
grep -q '"verdict": "found-milder"' again.json || offend 'no JSON'
says "found: G2 by count_test"
says "found: as acquire"
expect 77 "4 mutants: 3 found" --seed=1
expect_searched 5 "nothing is new"

# An explanation is no change of the code; another search has to find again what it can.
core "audit[acquire to relaxed] kept: a reason."
expect 0 "3 found, 1 kept with a reason, 0 survive"
expect_searched 5 "only a comment has changed"
core "audit[acquire to relaxed] kept:"
expect 1 "core/count.cc:2: wants the form audit[ORDER to WEAKER, ...] kept: REASON"
core "audit[acquire to relaxed] kept: a reason."
expect 0 "3 found, 1 kept" --seed=2
expect_searched 7 "as it is and the load under another seed"

# A core that fails as it is proves nothing.
printf 'int more;\n' >>tree/core/count.cc
sed -i 's/^grep -q.*/true/' search
expect 2 "the core as it is fails: G2 by count_test" --seed=3
sed -i 's/^echo .seed.*/true/' search
expect 2 "count_test ended with 1; see " --seed=4

all_as_expected
