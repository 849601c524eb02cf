#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# vm: --timeout 1200 --env SVA_INVALIDATIONS
#
# Two processes of a guest share a device, at the same virtual addresses. Their
# tables are walked by iotlbd, and with --resolve by the kernel: each frame comes
# out of, and into, the memory of its own process.

# shellcheck disable=SC2016 # $ begins a variable of jq

set -uo pipefail

here=$(dirname "$(readlink -f "$0")")
# shellcheck source-path=SCRIPTDIR source=tap.sh
. "$here/tap.sh"
# shellcheck source-path=SCRIPTDIR source=daemon.sh
. "$here/daemon.sh"
# shellcheck source-path=SCRIPTDIR source=sva_guest.sh
. "$here/sva_guest.sh"

# Each goes both ways.
count=$(fewer 300)

all_good="sent $count received $count crossed 0"

# total FILTER: is this true of the sums?
total()
{
	json out ".[] | select(.kind == \"total\") | $1"
}

# served WHAT: nothing was left to somebody else, and who has walked is as wanted.
served()
{
	if [[ $how == --resolve ]]; then
		ok "$1: the kernel walks" total ".resolved >= 2 * $count and .large == 0"
	else
		ok "$1: iotlbd walks" total '.resolved == 0 and .answered > 0'
	fi
	ok "$1: all that was delivered was answered" total '.failed == 0 and
		.misses == .answered + .duplicates + .stale + .unanswered'
}

# Bound at the control socket, nested in the second level of the device.
test_bound()
{
	local what="bound${how:+, $how}"

	guest
	iommu "$legacy"
	# shellcheck disable=SC2086 # no argument, or one
	start --vtd vtd --control "$socket" --json $how
	ok "$what: PASIDs" alloc
	ok "$what: page tables" bind
	ok "$what: the virtqueues start" says running run
	ok "$what: each has its own bytes" says "$all_good" traffic "$count"

	ok "$what: unbind" ctl unbind "$device" "$tx"
	ask send 3 >>replies
	ok "$what: it is said that nothing is bound" wait_for grep -q \
		"device $device of .*: nothing is bound to PASID $tx; queue 1 waits to " err
	ok "$what: it waits" says waiting state
	ok "$what: the other process does not" says "sent 0 received $count crossed 0" \
		receive "$count"
	ok "$what: it still waits" says waiting state
	ok "$what: bound again" ctl bind "$device" "$tx" "$root_tx"
	ok "$what: it goes on" says "frame 3" wait
	ok "$what: each still has its own bytes" says "$all_good" traffic "$count"

	# The one with the tables of the other: only what is bound tells.
	ok "$what: freed" ctl free "$device" "$rx"
	ok "$what: allocated again" ctl alloc "$device" --min="$rx" --max="$rx"
	ok "$what: and bound" ctl bind "$device" "$rx" "$root_rx"
	ok "$what: and all is well" says "$all_good" traffic "$count"

	# Beyond the last page that is mapped
	ask send 16 >>replies
	ok "$what: what is not mapped is a fault that has a name" wait_for grep -q \
		"no translation of 0x7f1234420000 of PASID $tx: .* (fault present, table first-level, level 1); queue 1 waits to read there" err
	ok "$what: iotlbd ends well" stop
	served "$what"
	leave
}

# Under traffic: nothing that was there before is sent when iotlbd has replied.
test_race()
{
	local what="race${how:+, $how}" reply rounds

	rounds=$(fewer 200)
	guest
	iommu "$legacy"
	# shellcheck disable=SC2086
	start --vtd vtd --control "$socket" --json $how
	alloc
	bind
	ok "$what: the virtqueues start" says running run
	reply=$(ask race "$rounds" "$socket")
	echo "# $reply"
	ok "$what: nothing stale, crossed or lost" grep -qxE \
		"switched $((rounds / 4)) invalidated $((rounds * 3 / 4)) stale 0 crossed 0 lost 0 frames [0-9]{2,}" \
		<<<"$reply"
	ok "$what: iotlbd ends well" stop
	ok "$what: all was answered" total '.failed == 0'
	leave
}

# flood WHAT WAY COUNT SKIPPED: COUNT invalidations of each granularity, and what came of it
flood()
{
	local reply

	guest
	iommu "$legacy"
	# shellcheck disable=SC2086
	start --vtd vtd --control "$socket" --json -p "$guest_pid" $how
	reply=$(ask flood "$2" "$3" "$4" "$socket")
	echo "# $1: $reply"
	ok "$1: iotlbd ends well" stop
	leave
	read -r -a flooded <<<"$reply"
}

# field NAME [NTH]: of that
field()
{
	local i

	for i in "${!flooded[@]}"; do
		[[ ${flooded[i]} != "$1" ]] || echo "${flooded[i + ${2:-1}]}"
	done
}

# flood_all WAY COUNT: all are done, and have their effect
flood_all()
{
	local what="flood by $1${how:+, $how}" count=$2

	flood "$what" "$1" "$count" none
	ok "$what: of addresses" test "$(field address)" -ge "$count"
	ok "$what: of PASIDs" test "$(field pasid)" -ge "$count"
	ok "$what: of domains" test "$(field domain)" -ge "$count"
	ok "$what: from process to process" test "$(field switched)" -ge $((count / 500))
	ok "$what: nothing stale" test "$(field stale) $(field stale 2) $(field stale 3)" = "0 0 0"
	ok "$what: nothing crossed or lost" test "$(field crossed) $(field lost)" = "0 0"
	ok "$what: their effect is seen" test "$(field renewed)" -ge $((count / 100))
}

# Many more, of each granularity, with frames of several devices under way.
test_flood()
{
	local skipped nth=0 what

	flood_all socket "$(fewer 1000)"
	flood_all library "${SVA_INVALIDATIONS:-$(fewer 5000)}"
	# What the kernel resolves, but for rings, it does not keep.
	[[ -z $how ]] || return
	for skipped in address pasid domain; do
		nth=$((nth + 1))
		what="flood without $skipped"
		flood "$what" library "$(fewer 2000)" "$skipped"
		ok "$what: found" test "$(field stale $nth)" -gt 0
	done
}

# An IOMMU in scalable mode: the guest says it all in its memory.
test_tables()
{
	local what="scalable mode${how:+, $how}"

	guest
	iommu "$scalable"
	# shellcheck disable=SC2086
	start --vtd vtd --json $how
	ok "$what: the virtqueues start" says running run
	ok "$what: each has its own bytes" says "$all_good" traffic "$count"
	ask send 16 >>replies
	ok "$what: a fault" wait_for grep -q \
		"no translation of 0x7f1234420000 of PASID $tx: .* (fault present, table first-level, level 1)" err
	ok "$what: iotlbd ends well" stop
	served "$what"
	leave
}

# A PASID table that is attached at the control socket.
test_attached()
{
	local what="attached${how:+, $how}"

	guest
	iommu "$legacy"
	# shellcheck disable=SC2086
	start --vtd vtd --control "$socket" --json $how
	ok "$what: the table" ctl attach "$device" "$directory" --bits=13
	ok "$what: the virtqueues start" says running run
	ok "$what: each has its own bytes" says "$all_good" traffic "$count"
	ok "$what: detach" ctl detach "$device"
	ask send 3 >>replies
	# Nobody manages PASIDs any more, and an IOMMU in legacy mode has none.
	ok "$what: a fault" wait_for grep -q \
		"no translation of 0x[0-9a-f]* of PASID $tx: .* (fault pasid-request, table root, level 0)" err
	ok "$what: it waits" says waiting state
	ok "$what: attached again" ctl attach "$device" "$directory" --bits=13
	ok "$what: it goes on" says "frame 3" wait
	ok "$what: iotlbd ends well" stop
	served "$what"
	leave
}

# leads WHERE PASID NTH [OPTION]: what iotlbctl says of a process's buffer
leads()
{
	local said

	said=$("$build/iotlbctl" -s "$socket" translate "$device" "$2" \
		$((0x7f1234410000 + $3 * 4096)) "${@:4}" 2>&1 | sed 's/^0x.*gpa 0x[0-9a-f]* //')
	[[ $said == "$1" ]] && return
	echo "# $said"
	return 1
}

# Entries that nobody has used yet: whoever walks sets their flags, as hardware does.
# The kernel can; iotlbd alone cannot, and says so.
test_flags()
{
	local what="flags${how:+, $how}" reply
	local none="tables 0 pages 0 dirty 0 odd 0"

	guest
	iommu "$legacy"
	# shellcheck disable=SC2086
	start --vtd vtd --control "$socket" --json $how
	alloc
	bind
	if [[ $how != --resolve ]]; then
		ok "$what: the virtqueues start" says running run
		# Its rings would be missing else; this buffer has no neighbour in common
		# with the next.
		ask send 12 >>replies
		ok "$what: the sender has its rings" says "frame 12" wait
		ask clear >>replies
		ask send 3 >>replies
		ok "$what: what nobody can set is a fault that has a name" wait_for grep -q \
			"no translation of 0x7f1234413000 of PASID $tx: .* (fault accessed-dirty, table first-level, level 4)" err
		ok "$what: it waits" says waiting state
		ok "$what: as iotlbctl does" leads "iotlbctl: fault: the paging \
entry's accessed or dirty flag is not set (first-level, level 4)" "$tx" 3
		ok "$what: nothing is set" says \
			"receiver: $none, sender: $none, heir: $none" flags
		ok "$what: iotlbd ends well" stop
		leave
		return
	fi
	ask clear >>replies
	ok "$what: what will be read is told" leads "r, accessed not set yet" "$tx" 3
	ok "$what: and what will be written" leads "rw, accessed not set yet" \
		"$tx" 3 --access=w
	ok "$what: no page is a fault for the kernel, too" leads "iotlbctl: fault: the paging \
entry is not present (first-level, level 1)" "$tx" 17
	ok "$what: nobody has set anything for that" says \
		"receiver: $none, sender: $none, heir: $none" flags
	ok "$what: the virtqueues start" says running run
	ok "$what: each has its own bytes" says "$all_good" traffic "$count"
	ok "$what: what was read is accessed" leads r "$tx" 3
	ok "$what: and not dirty" leads "rw, dirty not set yet" "$tx" 3 --access=rw
	# Rings: descriptors, what is available, and what is used, which is written.
	# Buffers: those that are received into are written.
	ok "$what: all that is used has them, and nothing else" says \
		"receiver: tables 3 pages 19 dirty 17 odd 0, sender: tables 3 pages 19 dirty 1 odd 0, heir: $none" \
		flags
	ok "$what: a guest that changes the entries" says \
		"$all_good, all is as changed" change "$count"
	reply=$(ask race "$(fewer 40)" "$socket")
	echo "# $reply"
	ok "$what: nothing stale, crossed or lost" grep -qx \
		"switched .* stale 0 crossed 0 lost 0 frames [0-9]*" <<<"$reply"
	ok "$what: iotlbd ends well" stop
	served "$what"
	leave
}

# Without an IOMMU, what a process has for physical is guest-physical.
test_flat()
{
	guest flat
	start --translator identity --control "$socket" --json
	alloc
	bind
	ok "no IOMMU: the virtqueues start" says running run
	ok "no IOMMU: each has its own bytes" says "$all_good" traffic "$count"
	ok "no IOMMU: iotlbd ends well" stop
	how='' served "no IOMMU"
	leave
}

tests=(
	test_bound
	test_race
	test_flood
	test_tables
	test_attached
	test_flags
)

# By hand, some of them can be named.
[[ $# -eq 0 ]] || tests=("$@")
for how in '' --resolve; do
	for test in "${tests[@]}"; do
		"$test"
	done
done
[[ $# -gt 0 ]] || test_flat
plan
