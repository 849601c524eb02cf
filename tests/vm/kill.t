#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# vm: --timeout 1500 --env KILLS --env ROUNDS --env SEED
#
# iotlbd is killed at random moments while it starts and while it serves: no
# packet is lost, none is stuck. Then it is the owners of devices that are
# killed: nothing is left of them in iotlbd nor in the kernel.
#
# In the first half of the kills, what iotlbd had taken comes back with the end
# of its BPF link or by vhost's watchdog; in the other half only the former is
# left.
#
# KILLS, ROUNDS: how many; the times of all of them follow from SEED

# shellcheck disable=SC2119 # stop sends another signal if it is told

set -uo pipefail

here=$(dirname "$(readlink -f "$0")")
# shellcheck source-path=SCRIPTDIR source=tap.sh
. "$here/tap.sh"
# shellcheck source-path=SCRIPTDIR source=daemon.sh
. "$here/daemon.sh"
# shellcheck source-path=SCRIPTDIR source=load.sh
. "$here/load.sh"

kills=${KILLS:-$(is_debug_kernel && echo 40 || echo 200)}
rounds=${ROUNDS:-$(fewer 1000)}
seed=${SEED:-1}

# What all of the kernel's caches have in use, without what they keep for later.
# What vmalloc() gives back is cleared away by and by (vmap_area), so there it
# is the memory itself that is looked at.
list_objects()
{
	local cache

	echo 2 >/proc/sys/vm/drop_caches
	for cache in /sys/kernel/slab/*; do
		[[ -L $cache ]] || echo 1 >"$cache/shrink"
	done
	{
		awk 'NR > 2 && $1 != "vmap_area" { print $1, $2 }' /proc/slabinfo
		awk '/^(VmallocUsed|Percpu|KernelStack):/ { print $1, $2 }' /proc/meminfo
	} | sort
}

# What is there now that was not when "objects" was written, by number.
grown()
{
	list_objects | join objects - | awk '$3 > $2 { print $1, $3 - $2 }' | sort -k 2nr
}

# few_grown NUMBER: of none has become more by that many; what has been given
# back may be in use for some seconds yet.
few_grown()
{
	local most

	grown >grown.now
	read -r _ most <grown.now
	[[ ${most:-0} -lt $1 ]]
}

# What iotlbd has in use: files, memory in KiB, entries in maps
list_daemon()
{
	{
		echo "files $(find "/proc/$daemon/fd" -mindepth 1 | wc -l)"
		awk '/^(VmData|VmRSS):/ { print $1, $2 }' "/proc/$daemon/status"
		"$load" census | grep ^entries_
	} | sort
}

# Its memory may come from new pages, but not for each device.
same_daemon()
{
	join daemon.before daemon.after | sed 's/^/# /'
	join daemon.before daemon.after | awk '
		$1 == "files" && $3 != $2 || /^Vm/ && $3 - $2 > 256 { bad = 1 }
		END { exit bad }'
}

# Devices that have gone before they were found stay in the map "ignored", which
# forgets the oldest when it is full.
no_entries()
{
	! awk '/^entries_/ && $1 != "entries_ignored" && $2 > 0' daemon.after | grep .
}

check_objects()
{
	local what="the kernel's objects are as many as before"

	# KASAN keeps objects that were given back. It comes with a search for leaks.
	if is_debug_kernel; then
		ok "$what # SKIP kmemleak looks" true
		return
	fi
	ok "$what" wait_for few_grown $((rounds / 2))
	show grown.now
}

kill_daemon()
{
	load_to "$1" kill-daemon "kills=$((kills / 2))" "seed=$2" -- \
		"$build/iotlbd" -v --table table
}

is_clean()
{
	has "$1" lost -eq 0 && has "$1" corrupted -eq 0 && has "$1" stuck -eq 0 &&
		has "$1" verified -ge 1000
}

# Has a twentieth of the kills at least hit each stage?
all_stages()
{
	awk -v least=$((kills / 20)) '
		/^killed_at_/ { hits[$1] += $2 }
		END { for (stage in hits) if (hits[stage] < least) exit 1 }' "$@"
}

same_census()
{
	"$load" census >bpf.now
	cmp -s bpf.before bpf.now
}

test_kill_daemon()
{
	load_mappings
	"$load" census >bpf.before
	ok "$((kills / 2)) kills of iotlbd" kill_daemon first "$seed"
	ok "no packet was lost or stuck" is_clean first
	ok "vhost had to take over misses" has first taken_over -gt 0
	echo 0 >/sys/module/vhost/parameters/iotlb_miss_timeout_ms
	ok "$((kills / 2)) kills of iotlbd without the watchdog" kill_daemon second $((seed + 1))
	ok "no packet was lost or stuck without it" is_clean second
	echo 1000 >/sys/module/vhost/parameters/iotlb_miss_timeout_ms
	ok "iotlbd was hit at its start, at load, attach and service" all_stages first second
	ok "nothing of BPF is left in the kernel" wait_for same_census
}

test_kill_guest()
{
	local warm_up=$((rounds / 10))

	start --table table
	load_to guests kill-guest "rounds=$warm_up" "seed=$seed"
	wait_for holds 0
	list_daemon >daemon.before
	list_objects >objects

	ok "$((rounds - warm_up)) owners of devices are killed" \
		load_to guests kill-guest "rounds=$((rounds - warm_up))" "seed=$((seed + 1))"
	ok "none had to wait for ever" has guests stuck -eq 0
	ok "none saw a bad packet" has guests ended_by_itself -eq 0
	ok "some were killed before the first packet" \
		has guests killed_before_traffic -ge $((rounds / 20))
	ok "others later" has guests exchanges -ge "$rounds"
	ok "iotlbd holds none of their devices" wait_for holds 0
	list_daemon >daemon.after
	ok "nor any other file, nor memory" same_daemon
	ok "nor any entry in a map of those that it serves" no_entries
	check_objects
	stop
}

test_kill_daemon
test_kill_guest
plan
