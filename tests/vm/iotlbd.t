#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# vm: --timeout 1200
#
# iotlbd with real devices: what it answers, whom it follows, how it fails.

# shellcheck disable=SC2016,SC2119 # $ begins a variable of jq; stop needs no signal

set -uo pipefail

here=$(dirname "$(readlink -f "$0")")
# shellcheck source-path=SCRIPTDIR source=tap.sh
. "$here/tap.sh"
# shellcheck source-path=SCRIPTDIR source=daemon.sh
. "$here/daemon.sh"

owner=

# Packets that take seconds, so that there is a middle.
many=$(fewer 30000)

readonly miss_timeout=/sys/module/vhost/parameters/iotlb_miss_timeout_ms

bench()
{
	"$build/iotlb-bench" --quiet --timeout $((60 * slowness)) "$@" >bench.out 2>bench.err
}

# Twice the time after which iotlbd looks again whether all is as it was, for
# when nothing is to happen.
check_passes()
{
	sleep 2
}

start_owner()
{
	coproc OWNER { exec "$repo/tests/vm/vhost_owner.py"; }
	owner=$OWNER_PID
	read -r owner_fd <&"${OWNER[0]}"
}

tell_owner()
{
	local answer

	echo "$*" >&"${OWNER[1]}"
	read -r answer <&"${OWNER[0]}"
	[[ $answer == ok ]] || echo "# $*: $answer"
}

end_owner()
{
	local gone=$owner

	kill "$gone"
	wait "$gone" 2>/dev/null
}

# Translations in the IOTLB of the owner's device
entries()
{
	awk '/^vhost-iotlb:/ { print $2 }' "/proc/$owner/fdinfo/$owner_fd"
}

has_entries()
{
	[[ $(entries) -eq $1 ]]
}

test_answers()
{
	local options

	bench_table --map sweep -n 300
	for options in "" "--poll" "--ring-size 4k"; do
		# shellcheck disable=SC2086 # options
		start --table table $options
		ok "table $options: every packet" bench --map sweep -n 300 --server none
		ok "table $options: ends well" stop
		ok "table $options: every miss has an answer" all_served
	done

	start --translator identity
	ok "identity: every packet" bench --iova identity -n 300 --server none
	ok "identity: ends well on SIGTERM" stop TERM
	ok "identity: every miss has an answer" all_served
	ok "identity: one answer serves a region" test "$(count MISSES)" -lt 50
}

# Between a miss and its answer, somebody invalidates what is mapped.
test_stale()
{
	local round

	bench_table --direction tx -m sweep -n "$many"
	start --table table --json
	ok "stale: iotlbd says nothing of tokens before it knows" not grep -q tokens err
	trace_on
	traffic --direction tx -m sweep -n "$many" --server none
	for round in 1 2 3; do
		ok "stale: iotlbd is stopped with a miss, time $round" stop_with_a_miss
		"$repo/tests/vm/vhost_fd.py" "$bench" invalidate
		echo >$tracing/trace
		kill -CONT "$daemon"
	done
	trace_off
	ok "stale: every packet arrives" all_arrived "$many"
	ok "stale: says that answers carry tokens" \
		test "$(grep -c 'answers carry tokens: an invalidation is never overtaken' err)" -eq 1
	stop
	ok "stale: vhost has refused three answers" json out '
		.[] | select(.kind == "total") |
		.stale >= 3 and .failed == 0 and .unanswered == 0 and .without_tokens == 0'
	ok "stale: the device is said to have tokens" json out \
		'map(select(.kind == "device").tokens) == [true]'
}

# The rings are mapped, and no buffer; somebody reads the fd and knows them all.
test_handed_back()
{
	bench_table --direction tx -m sweep -n 500
	grep -v '^0x4' table >rings
	start --table rings --max-unanswered 1000000
	traffic --direction tx -m sweep -n 500 --server fd
	ok "handed back: every packet arrives" all_arrived 500
	ok "handed back: by the reader of the fd" json bench.out '.[0].tx.misses.buffer == 500'
	stop
	ok "handed back: iotlbd was asked for them all" test "$(count UNANSWERED)" -ge 490
	ok "handed back: and served the rings" test "$(count ANSWERED)" -gt 0
}

interval_sum()
{
	json out "map(select(.kind == \"interval\").$1) | add $2"
}

test_throttled()
{
	bench_table --direction tx -m sweep -n "$many"
	grep -v '^0x4' table >rings
	start --table rings --max-unanswered 10 --stats=1 --json
	traffic --direction tx -m sweep -n "$many" --server fd
	ok "throttled: is left alone" wait_for interval_sum passed '> 100'
	ok "throttled: said once" test "$(grep -c 'more than 10 misses within a second' err)" -eq 1
	ok "throttled: every packet arrives" all_arrived "$many"
	stop
	ok "throttled: not asked for much" json out '
		.[] | select(.kind == "total") |
		.passed > 1000 and .unanswered > 10 and .unanswered < 1000 and
		.misses == .answered + .duplicates + .unanswered'

	# Misses that have waited on the fd, which nobody reads, come again.
	bench_table -m sweep -n 10
	grep -v '^0x4' table >rings
	start --table rings --max-unanswered 1 --stats=1 --json
	traffic -m sweep -n 10 --server none
	ok "throttled: is asked again after a second" wait_for interval_sum unanswered '>= 6'
	kill_traffic
	stop
}

# How often the kernel has said that it has detached a program
detachments()
{
	dmesg | grep -c 'BPF program detached'
}

more_detachments()
{
	[[ $(detachments) -gt $1 ]]
}

# Stops iotlbd until the kernel has enough, or fails if that is never.
stop_until_detached()
{
	local before

	before=$(detachments)
	kill -STOP "$daemon"
	wait_for more_detachments "$before"
}

hang()
{
	stop_until_detached
	kill -CONT "$daemon"
}

# iotlbd hangs, and comes to itself when vhost has done without it.
test_watchdog()
{
	local timeout

	timeout=$(<$miss_timeout)
	bench_table --direction tx -m sweep -n "$many"
	start --table table --json
	traffic --direction tx -m sweep -n "$many" --server fd
	wait_for grep -q 'serving device' err
	echo 20 >$miss_timeout
	ok "watchdog: vhost detaches iotlbd when it hangs" hang
	ok "watchdog: iotlbd says so" wait_for grep -q 'vhost has detached iotlbd .* is 20)' err
	ok "watchdog: and attaches again" wait_for grep -q 'attached again' err
	echo "$timeout" >$miss_timeout
	ok "watchdog: every packet arrives" all_arrived "$many"
	ok "watchdog: some by the reader of the fd" json bench.out \
		'.[0].tx | .misses.buffer >= 8 and .misses.buffer < .sent'

	traffic --direction tx -m sweep -n 300 --server none
	ok "watchdog: iotlbd serves what comes then" all_arrived 300
	ok "watchdog: iotlbd ends well" stop
	ok "watchdog: it is counted" json out '.[] | select(.kind == "total").detached >= 1'
}

# What it has been late for is there no more when it comes to itself.
test_watchdog_gone()
{
	local timeout

	timeout=$(<$miss_timeout)
	bench_table --direction tx -m sweep -n "$many"
	start --table table
	traffic --direction tx -m sweep -n 1000000 --server fd
	wait_for grep -q 'serving device' err
	echo 20 >$miss_timeout
	ok "watchdog: detached" stop_until_detached
	kill_traffic
	kill -CONT "$daemon"
	ok "watchdog: attached again, though the device has gone" \
		wait_for grep -q 'attached again' err
	echo "$timeout" >$miss_timeout
	stop
}

# attached_again TIMES: or it has ended
attached_again()
{
	[[ $(grep -c 'attached again' err) -ge $1 ]] || not alive "$daemon"
}

# As often as it attaches, it hangs again.
test_watchdog_often()
{
	local timeout times=0

	timeout=$(<$miss_timeout)
	bench_table --direction tx -m sweep -n "$many"
	start --table table
	traffic --direction tx -m sweep -n 1000000 --server fd
	wait_for grep -q 'serving device' err
	echo 20 >$miss_timeout
	while alive "$daemon"; do
		hang
		wait_for attached_again $((++times)) || break
	done
	wait "$daemon"
	ok "watchdog: iotlbd gives up in the end" test $? -eq 1
	ok "watchdog: and says so" grep -q 'this was the time number 6 .* does not attach again' err
	ok "watchdog: after it has attached again five times" \
		test "$(grep -c 'attached again' err)" -ge 5
	kill_traffic
	echo "$timeout" >$miss_timeout
}

detach()
{
	python3 - "$1" <<-'END'
	import ctypes, glob, os, sys

	def fd_of_link(pid):
	    for path in glob.glob(f"/proc/{pid}/fdinfo/*"):
	        if "link_type:\tstruct_ops" in open(path).read():
	            return int(os.path.basename(path))

	pid = int(sys.argv[1])
	libc = ctypes.CDLL(None)
	pidfd_getfd, bpf, BPF_LINK_DETACH = 438, 321, 34
	fd = libc.syscall(pidfd_getfd, os.pidfd_open(pid), fd_of_link(pid), 0)
	sys.exit(libc.syscall(bpf, BPF_LINK_DETACH, ctypes.byref(ctypes.c_uint32(fd)), 4))
	END
}

# Whoever detaches it means it.
test_detached()
{
	start --translator identity
	ok "detached by somebody else" detach "$daemon"
	wait "$daemon"
	ok "detached by somebody else: ends" test $? -eq 1
	ok "detached by somebody else: says so" grep -q 'something else has detached iotlbd' err
}

has_device()
{
	grep -qs '^vhost-iotlb:' /proc/[0-9]*/fdinfo/*
}

test_comes_late()
{
	local pid

	bench_table --map sweep -n 100
	bench --map sweep -n 100 --server none &
	pid=$!
	wait_for has_device
	start --table table
	ok "serves what has been waiting for it" wait "$pid"
	stop
}

test_full_ring()
{
	local pid

	# More virtqueues than a page has room for records.
	bench_table --devices 40 --map sweep -n 300
	echo 1 >"$events/vhost_iotlb_miss/enable"
	start --table table --ring-size 4k
	bench --devices 40 --map sweep -n 300 --server none &
	pid=$!
	# Once there is a miss of a packet, all queues have started and will miss.
	wait_for grep -q 'vhost_iotlb_miss: .* iova=0x4' $tracing/trace
	kill -STOP "$daemon"
	wait_for grep -q 'vhost_iotlb_miss: .* verdict=-28' $tracing/trace
	kill -CONT "$daemon"
	echo 0 >"$events/vhost_iotlb_miss/enable"
	ok "full ring: every packet, though nobody reads the fds" wait "$pid"
	stop
	ok "full ring: every miss has an answer" all_served
	ok "full ring: it was full" test "$(count DROPS)" -gt 0
}

test_unanswered()
{
	bench_table --map sweep -n 300
	head -n 100 table >short
	start --table short
	ok "no mapping: packets are lost" not bench --map sweep -n 300 --server none --timeout 2
	stop
	ok "no mapping: counted" test "$(count UNANSWERED)" -gt 0
	ok "no mapping: said" grep -q 'nothing maps 0x[0-9a-f]*; queue [0-9]* waits' err

	sed 's/ 0x4\([0-9a-f]*\) \([rw]*\)$/ 0x9\1 \2/' table >outside
	start --table outside
	ok "out of guest memory: nothing moves" not bench --map sweep -n 300 --server none --timeout 2
	ok "out of guest memory: no answer is tried" stop
	ok "out of guest memory: said" grep -q 'out of the guest.s memory' err
	ok "out of guest memory: none was answered" is ANSWERED 0
}

test_only_some()
{
	start_owner
	start --translator identity -p "$owner"
	ok "only some: others are left to their owners" bench --map sweep -n 300 --server fd
	kill "$owner"
	wait "$owner" 2>/dev/null
	ok "only some: ends when they have ended" wait "$daemon"
	ok "only some: has served nobody else" is MISSES 0
}

test_follows()
{
	start_owner
	start --translator identity
	ok "takes a device that is there" holds 1
	tell_owner dup
	check_passes
	ok "follows it to another number" holds 1
	tell_owner close
	ok "gives it back when it is closed" wait_for holds 0
	ok "says so" grep -q 'no longer serving device .* closed it' err
	end_owner

	start_owner
	stop
	start --translator identity
	ok "takes the next one" holds 1
	end_owner
	ok "gives it back when its owner ends" wait_for holds 0
	stop
}

test_memory()
{
	start_owner
	tell_owner memory 0 0x10000 0x10000000
	tell_owner update 0x5000 0x1000 0x10005000
	start --translator identity
	check_passes
	ok "memory: left alone at the start" has_entries 1
	tell_owner memory 0 0x10000 0x10000000 0x100000 0x10000 0x20000000
	check_passes
	ok "memory: more of it changes nothing" has_entries 1
	tell_owner memory 0 0x10000 0x30000000
	ok "memory: what has moved is invalidated" wait_for has_entries 0
	tell_owner update 0x5000 0x1000 0x30005000
	tell_owner reset
	tell_owner memory 0 0x10000 0x30000000
	check_passes
	ok "memory: lives through a reset" stop
	end_owner
}

test_start_and_stop()
{
	local second

	start --translator identity -j --stats
	ok "one at a time" not "$build/iotlbd" --translator identity 2>second
	ok "names the other" grep -q "taken by \"iotlbd\" of pid $daemon;" second
	wait_for grep -q interval out

	"$build/iotlbd" --translator identity >/dev/null 2>second &
	second=$!
	ok "waits for a moment" wait_for grep -q 'taken; waiting' second
	stop
	ok "takes the place of one that ends" wait_for grep -q 'serving 0 devices' second
	kill -INT "$second"
	ok "and ends well" wait "$second"
	ok "statistics are JSON, a line each" python3 -c '
import json, sys
kinds = [json.loads(line)["kind"] for line in sys.stdin]
sys.exit(kinds.count("interval") < 1 or kinds[-1] != "total")' <out

	python3 -c '
import os, socket, subprocess, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.bind("notify")
s.settimeout(60)
p = subprocess.Popen(sys.argv[1:], env={"NOTIFY_SOCKET": os.path.abspath("notify")},
                     stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
print(s.recv(100).decode())
p.terminate()
sys.exit(p.wait())' "$build/iotlbd" --translator identity >ready
	ok "tells the service manager" grep -q '^READY=1$' ready

	"$build/iotlbd" --translator identity >/dev/full 2>err &
	daemon=$!
	wait_for started
	ok "fails when its summary cannot be written" not stop
}

test_refusals()
{
	refuses "no such process" 1 'there is no process 4000000 to serve' \
		"$build/iotlbd" --translator identity -p 4000000
	refuses "a process without vhost" 1 "pid $$ holds no vhost fd" \
		"$build/iotlbd" --translator identity -p $$
	refuses "not permitted" 1 'CAP_SYS_ADMIN .* run it as root' \
		setpriv --bounding-set=-all --inh-caps=-all "$build/iotlbd" --translator identity
	refuses "a table that is not there" 1 'cannot open the table none' \
		"$build/iotlbd" --table none
	printf '0 4k 0 rw\n0x1000 4k 0 rx\n' >table
	refuses "a bad table" 1 '^iotlbd: table:2:13: the permission "rx"' \
		"$build/iotlbd" --table table
	refuses "a translator without its table" 2 'name a file with --table' \
		"$build/iotlbd" --translator table
	refuses "an unknown translator" 2 'no translator "amd"' \
		"$build/iotlbd" --translator amd
	refuses "an odd ring size" 2 'is not a power of two' \
		"$build/iotlbd" --ring-size 5000
	refuses "an argument" 2 'unexpected argument' "$build/iotlbd" now
	refuses "no translator" 2 'how to translate' "$build/iotlbd"
}

tests=(
	test_answers
	test_stale
	test_handed_back
	test_throttled
	test_watchdog
	test_watchdog_gone
	test_watchdog_often
	test_detached
	test_comes_late
	test_full_ring
	test_unanswered
	test_only_some
	test_follows
	test_memory
	test_start_and_stop
	test_refusals
)

# By hand, some of them can be named.
[[ $# -eq 0 ]] || tests=("$@")
for test in "${tests[@]}"; do
	"$test"
done
plan
