#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# vm: --timeout 1200 --env SVA_PACKETS
#
# iotlb-bench as a guest of processes that share their address spaces with the
# devices: the same addresses are other pages for each of them. Every packet is
# verified, and says whose it is.

set -uo pipefail

here=$(dirname "$(readlink -f "$0")")
# shellcheck source-path=SCRIPTDIR source=tap.sh
. "$here/tap.sh"

readonly packets=${SVA_PACKETS:-$(fewer 300)}

# Read once, and not for each run, from where it is built.
cp "$build/iotlb-bench" bench || bail_out "no iotlb-bench"
cp "$build/iotlbd" iotlbd || bail_out "no iotlbd"

# run OPTION...: a line of names and one of results, which are looked at later
# all together.
run()
{
	echo "$*" >>names
	./bench --quiet --json --timeout $((30 * slowness)) -n "$packets" "$@" >result 2>>bench.err
	[[ -s result ]] || echo null >result
	cat result >>results
}

readonly fragments='--fragments --chain 4 --indirect --event-idx'

for map in fixed strict lazy 'random --working-set 640' remap; do
	# shellcheck disable=SC2086 # options
	{
		# Both virtqueues of a device, or each device, and who has one has two.
		run --sva 2 --map $map
		run --sva 2 --map $map --direction tx
		run --sva 3 --map $map --direction rx -f 4 --server one
		run --sva 2 --devices 2 --map $map -f 4
		run --sva 4 --map $map -f 16 $fragments
		run --sva 2 --map $map -f 8 --lifetime 25
		run --sva 4 --map $map -f 8 --lifetime 10 $fragments
		run --sva 2 --devices 2 --map $map -f 8 --lifetime 25 --server one
	}
done

# Pages that are not there before the device asks for them.
for map in fixed strict 'random --working-set 640' remap; do
	# shellcheck disable=SC2086 # options
	{
		run --sva 2 --map $map --page-requests
		run --sva 4 --map $map --page-requests -f 16 $fragments --server one
		run --sva 2 --map $map --page-requests -f 8 --lifetime 25
	}
done

# The same, and some of them never come: the packet fails, and is sent again.
for map in strict 'random --working-set 640' remap; do
	# shellcheck disable=SC2086 # options
	run --sva 2 --map $map --page-requests --refuse 7
done

# By iotlbd, and by the kernel: the tables are found by the IOMMU's context table,
# or attached.
for server in ring kernel; do
	run --sva 2 --server $server -f 4
	run --sva 2 --server $server --map strict --control
	run --sva 4 --server $server --map lazy -f 4 --lifetime 25
	# shellcheck disable=SC2086 # options
	run --sva 2 --server $server --map remap -f 4 $fragments --control
	run --sva 2 --devices 2 --server $server --map strict -f 4 --lifetime 25 --control
done

# Asked for at the control socket.
for server in ring kernel; do
	run --sva 2 --server $server --page-requests --control
	run --sva 2 --server $server --page-requests --control --map strict --refuse 5
	# shellcheck disable=SC2086 # options
	run --sva 4 --server $server --page-requests --control --map remap -f 4 $fragments
	run --sva 2 --server $server --page-requests --control --map strict -f 4 --lifetime 25
done

# Nothing is told, nothing is kept apart: this has to be found.
run --sva 2 --map strict --no-invalidate
run --sva 4 --map remap --no-invalidate --fragments -f 4
run --sva 2 --map remap --no-invalidate --server ring --control
run --sva 2 --one-space
run --sva 4 --one-space -f 8 --map random --working-set 640

tap_number=$(wc -l <results)
jq -rn --rawfile names names -f "$here/bench-sva.jq" results
[[ ! -s bench.err ]] || sed 's/^/# /' bench.err

# Each pasid of a device, by what the kernel shows while packets are under way.
spaces()
{
	./bench --quiet --json -n 100000000 --sva 2 >/dev/null 2>&1 &
	running=$!
	wait_for shows_spaces "$running"
	shown=$?
	kill "$running"
	wait "$running"
	return $shown
}

shows_spaces()
{
	grep -hs ^vhost-iotlb-as: "/proc/$1"/fdinfo/* | awk '{ print $2 }' | sort -n | xargs >as
	grep -qx '1 9' as
}

ok "the kernel knows two address spaces" spaces

refuses "half a process" 2 'each of its 2 virtqueues' ./bench --sva 3 --devices 2
refuses "processes by a table" 2 'not go with --iova table' ./bench --sva 2 --iova table
refuses "a sweep of processes" 2 'not go with --map sweep' ./bench --sva 2 --map sweep
refuses "large pages of processes" 2 'needs --page 4k' ./bench --sva 2 --page 2m
refuses "mappings that processes tell of" 2 'not go with --prefault' ./bench --sva 2 --prefault
refuses "a table of all processes" 2 'not go with --sva' ./bench --sva 2 --write-table -
refuses "pages that nobody has" 2 'remap needs --sva' ./bench --map remap
refuses "an end without a beginning" 2 'goes with --sva' ./bench --lifetime 5
refuses "one space for one" 2 'for each virtqueue' ./bench --sva 2 --devices 2 --one-space
refuses "control of nobody" 2 'with --server ring or kernel' ./bench --sva 2 --control
refuses "pages of nobody" 2 'goes with --sva only' ./bench --page-requests
refuses "pages that nobody asks for" 2 'needs --control' ./bench --sva 2 --server ring --page-requests
refuses "an order that is lost" 2 'needs --in-flight 1' ./bench --sva 2 --page-requests --refuse 2 -f 2
refuses "no processes" 2 "'0' is not a number from 1 to 128" ./bench --sva 0
plan
