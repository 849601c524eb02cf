#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# iotlbd with real devices: what it answers, whom it follows, how it fails.

set -uo pipefail

repo=$(readlink -f "$(dirname "$0")/../..")
build=${BUILD:-$repo/build}
dir=$(mktemp -d /run/iotlbd.XXXXXX)
cd "$dir" || exit 1
events=/sys/kernel/tracing/events/vhost

number=0
daemon=
owner=

# ok DESCRIPTION COMMAND...: one result
ok()
{
	local what=$1

	shift
	number=$((number + 1))
	if "$@"; then
		echo "ok $number - $what"
	else
		echo "not ok $number - $what"
		sed 's/^/# /' out err bench.out bench.err 2>/dev/null
	fi
}

# A minute is long for anything here, and short for whoever waits for a test.
wait_for()
{
	local end=$((SECONDS + 60))

	until "$@"; do
		[[ $SECONDS -lt $end ]] || return
		sleep 0.1
	done
}

ended()
{
	! kill -0 "$1" 2>/dev/null
}

start()
{
	: >out
	: >err
	"$build/iotlbd" "$@" >out 2>err &
	daemon=$!
	wait_for started
}

started()
{
	grep -q '^iotlbd: serving [0-9]* devices' err || ended "$daemon"
}

# Ends iotlbd and returns its exit status.
stop()
{
	kill -"${1:-INT}" "$daemon" 2>/dev/null
	wait "$daemon"
}

bench()
{
	"$build/iotlb-bench" --quiet --timeout 60 "$@" >bench.out 2>bench.err
}

bench_table()
{
	"$build/iotlb-bench" --write-table=table "$@" || echo "# no table"
}

# count COLUMN: of the summary's line for all devices
count()
{
	awk -v column="$1" '
		$1 == "MISSES" { for (i = 1; i <= NF; i++) if ($i == column) n = i }
		$NF == "all" { print $n }' out
}

is()
{
	[[ $(count "$1") -eq $2 ]]
}

all_served()
{
	[[ $(count MISSES) -gt 0 ]] && is UNANSWERED 0 && is FAILED 0 &&
		[[ $(($(count ANSWERED) + $(count DUPLICATE))) -eq $(count MISSES) ]]
}

# Twice the time after which iotlbd looks again whether all is as it was, for
# when nothing is to happen.
check_passes()
{
	sleep 2
}

# How many vhost fds iotlbd holds
held()
{
	find "/proc/$daemon/fd" -lname '/dev/vhost-*' 2>/dev/null | wc -l
}

holds()
{
	[[ $(held) -eq $1 ]]
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

test_killed()
{
	local pid

	bench_table --map sweep -n 2000
	bench --map sweep -n 2000 --server fd &
	pid=$!
	for _ in 1 2 3; do
		start --table table
		stop KILL 2>/dev/null
	done
	ok "the fd takes over when iotlbd is killed, again and again" wait "$pid"
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
	wait_for grep -q 'vhost_iotlb_miss: .* iova=0x4' /sys/kernel/tracing/trace
	kill -STOP "$daemon"
	wait_for grep -q 'vhost_iotlb_miss: .* verdict=-28' /sys/kernel/tracing/trace
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

not()
{
	! "$@"
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
	start --translator identity -j --stats
	ok "one at a time" not "$build/iotlbd" --translator identity 2>second
	ok "names the other" grep -q "taken by \"iotlbd\" of pid $daemon;" second
	wait_for grep -q interval out
	stop
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

# refuses DESCRIPTION STATUS PATTERN COMMAND...
refuses()
{
	local what=$1 status=$2 pattern=$3 got

	shift 3
	"$@" >out 2>err
	got=$?
	ok "$what" test "$got" -eq "$status"
	ok "$what: says why" grep -q "$pattern" err
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
	refuses "an unknown translator" 2 'no translator "vtd"' \
		"$build/iotlbd" --translator vtd
	refuses "an odd ring size" 2 'is not a power of two' \
		"$build/iotlbd" --ring-size 5000
	refuses "an argument" 2 'unexpected argument' "$build/iotlbd" now
	refuses "no translator" 2 'how to translate' "$build/iotlbd"
}

test_answers
test_comes_late
test_killed
test_full_ring
test_unanswered
test_only_some
test_follows
test_memory
test_start_and_stop
test_refusals
echo "1..$number"
