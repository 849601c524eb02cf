#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# vm: --patches 8
#
# iotlb-top on a kernel that has the tracepoints, but not yet the watchdog.

# shellcheck disable=SC2016 # in single quotes, $ begins a variable of jq

set -uo pipefail

here=$(dirname "$(readlink -f "$0")")
# shellcheck source-path=SCRIPTDIR source=tap.sh
. "$here/tap.sh"

# counted OPTION...: what iotlb-top says of traffic is in the file out.
counted()
{
	local top

	"$build/iotlb-top" -v "$@" 3600 >out 2>err &
	top=$!
	wait_for grep -q 'counting$' err
	"$build/iotlb-bench" -q --direction tx -n 97 -m sweep >bench.out 2>bench.err
	kill -INT $top
	wait $top
}

json()
{
	jq -se "length == 1 and (.[0] | ($1))" out >/dev/null
}

ok 'it counts' counted -j
ok 'what there is' json '.total | .misses == 97 + 3 and .updates == .misses'
ok 'what there is not has no count' json '
[.total, .delta, .devices[].queues[].total | .fallback] | length == 3 and all(. == null)'
ok 'nor has the age check' json '
[.total, .delta, .devices[].total | .stale] | length == 3 and all(. == null)'

ok 'it counts for people' counted -T
ok 'both columns have a dash' test "$(awk '
	$1 == "TIME" { for (i = 1; i <= NF; i++) column[$i] = i; n = NF }
	NF == n && / 100 / { print $column["FALLBACK"] $column["STALE"] }' out)" = --
ok 'nothing is said of a watchdog' not grep -q 'watchdog\|age check' out
plan
