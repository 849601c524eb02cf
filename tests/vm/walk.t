#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# host
#
# Ten million page walks through guests made at random, and ten million in nested
# mode, each of which must end as the reference in tests/walk says. With another
# number in SEED they are others, and COUNT is how many; a failure prints how to
# repeat it.

set -uo pipefail

repo=$(readlink -f "$(dirname "$0")/../..")
equality=${BUILD:-$repo/build}/tests/walk_equality

# results FIRST ARGUMENT...: its two results, as number FIRST and the next
results()
{
	local first=$1

	shift
	"$equality" --seed "${SEED:-1}" --count "${COUNT:-10000000}" "$@" |
		sed -E "/^1\.\./d; s/^((not )?ok )1 - /\1$first - /; t; s/^((not )?ok )2 - /\1$((first + 1)) - /"
}

echo 1..4
results 1
results 3 --nested
