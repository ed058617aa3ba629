# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# Several processes of one fuzz target that share a corpus folder: ./lastput fuzz --jobs=N. Not libFuzzer's -fork, which starts
# processes anew every few seconds and tells a failure in words of its own: here each process is a run as without --jobs, with
# the seeds SEED, SEED + 1, ..., and libFuzzer's -reload brings what one finds to the others. The first failure ends all of them.
# Sourced by ./lastput.

# shellcheck disable=SC2034  # for verb.sh
readonly MOST_JOBS=64
readonly SECONDS_TO_END=10 # after which a process that was asked to end is killed

# The executions so far, which the targets add up in a file of eight bytes ($LASTPUT_EXECUTIONS).
shared_executions() { od -An -tu8 -- "$1" 2>/dev/null | tr -d ' '; }

# end_jobs PID...: asks them to end, and sees that they do.
end_jobs() {
  local waited=0
  kill "$@" 2>/dev/null
  while kill -0 "$@" 2>/dev/null && [ $waited -lt $((SECONDS_TO_END * 5)) ]; do
    sleep 0.2
    waited=$((waited + 1))
  done
  kill -KILL "$@" 2>/dev/null
}

# first_ended PID...: the index of the first that is no more, if there is one.
first_ended() {
  local i
  for ((i = 1; i <= $#; i++)); do
    kill -0 "${!i}" 2>/dev/null || { echo $((i - 1)) && return; }
  done
  return 1
}

# run_jobs N SEED LOG PROGRAM ARGUMENTS...: leaves LOG.1 ... LOG.N, and the end of one of them in LOG: a failure's, if there is
# one. Returns the exit code of that one.
run_jobs() {
  local count=$1 seed=$2 log=$3 counter pids=() codes=() i ended start=$SECONDS told=$SECONDS now stopped=
  shift 3
  counter=$(mktemp -- "$log.executions.XXXXXX") && head -c 8 /dev/zero >"$counter" || die $BROKEN "cannot write beside $log"
  rm -f -- "$log".[0-9]*
  for ((i = 0; i < count; i++)); do
    # Of a session of its own: Ctrl-C is for the driver, which ends them once.
    LASTPUT_EXECUTIONS=$counter setsid "$@" -seed=$((seed + i)) >"$log.$((i + 1))" 2>&1 &
    pids+=($!)
  done
  trap 'stopped=yes' INT TERM HUP
  until [ -n "$stopped" ] || ended=$(first_ended "${pids[@]}"); do
    sleep 0.2
    [ "$told" -lt $SECONDS ] || continue
    told=$SECONDS now=$(shared_executions "$counter")
    printf '%s executions, %s/s, %d jobs\n' "$now" $((now / (SECONDS - start))) "$count"
  done
  trap '' INT TERM HUP
  end_jobs "${pids[@]}"
  ended=${ended:-0}
  wait "${pids[ended]}"
  codes[ended]=$?
  for ((i = 0; i < count; i++)); do
    wait "${pids[i]}"
    codes[i]=$?
    [ "${codes[i]}" -eq 0 ] || [ "${codes[ended]}" -ne 0 ] || ended=$i
  done
  trap - INT TERM HUP
  cp -- "$log.$((ended + 1))" "$log"
  if [ "${codes[ended]}" -eq 0 ]; then
    jobs_summary $((SECONDS - start)) "$(shared_executions "$counter")" "$log".[0-9]*
  else
    for ((i = 0; i < count; i++)); do
      [ "$i" -eq "$ended" ] || [ "$(exit_code_of "${codes[i]}" "$log.$((i + 1))")" -ne $FOUND ] || tell_other_failure "$log.$((i + 1))"
    done
    words_of_job "$log" | filter_words
  fi
  rm -f -- "$counter"
  return "${codes[ended]}"
}

# Without its first line and its progress, of which all jobs have their own.
words_of_job() { sed -e '/^lastput: target /d' -e '/^[0-9]* executions, /d' -- "$1"; }

tell_other_failure() { # LOG
  say "another process failed, too: $(grep -m1 '^SUMMARY: ' -- "$1" || echo 'in its own words'); all of it: $1"
}

# The summary of a run, over several: sums, and the edges of the one that reached most; the last line is "executions: N".
jobs_summary() { # SECONDS EXECUTIONS LOG...
  awk -v seconds="$1" -v executions="$2" -F'[: ]+' '
    $1 == "inputs" { inputs += $2 }
    $1 == "edges" && $2 >= edges { edges = $2; all = $4 }
    /^operations dropped/ { dropped += $3; operations += $5 }
    /^cut off/ { cut = 1; cut_off += $3 }
    END {
      printf "seconds: %d\njobs: %d\ninputs: %d\n", seconds, ARGC - 1, inputs
      printf "executions per second: %d\n", executions / (seconds ? seconds : 1)
      printf "edges: %d of %d\noperations dropped: %d of %d\n", edges, all, dropped, operations
      if (cut) printf "cut off: %d\n", cut_off
      printf "executions: %s\n", executions
    }' "${@:3}"
}
