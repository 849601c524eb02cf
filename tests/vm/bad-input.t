#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# vm: --timeout 900
#
# Where something is missing, refused, or killed in the middle: what is said,
# that nothing spins, and that no packet is lost. What iotlbd.t, iotlbd-stock.t
# and iotlb-top-stock.t check of this is not repeated.

# shellcheck disable=SC2016 # in single quotes, $ begins a variable of jq

set -uo pipefail

here=$(dirname "$(readlink -f "$0")")
# shellcheck source-path=SCRIPTDIR source=tap.sh
. "$here/tap.sh"
# shellcheck source-path=SCRIPTDIR source=daemon.sh
. "$here/daemon.sh"

# Packets that take seconds, so that there is a middle.
many=$(fewer 30000)

test_no_root()
{
	local nobody=(setpriv --reuid 65534 --regid 65534 --clear-groups)

	# The repository may lie where nobody else can look.
	install -d -m 755 /run/programs
	install "$build"/iotlb{d,-bench} /run/programs
	refuses "iotlbd without root" 1 'run it as root' \
		"${nobody[@]}" /run/programs/iotlbd --translator identity
	refuses "iotlb-bench without root" 1 'needs root' \
		"${nobody[@]}" /run/programs/iotlb-bench
}

test_no_tap()
{
	mount -t tmpfs none /dev/net
	refuses "iotlb-bench without a tap" 1 'cannot open /dev/net/tun.*modprobe tun' \
		"$build/iotlb-bench"
	umount /dev/net
}

test_no_module()
{
	modprobe -r vhost_net
	refuses "iotlb-bench without vhost-net" 1 'cannot open /dev/vhost-net.*modprobe vhost_net' \
		"$build/iotlb-bench"
	refuses "iotlbd without vhost" 1 'module vhost is not loaded' \
		"$build/iotlbd" --translator identity
	modprobe vhost_net
}

test_nobody_serves()
{
	refuses "iotlb-bench --server none without a server" 1 'no translation of the used ring' \
		"$build/iotlb-bench" --quiet --server none --timeout 1
}

# Taken by the one, refused to the other, and the one has lost nothing by it.
test_second_daemon()
{
	bench_table --direction tx -m sweep -n 2000
	start --table table
	traffic --direction tx -m sweep -n 2000 --server none
	wait_for grep -q 'serving device' err
	ok "a second iotlbd is refused while traffic runs" \
		not "$build/iotlbd" --table table 2>second
	ok "and names the first" grep -q "taken by \"iotlbd\" of pid $daemon;" second
	ok "the first goes on" all_arrived 2000
	ok "and ends well" stop
}

# Ticks of CPU time of processes, their threads included
cpu_time()
{
	local pid sum=0

	for pid in "$@"; do
		sum=$((sum + $(sed 's/.*) //' "/proc/$pid/stat" | awk '{ print $12 + $13 }')))
	done
	echo "$sum"
}

intervals()
{
	grep -c '"interval"' out
}

more_intervals()
{
	[[ $(intervals) -ge $1 ]]
}

# The rings are mapped, and no buffer.
test_unanswerable()
{
	local before intervals

	bench_table --direction tx -m sweep -n 10 -f 4
	grep -v '^0x4' table >rings
	start --table rings --stats=1 --json
	traffic --direction tx -m sweep -n 10 -f 4 --server none
	ok "no mapping: is said" wait_for grep -q 'nothing maps 0x4[0-9a-f]*; queue 1 waits' err

	# From now on nothing happens, in two whole intervals.
	intervals=$(intervals)
	wait_for more_intervals $((intervals + 1))
	before=$(cpu_time "$daemon" "$bench")
	wait_for more_intervals $((intervals + 3))
	ok "no mapping: nothing spins (CPU time of iotlbd, iotlb-bench and its vhost)" \
		test $(($(cpu_time "$daemon" "$bench") - before)) -lt $((50 * slowness))
	ok "no mapping: the queue waits, without a miss more" json out \
		'map(select(.kind == "interval"))[-2:] | length == 2 and all(.misses == 0)'
	ok "no mapping: traffic waits, it is not ended" alive "$bench"
	ok "no mapping: is said once for a page, though tried again each second" \
		test "$(grep -c 'nothing maps' err)" -eq 1

	stop
	ok "no mapping: is counted" json out \
		'.[] | select(.kind == "total") | .unanswered >= 1 and .failed == 0'
	# Who has the mapping may still come.
	start --table table
	ok "no mapping: all packets arrive when another iotlbd has it" all_arrived 10
	stop
}

# More queues wait than there may be messages.
test_log_limit()
{
	local began=$SECONDS said held

	bench_table -D 40 -m fixed -n 10
	grep -v '^0x2[26]' table >rings
	start --table rings --stats=1 --json
	traffic -D 40 -m fixed -n 10 --server none
	ok "80 queues wait" wait_for unanswered 80
	stop
	said=$(grep -c 'nothing maps' err)
	# 20 at once, then 5 a second
	ok "of which are said no more than the rate limit allows ($said)" \
		test "$said" -gt 0 -a "$said" -le $((20 + 5 * (SECONDS - began + 1)))
	# Those held back have their chance again each second.
	held=$(awk '/messages held back/ { sum += $(NF - 3) } END { print sum + 0 }' err)
	ok "and of the others, that they were held back ($held)" test $((said + held)) -ge 80
	kill_traffic
}

unanswered()
{
	json out "map(select(.kind == \"interval\").unanswered) | add >= $1"
}

test_traffic_killed()
{
	local -A how=([while]="it is served" [miss]="a miss of it is on the ring buffer")
	local when

	bench_table --direction tx -m sweep -n "$many"
	for when in while miss; do
		start --table table
		trace_on
		traffic --direction tx -m sweep -n "$many" --server none
		if [[ $when == miss ]]; then
			ok "traffic: iotlbd is stopped with a miss to answer" stop_with_a_miss
		else
			ok "traffic: iotlbd answers" wait_for has_event update
		fi
		ok "traffic is killed while ${how[$when]}" kill -KILL "$bench"
		wait "$bench" 2>/dev/null
		kill -CONT "$daemon"
		trace_off
		ok "it was in the middle" test ! -s bench.out
		ok "its device is given back" wait_for holds 0
		# Its fds go first, and that may be what is seen.
		ok "and this is said" \
			grep -q 'no longer serving device .* its owner has \(ended\|closed it\)' err

		traffic --direction tx -m sweep -n "$many" --server none
		ok "the next traffic is served in full" all_arrived "$many"
		ok "iotlbd ends well" stop
		ok "every miss of both was counted" test "$(count MISSES)" -ge "$many"
	done
}

# The fd takes over what was on the ring buffer.
test_daemon_killed_fd_read()
{
	bench_table --direction tx -m sweep -n "$many"
	trace_on
	start --table table
	traffic --direction tx -m sweep -n "$many" --server fd
	ok "fd: iotlbd is stopped with a miss that only it knows" stop_with_a_miss
	stop KILL
	trace_off
	ok "fd: all packets arrive when it is killed" all_arrived "$many"
	ok "fd: iotlbd had served some, the fd the rest" \
		json bench.out '.[0].tx | .misses.buffer > 0 and .misses.buffer < .sent'
}

# Nobody reads the fd, or somebody takes the miss from it and dies as well.
test_daemon_comes_back()
{
	local round

	bench_table --direction tx -m sweep -n "$many"
	start --table table
	trace_on
	traffic --direction tx -m sweep -n "$many" --server none
	for round in 1 2 3; do
		ok "back: iotlbd is stopped with a miss, time $round" stop_with_a_miss
		stop KILL
		[[ $round -ne 2 ]] || ok "back: the miss can be read from the fd" "$repo/tests/vm/vhost_fd.py" "$bench" read
		echo >$tracing/trace
		start --table table
	done
	trace_off
	ok "back: all packets arrive" all_arrived "$many"
	ok "back: the last iotlbd ends well" stop
	ok "back: and has answered all it was asked" \
		test "$(count UNANSWERED)" -eq 0 -a "$(count FAILED)" -eq 0 -a "$(count ANSWERED)" -gt 0
}

# Traffic must end, too, when its output cannot be written.
test_full_disk()
{
	"$build/iotlb-bench" --quiet -n 10 >/dev/full 2>err
	ok "results that cannot be written are a failure" test $? -eq 1
	ok "and this is said" grep -q 'cannot write the results: No space' err
}

test_no_root
test_no_tap
test_no_module
test_nobody_serves
test_second_daemon
test_unanswerable
test_log_limit
test_traffic_killed
test_daemon_killed_fd_read
test_daemon_comes_back
test_full_disk
plan
