#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# A ring buffer of one page, which is too small: every miss is answered all the
# same, though nobody reads the vhost fds, and those that had no room are
# counted exactly.
#
# What is exact: vhost offers a miss that the BPF program has not taken again
# when its virtqueue tries again. Each of these offers may find the ring buffer
# full, and counts; the tracepoint tells of the first only. So a BPF program on
# the exit of iotlbd's is the judge, which knows how many it may not have seen
# (none on a kernel that does not preempt); and where nothing makes virtqueues
# try again, the tracepoint must agree.

# shellcheck disable=SC2119 # stop sends another signal if it is told

set -uo pipefail

here=$(dirname "$(readlink -f "$0")")
# shellcheck source-path=SCRIPTDIR source=tap.sh
. "$here/tap.sh"
# shellcheck source-path=SCRIPTDIR source=daemon.sh
. "$here/daemon.sh"
# shellcheck source-path=SCRIPTDIR source=load.sh
. "$here/load.sh"

# Records of 64 bytes, and 8 of the ring buffer's, that fit into less than a page
readonly room=56
readonly enospc=18446744073709551588

# What the tracepoint has told: how many misses had no room.
traced()
{
	sed -n "s/^{ verdict: *$enospc } hitcount: *//p" "$events/vhost_iotlb_miss/hist"
}

all_exchanged()
{
	has traffic stuck -eq 0 && has traffic lost -eq 0 && has traffic corrupted -eq 0 &&
		has traffic verified -eq "$1"
}

# between LEAST NUMBER MOST
between()
{
	test "$1" -le "$2" -a "$2" -le "$3"
}

# overflow NAME=NUMBER...: devices, traffic and stops of iotlbd
overflow()
{
	local judge

	mkfifo go
	# Opened for writing too, so that this does not wait for the reader.
	exec 5<>go
	load_started traffic ready overflow "$@" <go || bail_out "no devices"
	start --table table --ring-size 4k
	"$load" verdicts >judge.out &
	judge=$!
	wait_for grep -qs ^watching judge.out
	echo 'hist:keys=verdict' >"$events/vhost_iotlb_miss/trigger"
	echo "$daemon" >&5
	ok "$what: devices and their traffic" wait "$loading"
	show traffic
	kill "$judge"
	wait "$judge"
	show judge.out
	refused=$(value judge.out refused)
	unseen=$(value judge.out unseen)
	ok "$what: iotlbd ends well" stop
	drops_traced=$(traced)
	echo '!hist:keys=verdict' >"$events/vhost_iotlb_miss/trigger"
	exec 5>&-
	rm go
	head -n 2 out | sed 's/^/# /'
	echo "# of the refusals, ${drops_traced:=0} were of misses just made"
}

test_many_queues()
{
	local devices=$((room + 8)) stops=10

	is_debug_kernel && stops=3
	what="many queues"
	overflow devices=$devices tx_only=1 stops=$stops retries=0
	ok "$what: every packet" all_exchanged "$(value traffic exchanges)"
	ok "$what: there was no room again and again" test "$(count DROPS)" -ge $((8 * stops))
	ok "$what: iotlbd has counted what the tracepoint tells" is DROPS "$drops_traced"
	ok "$what: and what its BPF program has refused" \
		between "$refused" "$(count DROPS)" $((refused + unseen))
	ok "$what: each miss has come to it once, on one way or the other" \
		is MISSES $(($(value judge.out queued) + refused + unseen))
	ok "$what: and has an answer" all_served
}

test_retries()
{
	local stops=20

	is_debug_kernel && stops=6
	what="8 devices"
	overflow devices=8 stops=$stops retries=4
	ok "$what: every packet" all_exchanged $((2 * $(value traffic exchanges)))
	# The first miss of each may be in iotlbd's hands when it is stopped.
	ok "$what: there was no room again and again" \
		test "$(count DROPS)" -ge $((stops * (4 * 16 - room)))
	ok "$what: iotlbd has counted what its BPF program has refused" \
		between "$refused" "$(count DROPS)" $((refused + unseen))
	ok "$what: most of that the tracepoint does not tell" \
		test "$drops_traced" -lt "$(count DROPS)"
	ok "$what: none was without answer" is UNANSWERED 0
	ok "$what: none of vhost's refusals but those that came too late" is FAILED 0
}

# A miss waits on the ring buffer for as long as iotlbd is stopped.
echo 0 >/sys/module/vhost/parameters/iotlb_miss_timeout_ms
load_mappings
test_many_queues
test_retries
plan
