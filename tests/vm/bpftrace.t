#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# vm: --param vhost.max_iotlb_entries=61 --timeout 1800
#
# tools/bpftrace/*.bt: what each script says of traffic of which all is known.
# The IOTLB has room for 61 translations.

# shellcheck disable=SC2016 # in single quotes, $ begins a variable of jq

set -uo pipefail

here=$(dirname "$(readlink -f "$0")")
# shellcheck source-path=SCRIPTDIR source=tap.sh
. "$here/tap.sh"
# shellcheck source-path=SCRIPTDIR source=bpftrace.sh
. "$here/bpftrace.sh"

readonly send="$build/iotlb-bench -q -j --direction tx -n"

# noticed: a packet is sent, and the file out says of it.
noticed()
{
	$send 1 >bench.out
	grep -q ' 1 misses within' out
}

test_end_of_command()
{
	ok 'misses.bt' trace "$send 97 -m sweep" misses.bt
	ok 'misses by virtqueue, and what for' says '
$maps["@queue"] | keys_without_device == {"1,buffer": 97, "1,ring": 3}'
	ok 'misses by region' says '
$maps["@region"] | keys_without_device ==
{"0,0x200000000000": 1, "0,0x240000000000": 2, "0,0x400000000000": 97}'
	ok 'nothing else is printed' says '$maps | keys == ["@queue", "@region"]'

	ok 'misses.bt with another size' trace "$send 97 -m sweep" misses.bt 0x80000000
	ok 'all is in one region' says '$maps["@region"] | values == [100]'

	ok 'missing-pages.bt' trace "$send 97 -m strict" missing-pages.bt
	ok 'misses by page' says '
$maps["@page"] | values == [1, 1, 1, 97]'

	ok 'miss-latency.bt' trace "$send 97 -m sweep" miss-latency.bt
	ok 'every miss has a latency' says '
$maps["@us"] | keys_without_device | keys == ["1"] and counts == 100'

	ok 'invalidations.bt' trace "$send 97 -m strict" invalidations.bt
	ok 'who invalidates' says '
$maps["@count"] | length == 1 and values == [97] and
(keys[0] | startswith("iotlb-bench,"))'
	ok 'how much' says '
$maps["@size"] | values == [[{"min": 4096, "max": 8191, "count": 97}]]'
	ok 'from where' says '
$maps["@stack"] | values == [97]'

	ok 'invalidated-unused.bt, all used' trace "$send 7 -m strict" invalidated-unused.bt
	ok 'what was used' says '
$maps["@count"] == {"iotlb-bench,used": 7}'
	ok 'invalidated-unused.bt, none used' trace "$unused" invalidated-unused.bt
	ok 'what was not' says '
$maps["@count"] | with_entries(.key |= sub(".*,"; "")) == {"unused": 5, "absent": 3}'

	ok 'eviction-age.bt' trace "$send 97 -m sweep" eviction-age.bt
	ok 'what had to go' says '
$maps["@evictions"] | values == [100 - 61]'
	ok 'how old it was' says '
($maps["@ms"] | counts == 100 - 61) and $maps["@of_unknown_age"] == null'

	ok 'storms.bt' trace "$send 97 -m sweep" storms.bt 5 3600000
	ok 'a storm' says '$maps["@storms"] | keys_without_device == {"1": 1}'
	ok 'how bad it was' says '$maps["@most"] | keys_without_device == {"1": 100}'
	ok 'it was told' says '
$text | test(" device [0-9]+, virtqueue 1: 5 misses within 3600000 ms\n")'
}

test_ctrl_c()
{
	local tracer

	"$scripts/storms.bt" 1 3600000 >out 2>err &
	tracer=$!
	ok 'it runs by itself, and tells at once' wait_for noticed
	$send 97 -m sweep >bench.out
	kill -INT "$tracer"
	wait "$tracer"
	ok 'Ctrl-C is a good end' test $? -eq 0
	ok 'what there was is printed, the most last' test \
		"$(grep '^@most' out | tail -n 1 | sed 's/.*, //')" = '1]: 100'
}

test_end_of_command
test_ctrl_c
plan
