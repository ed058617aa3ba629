#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Plays rr for tests, since the real one works on few machines: a "recording" holds what the program said, and a "replay" says it again. A link
# named rr, first in PATH, makes programs take it. $PLAYED_RR: soft (records with -W alone, as rr.soft where there are no counters; the
# default), hardware (without -W), broken (never), diverges (as soft, but replays something else).
kind=${PLAYED_RR-soft}

record() { # -o TRACE [-W] [--chaos] PROGRAM ARGUMENT...
  local trace=$2 by=hardware
  shift 2
  [ "$kind" != broken ] || { echo '[FATAL no counters' >&2 && exit 1; }
  mkdir -- "$trace" || exit 1
  while [[ $1 == -* ]]; do
    [ "$1" != -W ] || by=soft
    [ "$1" != --chaos ] || : >"$trace/chaos"
    shift
  done
  [ "$by" = "${kind/diverges/soft}" ] || { : >"$trace/incomplete" && exit 0; }
  : >"$trace/version" >"$trace/events_1"
  "$@" >"$trace/said" 2>&1
  local code=$?
  cat -- "$trace/said"
  exit $code
}

replay() { # [-a] [-W] TRACE [-- ARGUMENT-OF-GDB...]
  while [[ $1 == -* ]]; do shift; done
  cat -- "$1/said"
  [ "$kind" != diverges ] || echo "something else"
  [ "${2-}" != -- ] || echo "at the failure, in thread 2:"
}

case $1 in
  --version) echo "played rr" ;;
  record | replay) "$@" ;;
  pack) : >"$2/packed" ;;
esac
