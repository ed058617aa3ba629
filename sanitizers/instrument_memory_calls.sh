#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# A compiler launcher for code under the engine: instrument_memory_calls.sh COMPILER ARGUMENTS...
#
# clang before 15 lets instrumented code call memcpy, memmove and memset by their own names, for a
# runtime that interposes on them for the whole process. The engine must not: it would meet its own
# calls. So the object file gets the names that later versions use.
set -eu
"$@"
object=
while [ $# -gt 0 ]; do
  if [ "$1" = -o ]; then object=$2; fi
  shift
done
case $object in
  *.o) objcopy --redefine-sym memcpy=__tsan_memcpy --redefine-sym memmove=__tsan_memmove \
    --redefine-sym memset=__tsan_memset "$object" ;;
esac
