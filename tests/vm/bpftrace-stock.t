#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# vm: --stock --param vhost.max_iotlb_entries=61 --timeout 1800
#
# tools/bpftrace/*-stock.bt, on modules without the patches. These may report a
# miss twice, so iotlb-bench says how many there were. The IOTLB has room for 61
# translations.

# shellcheck disable=SC2016 # in single quotes, $ begins a variable of jq

set -uo pipefail

here=$(dirname "$(readlink -f "$0")")
# shellcheck source-path=SCRIPTDIR source=tap.sh
. "$here/tap.sh"
# shellcheck source-path=SCRIPTDIR source=bpftrace.sh
. "$here/bpftrace.sh"

readonly send="$build/iotlb-bench -q -j --direction tx -n 97 -m"

ok 'misses-stock.bt' trace "$send sweep" misses-stock.bt
ok 'misses by virtqueue' says '
$maps["@queue"] | keys_without_device == {"1": ($misses | add)}'
ok 'misses by region' says '
$maps["@region"] | keys_without_device | .["0x400000000000"] == $misses.buffer and
(values | add) == ($misses | add)'

ok 'missing-pages-stock.bt' trace "$send strict" missing-pages-stock.bt
ok 'misses by page' says '
$maps["@page"] | values | .[-1] == $misses.buffer and add == ($misses | add)'

ok 'miss-latency-stock.bt' trace "$send sweep" miss-latency-stock.bt
ok 'every packet has waited' says '
$maps["@us"] | keys_without_device | keys == ["1"] and counts == 97'

ok 'invalidations-stock.bt' trace "$send strict" invalidations-stock.bt
ok 'who invalidates' says '
$maps["@count"] | length == 1 and values == [97] and
(keys[0] | startswith("iotlb-bench,"))'
ok 'how much' says '
$maps["@size"] | values == [[{"min": 4096, "max": 8191, "count": 97}]]'
ok 'from where' says '$maps["@stack"] | values == [97]'

ok 'storms-stock.bt' trace "$send sweep" storms-stock.bt 5 3600000
ok 'a storm' says '$maps["@storms"] | keys_without_device == {"1": 1}'
ok 'how bad it was' says '$maps["@most"] | keys_without_device == {"1": ($misses | add)}'
ok 'it was told' says '
$text | test(" device 0x[0-9a-f]+, virtqueue 1: 5 misses within 3600000 ms\n")'

ok 'invalidated-unused-stock.bt, all used' trace "$send strict" invalidated-unused-stock.bt
ok 'what was used' says '$maps["@count"] == {"iotlb-bench,used": 97}'
ok 'invalidated-unused-stock.bt, none used' trace "$unused" invalidated-unused-stock.bt
ok 'what was not' says '
$maps["@count"] | with_entries(.key |= sub(".*,"; "")) == {"unused": 5, "absent": 3}'

ok 'eviction-age-stock.bt' trace "$send sweep" eviction-age-stock.bt
ok 'what had to go' says '$maps["@evictions"] | values == [($misses | add) - 61]'
ok 'how old it was' says '
([$maps["@ms"][][].count] + [$maps["@of_unknown_age"] // {} | .[]] | add) ==
($misses | add) - 61 and ([$maps["@ms"][][].count] | add) >= 97 - 61'
plan
