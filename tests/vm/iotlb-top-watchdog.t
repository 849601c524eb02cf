#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# vm: --timeout 600
#
# iotlb-top tells of misses that a daemon took in vain, and of stale answers:
# each reason so many times as no other.

# shellcheck disable=SC2016 # in single quotes, $ begins a variable of jq

set -uo pipefail

here=$(dirname "$(readlink -f "$0")")
# shellcheck source-path=SCRIPTDIR source=tap.sh
. "$here/tap.sh"
# shellcheck source-path=SCRIPTDIR source=daemon.sh
. "$here/daemon.sh"

readonly timed_out=7 refused=3 detached=2 stale=5
readonly miss_timeout=/sys/module/vhost/parameters/iotlb_miss_timeout_ms

# More packets than anybody waits for.
readonly many=20000

top=
people=

start_top()
{
	"$build/iotlb-top" -v -j 0.2 >top.out 2>top.err &
	top=$!
	"$build/iotlb-top" -v -T 3600 >people.out 2>people.err &
	people=$!
	wait_for grep -q 'counting$' top.err && wait_for grep -q 'counting$' people.err
}

# end PROCESS: returns its exit status.
end()
{
	kill -INT "$1" && wait "$1"
}

# top FILTER: is this true of iotlb-top's last object? Not if there is none, or
# only half of it.
top()
{
	tail -n 1 top.out | jq -se \
		--argjson timed_out $timed_out --argjson refused $refused \
		--argjson detached $detached --argjson stale $stale \
		"length == 1 and (.[0] | ($1))" >/dev/null 2>&1
}

has_lines()
{
	[[ $(wc -l <top.out) -ge $1 ]]
}

# What happened until now is in the last object, and the one before.
after_now()
{
	wait_for has_lines $(($(wc -l <top.out) + 3))
}

# So many devices whose misses only iotlbd answers, and it knows all of them.
serve()
{
	bench_table --direction tx -m sweep -n $many --devices "$1"
	start --table table
	traffic --direction tx -m sweep -n $many --devices "$1" --server none
	wait_for knows "$1"
}

knows()
{
	[[ $(grep -c 'serving device' err) -eq $1 ]]
}

# stalls COUNT: iotlbd is stopped, and so many virtqueues wait for it. A miss
# that is answered late, or after it has changed hands, is answered once.
stalls()
{
	kill -STOP "$daemon"
	wait_for is_stopped && after_now && wait_for top "
.delta.lookups == 0 and
([.devices[] | select(.gone | not).queues[].total |
	.misses - (.latency_ns.log2 | add // 0)] | length == $1 and all(. == 1))"
}

# goes_on: misses are answered, more and more of them.
goes_on()
{
	wait_for top '.delta.updates > 0'
}

ends()
{
	kill_traffic
	wait_for top '.devices == []'
}

# So many answers with a token from before all invalidations, and one that is
# refused for another reason: there is no such memory.
stale_answers()
{
	python3 - "$1" <<'END'
import errno, fcntl, os, struct, sys

MSG_V3, UPDATE, INVALIDATE, HAS_TOKEN = 3, 2, 3, 1

def write(kind, uaddr, perm, flags):
    # struct vhost_msg_v3 with one struct vhost_iotlb_op
    size = 4096 if kind == UPDATE else 0
    os.write(fd, struct.pack("IIQQQQIBBH", MSG_V3, 1, 0, size, uaddr, 0, 0, kind, perm, flags))

def refused(*op):
    try:
        write(*op)
    except OSError as error:
        return error.errno
    return 0

fd = os.open("/dev/vhost-net", os.O_RDWR)
fcntl.ioctl(fd, 0xAF01, 0)  # VHOST_SET_OWNER
# VHOST_SET_FEATURES: VIRTIO_F_VERSION_1, VIRTIO_F_ACCESS_PLATFORM
fcntl.ioctl(fd, 0x4008AF00, struct.pack("Q", 3 << 32))
write(INVALIDATE, 0, 0, 0)
got = [refused(UPDATE, 0x10000, 3, HAS_TOKEN) for _ in range(int(sys.argv[1]))]
got.append(refused(UPDATE, 1 << 63, 3, 0))
print("#", [errno.errorcode.get(e, e) for e in got])
sys.exit(any(e != errno.ESTALE for e in got[:-1]) or got[-1] != errno.EFAULT)
END
}

test_timeouts()
{
	serve $timed_out
	ok 'timeouts: a daemon hangs' stalls $timed_out
	echo 100 >$miss_timeout
	ok 'timeouts: each miss' wait_for top '.total.fallback.timeout == $timed_out'
	echo 0 >$miss_timeout
	kill -CONT "$daemon"
	ok 'timeouts: it answers them nevertheless' goes_on
	ok 'timeouts: a miss that has changed hands has one latency' stalls $timed_out
	kill -CONT "$daemon"
	ends
	stop
}

# The rings are mapped, and no buffer.
test_refused()
{
	bench_table --direction tx -m sweep -n 1 --devices $refused
	grep -v '^0x4' table >rings
	start --table rings
	traffic --direction tx -m sweep -n $many --devices $refused --server none
	ok 'refused: by each virtqueue' wait_for top '.total.fallback.refused == $refused'
	ok 'refused: the virtqueue that sends' top '
[.devices[] | select(.gone | not).queues[] | [.vq, .total.fallback.refused]] ==
[range($refused) | [1, 1]]'
	ends
	stop
}

test_detached()
{
	serve $detached
	ok 'detached: a daemon hangs' stalls $detached
	stop KILL
	ok 'detached: each miss' wait_for top '.total.fallback.detached == $detached'
	ends
}

start_top || bail_out "iotlb-top does not count: $(tail -n 1 top.err)"
echo 0 >$miss_timeout
test_timeouts
test_refused
test_detached
ok 'stale: answers are refused' stale_answers $stale
ok 'it ends well' end "$top"
ok 'the other one ends well' end "$people"

ok 'all in all' top '
.total.fallback == {timeout: $timed_out, refused: $refused, detached: $detached}'
ok 'stale answers have not failed' top '
.total | .stale == $stale and .failed_updates == 1'
ok 'they are of one device' top '[.devices[].total.stale | select(. > 0)] == [$stale]'
ok 'nobody takes the watchdog for an owner' top '
[.devices[].comm] | all(. == "iotlb-bench" or . == "python3" or . == "?")'
ok 'nothing is lost' top '.lost_total == 0'
ok 'people read of the misses' grep -qx \
	"watchdog: $timed_out misses timed out, $refused handed back, $detached of a detached program" \
	people.out
ok 'and why' grep -q '^The daemon took misses and did not answer them within 0 ms' people.out
ok 'and of the answers' grep -qx "age check: $stale stale answers refused" people.out
plan
