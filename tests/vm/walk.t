#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# host
#
# Ten million page walks through guests made at random, each of which must end
# as the reference in tests/walk says. With another number in SEED they are
# others; a failure prints how to repeat it.

set -uo pipefail

repo=$(readlink -f "$(dirname "$0")/../..")
exec "${BUILD:-$repo/build}/tests/walk_equality" --seed "${SEED:-1}"
