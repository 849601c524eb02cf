#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# vm: --timeout 600
#
# Watching changes nothing: what iotlb-bench has counted itself is the same
# whoever looks on.

set -uo pipefail

here=$(dirname "$(readlink -f "$0")")
# shellcheck source-path=SCRIPTDIR source=tap.sh
. "$here/tap.sh"

# All that does not depend on time: packets, misses, maps, messages
readonly counts='[.good, (.tx, .rx | del(.packet_ns, .rtt_ns, .kicks, .rtt_left_out)), .unanswered]'

# traffic FILE: of three kinds, with prime numbers of packets
traffic()
{
	local options

	for options in '-m sweep -n 211' '-m strict -n 97 --fragments -D 2' \
		'-m fixed -n 499 --chain 3 --event-idx'; do
		# shellcheck disable=SC2086
		"$build/iotlb-bench" -q -j --direction both $options 2>bench.err
	done >bench.out
	jq -c "$counts" bench.out >"$1"
}

# watched_by WHAT [OPTION]...: iotlb-top with these, which counts by WHAT.
watched_by()
{
	local what=$1 top

	shift
	"$build/iotlb-top" -v -j "$@" 0.1 >out 2>err &
	top=$!
	ok "by $what: it watches" wait_for grep -q 'counting$' err
	traffic with
	kill -INT $top
	wait $top
	ok "by $what: it has seen all" test \
		"$(jq -s '.[-1].total.hits.buffer' out)" -gt $((2 * 3 * 499))
	ok "by $what: all is as without it" cmp -s without with
}

traffic without
ok 'there is something to compare' test "$(wc -l <without)" -eq 3
traffic again
ok 'without anybody, it is the same each time' cmp -s without again
watched_by tracepoints
watched_by probes --probes
plan
