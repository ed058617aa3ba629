#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# units_test.sh TREE: whether systemd takes the units, and the command in them is one. Exit codes: 0; 1 after all that is wrong has been
# told; 3 there is no systemd here.
set -u -o pipefail
cd -- "${1:?usage: units_test.sh TREE}" || exit 1
wrong=0
offend() { echo "units: $1"; wrong=1; }

units=(stress/systemd/lastput-nightly.service stress/systemd/lastput-nightly.timer)
help=$(./lastput nightly --help) || offend 'no verb nightly'
for flag in $(grep -ohE -- '--[a-z]+=' "${units[@]}"); do
  grep -qF -- "  $flag" <<<"$help" || offend "./lastput nightly has no flag $flag"
done
for name in "${units[@]}"; do
  grep -q "$(basename -- "$name" .service)" FUZZING.md || offend "FUZZING.md does not tell of $name"
done
[ $wrong -eq 0 ] || exit 1
command -v systemd-analyze >/dev/null || { echo 'SKIPPED: no systemd-analyze here'; exit 3; }
# It wants a place for what it runs with, and complains of nothing else.
XDG_RUNTIME_DIR=$(mktemp -d) || exit 1
export XDG_RUNTIME_DIR
trap 'rm -rf -- "$XDG_RUNTIME_DIR"' EXIT
said=$(systemd-analyze --user verify "${units[@]}" 2>&1) || offend "systemd-analyze: $said"
[ -z "$said" ] || offend "systemd-analyze: $said"
[ $wrong -ne 0 ] || echo 'units: all as expected'
exit $wrong
