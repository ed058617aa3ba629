#!/bin/bash -eu
# SPDX-License-Identifier: Apache-2.0
# The targets are built as for every service.
exec bash -eux "$SRC/lastput/.clusterfuzzlite/build.sh"
