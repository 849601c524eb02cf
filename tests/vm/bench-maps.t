#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# iotlb-bench as a guest that maps and unmaps: every map, direction and shape of
# packets, with exact counts of what vhost has asked for and was told.

set -uo pipefail

here=$(dirname "$(readlink -f "$0")")
# shellcheck source-path=SCRIPTDIR source=tap.sh
. "$here/tap.sh"

readonly packets=300

# Read once, and not for each run, from where it is built.
cp "$build/iotlb-bench" bench || bail_out "no iotlb-bench"

# run OPTION...: a line of names and one of results, which are looked at later
# all together.
run()
{
	echo "$*" >>names
	./bench --quiet --json --timeout $((20 * slowness)) -n "$packets" "$@" >result 2>>bench.err
	[[ -s result ]] || echo null >result
	cat result >>results
}

each_shape()
{
	local shape direction
	local all='--fragments --chain 4 --indirect --event-idx --iova vtd'

	for direction in tx rx both; do
		run --direction "$direction" "$@"
		# shellcheck disable=SC2086 # options
		run --direction "$direction" "$@" $all
	done
	for shape in --fragments '--chain 3' '--indirect --chain 3' --event-idx; do
		# shellcheck disable=SC2086
		run "$@" $shape
	done
	run "$@" -f 16 --fragments --chain 4 --event-idx
	run "$@" -f 40 --fragments --chain 9 --indirect --size 1500
	run "$@" -f 4 --devices 3 --fragments --iova vtd
}

for map in fixed sweep strict lazy; do
	each_shape --map "$map"
done
# Few enough to stay, so that none is missed twice.
each_shape --map random --working-set 640

for page in 2m 1g; do
	run --map strict --page $page --iova vtd -f 4
	run --map lazy --page $page -f 4
	run --map random --page $page --working-set 640
done

run --map strict --no-invalidate
run --map lazy --no-invalidate
run --map strict --no-invalidate --iova vtd --fragments --chain 2 -f 4
run --map strict --no-invalidate --page 2m

tap_number=$(wc -l <results)
jq -rn --rawfile names names -f "$here/bench-maps.jq" results
[[ ! -s bench.err ]] || sed 's/^/# /' bench.err

# misses OPTION...: of a working set of which some pages are not used
misses()
{
	./bench -q -j -n "$packets" --map random --working-set 512 "$@" |
		jq -c '.tx.misses, .rx.misses'
}

misses >first
misses >second
misses --seed 2 >third
ok "a random choice is the same again" cmp -s first second
ok "another seed, another choice" not cmp -s first third

refuses "identity and strict" 2 'needs --map fixed' ./bench --map strict --iova identity
refuses "fragments of large pages" 2 'needs --page 4k' ./bench --fragments --page 2m
refuses "a table that changes" 2 'needs --iova vtd' ./bench --map lazy --server none
refuses "too many descriptors" 2 'puts them elsewhere' ./bench -f 256 --chain 2
plan
