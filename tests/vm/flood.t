#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# vm: --icount --timeout 900 --env KICKS --env KICKS_PER_LOOK --env ROUNDS
#
# A guest kicks a virtqueue a million times, always with another address that
# nobody can translate. The kernel's memory does not grow, a translation that
# comes after all is taken at once, and another device's misses hardly notice.
#
# Time is counted in instructions, on one CPU (tests/vm/run --icount), so that
# it is the same each time. The flood runs on that CPU too, and with the same
# priority. That takes its time from others, whatever it does; so there is a
# third measurement, with kicks of a virtqueue that has nothing to do. The other
# guest pauses between packets, so that the flood gets its turn.
#
# KICKS: how many; KICKS_PER_LOOK: after so many, vhost gets the CPU to look at
# the ring, so that it sees a miss; ROUNDS: how often times are taken

# shellcheck disable=SC2119 # stop sends another signal if it is told

set -uo pipefail

here=$(dirname "$(readlink -f "$0")")
# shellcheck source-path=SCRIPTDIR source=tap.sh
. "$here/tap.sh"
# shellcheck source-path=SCRIPTDIR source=daemon.sh
. "$here/daemon.sh"
# shellcheck source-path=SCRIPTDIR source=load.sh
. "$here/load.sh"

kicks=${KICKS:-$(fewer 1000000)}
per_look=${KICKS_PER_LOOK:-10}
rounds=${ROUNDS:-1}

# A message that stays for each hundredth miss would take more.
readonly kib_max=256

# iotlbd complains of no more than 1000 a second and leaves the device alone.
readonly most_per_second=1000

# is_flat FROM TO WHAT: it has not grown from one time to the other
is_flat()
{
	[[ $(($(value flood "$2_$3") - $(value flood "$1_$3"))) -le $kib_max ]]
}

all_flat()
{
	is_flat mark end SUnreclaim && is_flat mark end VmallocUsed &&
		is_flat end mark MemAvailable
}

goes_out()
{
	has flood used_before -eq 0 && has flood update_error -eq 0 &&
		has flood packet_is_good -eq 1
}

# The misses that vhost had, by the tracepoint
traced()
{
	awk '/^ *Hits:/ { print $2 }' "$events/vhost_iotlb_miss/hist"
}

# flood WHAT KICKS [NAME=NUMBER]...
flood()
{
	local what=$1 misses

	shift
	echo 'hist:keys=verdict' >"$events/vhost_iotlb_miss/trigger"
	ok "$what: $1 kicks" load_to flood flood "kicks=$1" "kicks_per_look=$per_look" "${@:2}"
	misses=$(traced)
	echo '!hist:keys=verdict' >"$events/vhost_iotlb_miss/trigger"
	ok "$what: vhost has missed that often ($misses)" \
		test "$misses" -ge $(($1 / per_look))
	ok "$what: the kernel's memory is as after 10,000 kicks" all_flat
	ok "$what: then there is a translation, and the packet goes out" goes_out
}

test_nobody()
{
	flood "nobody attached, nobody reads" "$kicks"
	flood "nobody attached, a reader without answers" $((kicks / 10)) reader=1
}

rss_kib()
{
	awk '/^VmRSS:/ { print $2 }' "/proc/$daemon/status"
}

test_daemon()
{
	local before seconds

	start --table table
	before=$(rss_kib)
	flood "iotlbd, nobody reads" "$kicks"
	ok "iotlbd's memory has not grown by more than 256 KiB" \
		test $(($(rss_kib) - before)) -le 256
	ok "iotlbd ends well" stop
	seconds=$(($(value flood flood_ms) / 1000 + 2))
	ok "iotlbd has looked at $(count UNANSWERED) of them, in $seconds s" \
		test "$(count UNANSWERED)" -le $((seconds * most_per_second)) -a \
		"$(count UNANSWERED)" -gt 0
	ok "nor has it written much" test "$(wc -l <err)" -le $((100 + 10 * seconds))
}

# latency FILE [NAME=NUMBER]...: of a device, with a flood like that if any
latency()
{
	local file=$1 flooding

	shift
	if [[ $# -gt 0 ]]; then
		load_started flood flooding flood kicks=100000000 kicks_per_look=1 "$@"
		flooding=$loading
		# Its first misses have gone the long way.
		sleep 0.1
	fi
	load_to "$file" latency
	[[ $# -eq 0 ]] && return
	kill "$flooding"
	wait "$flooding"
	has flood kicks -ge "$(fewer 10000)"
}

# times FILE FILE: how many hundredths the p99 of the first is of the second's
hundredths()
{
	echo $((100 * $(value "$1" p99_ns) / $(value "$2" p99_ns)))
}

test_latency()
{
	local ratio what

	start --table table
	ok "a device's misses alone" latency alone
	ok "beside a flood of kicks of an empty ring" latency beside_kicks empty=1
	ok "beside a flood of kicks for unknown addresses" latency beside_flood empty=0
	ratio=$(hundredths beside_flood alone)
	what="p99 at most doubles ($ratio%)"
	if is_debug_kernel; then
		ok "$what # SKIP most of it is the kernel's own checks" true
	else
		ok "$what" test "$ratio" -le 200
	fi
	echo "# $(hundredths beside_flood beside_kicks)% of that beside kicks of an empty ring"
	stop
}

load_mappings
test_nobody
test_daemon
for ((round = 0; round < rounds; round++)); do
	test_latency
done
plan
