#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# vm: --patches 21
#
# Tools that know PASIDs, on a vhost that has no address spaces yet.

# shellcheck disable=SC2016 # in single quotes, $ begins a variable of jq

set -uo pipefail

here=$(dirname "$(readlink -f "$0")")
# shellcheck source-path=SCRIPTDIR source=tap.sh
. "$here/tap.sh"
# shellcheck source-path=SCRIPTDIR source=bpftrace.sh
. "$here/bpftrace.sh"

readonly send="$build/iotlb-bench -q -j --direction tx -n"

# counted OPTION...: what iotlb-top says of traffic is in the file out.
counted()
{
	local top

	"$build/iotlb-top" -v "$@" 3600 >out 2>err &
	top=$!
	wait_for grep -q 'counting$' err
	$send 97 -m strict >bench.out 2>bench.err
	kill -INT $top
	wait $top
}

json()
{
	jq -se "$1" "${2:-out}" >/dev/null
}

# old_trace COMMAND SCRIPT: as the script says, without what this vhost does not tell
old_trace()
{
	sed 's/args->asid/0/g; s/args->all_asids/0/g; /vhost_iotlb_fail$/,/^}/d' "$scripts/$2" >old.bt
	bpftrace -f json -c "$1" old.bt >out 2>err && [[ ! -s err ]]
}

record()
{
	# shellcheck disable=SC2086 # several words
	"$build/iotlb-record" -f -o r.html -- $send 97 -m strict >out 2>err
}

ok 'iotlb-top counts' counted -j
ok 'all' json '.[-1].total | .misses == 97 + 3 and .updates == .misses and
.invalidations == 97 and (.latency_ns.log2 | add) == .misses'
ok 'in one address space' json '
.[-1].devices[0] | [.queues[].pasid] == [0] and .pasids == []'
ok 'accesses that fail are not known' json '
[.[-1].total, .[-1].devices[0].queues[].total | .failed_accesses] | all(. == null)'
ok 'so it does for people' counted --by pasid
ok 'with a line for the device' grep -q ' iotlb-bench.* - .* 100 \|iotlb-bench.* 100 ' out

ok 'iotlb-record records' record
ok 'all' json '.[0] | .total.misses == 100 and .lost_events == 0 and
([.maps[].iova.misses[][2]] | add) == 100 and [.maps[].pasid] == [0]' r.json
ok 'but accesses that fail' json '.[0] | .unavailable == ["accesses_failed"] and
.total.accesses_failed == 0' r.json
ok 'and says nothing of PASIDs' not grep -q PASID r.html

ok 'misses.bt' old_trace "$send 97 -m sweep" misses.bt
ok 'by region' says '$maps["@region"] | values == [1, 2, 97]'
ok 'missing-pages.bt' old_trace "$send 97 -m strict" missing-pages.bt
ok 'by page' says '$maps["@page"] | values == [1, 1, 1, 97]'
ok 'miss-latency.bt' old_trace "$send 97 -m sweep" miss-latency.bt
ok 'every miss has a latency' says '$maps["@us"] | counts == 100'
ok 'invalidated-unused.bt' old_trace "$send 7 -m strict" invalidated-unused.bt
ok 'what was used' says '$maps["@count"] == {"iotlb-bench,used": 7}'
ok 'eviction-age.bt' old_trace "$send 97 -m sweep" eviction-age.bt
plan
