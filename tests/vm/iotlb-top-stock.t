#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# vm: --stock --param vhost.max_iotlb_entries=61 --timeout 900
#
# iotlb-top on a vhost without the patches: it counts by probes on functions, and
# that exactly. These modules may report a miss twice, so iotlb-bench says how many
# there were. Then, on the patched modules, the probes and the tracepoints look at
# the same traffic.

# shellcheck disable=SC2016 # in single quotes, $ begins a variable of jq

set -uo pipefail

here=$(dirname "$(readlink -f "$0")")
# shellcheck source-path=SCRIPTDIR source=tap.sh
. "$here/tap.sh"

# start FILE OPTION...: iotlb-top in the background, counting when this returns
start()
{
	local file=$1

	shift
	"$build/iotlb-top" -v "$@" >"$file" 2>"$file.err" &
	top=$!
	wait_for grep -q 'counting$' "$file.err"
}

stop()
{
	kill -INT "$1" && wait "$1"
}

bench()
{
	"$build/iotlb-bench" -q -j "$@" >bench.out 2>bench.err
}

# counted OPTION...: what iotlb-top says of this traffic is in the file out.
counted()
{
	start out -j 3600 && bench "$@" && stop "$top"
}

# json FILTER: is this true, of all the objects that were printed? There are
# $last, the last of them, $bench, what iotlb-bench has printed, and $misses, all
# that it has seen.
json()
{
	jq -se --slurpfile bench bench.out '
.[-1] as $last | $bench[0] as $bench
| ([$bench | (.tx, .rx) | values | .misses | add] | add) as $misses | ('"$1)" out >/dev/null
}

# What has to be so whatever the traffic was. A miss that is reported twice has one
# latency.
readonly consistent='
$last.lost_total == 0 and ($last.total | .misses == $misses and .fd == .misses and
.updates == .misses and (.latency_ns.log2 | add) <= .misses and .failed_updates == 0)'

test_counts()
{
	ok 'sweep: it counts' counted --direction tx -m sweep -n 97
	ok 'sweep: one line says that there is more' \
		test "$(grep -c 'not patched.*see README' out.err)" -eq 1
	ok 'sweep: all is consistent' json "$consistent"
	ok 'sweep: every buffer is a miss and a hit' json '
$last.total | .buffer_misses == 97 and .hits.buffer == 97 and .buffer_hit_rate == 0'
	ok 'sweep: every packet has waited' json '
$last.total.latency_ns.log2 | add > 97'
	ok 'sweep: all but 61 translations are evicted' json '
$last.total | .evictions == .updates - 61'
	ok 'sweep: only the virtqueue that sends has counts' json '
[$last.devices[].queues[].vq] == [1]'
	ok 'sweep: whose it was' json '
$last.devices[0] | .comm == "iotlb-bench" and .pid > 1 and .gone'
	ok 'sweep: what there is not has no count' json '
$last.total | [.resolved, .ring, .drops, .fallback, .stale] | length == 5 and all(. == null)'

	ok 'strict: it counts' counted --direction both -m strict -n 97 -D 2
	ok 'strict: all is consistent' json "$consistent"
	ok 'strict: every packet is an invalidation' json '
[$last.devices[].total.invalidations] == [2 * 97, 2 * 97]'
	ok 'strict: each virtqueue has its own counts' json '
[$last.devices[] | [.queues[] | [.vq, .total.hits.buffer]]] ==
[[[0, 97], [1, 97]], [[0, 97], [1, 97]]]'

	# The first half is found, the second one is not, then both are.
	ok 'fragments: it counts' counted --direction tx -m strict -n 97 --fragments --event-idx
	ok 'fragments: all is consistent' json "$consistent"
	ok 'fragments: each piece is a look-up' json '
$last.total | .buffer_misses == 2 * 97 and .hits.buffer == 3 * 97'
}

test_devices()
{
	start out -j 0.2
	bench --direction tx -m sweep -n 997
	bench --direction tx -m fixed -n 97
	stop "$top"
	ok 'a device in the place of another has its own number' json '
[$last.devices[] | .total.invalidations] == [0, 0] and
($last.devices[1].queues[] | .vq == 1 and .total.hits.buffer >= 97 and .total.misses < 97)'
	ok 'the tap is known' json 'any(.[].devices[].tap; type == "string" and startswith("bench"))'
	ok 'the fill is known' json 'any(.[].devices[]; .entries == 61 and .limit == 61)'
	ok 'the owner is known while it lives' json '
any(.[].devices[]; .gone == false and .comm == "iotlb-bench")'
}

# Messages of both forms, in one piece and in two, of which some are refused.
write_messages()
{
	python3 - <<'END'
import fcntl, mmap, os, struct

UPDATE, INVALIDATE = 2, 3
# No user's address.
BAD = 1 << 63

def message(form, kind, iova, size, uaddr):
    return struct.pack("IIQQQBB38x", form, 0, iova, size, uaddr, 3, kind)

def send(*args, pieces=1):
    text = message(*args)
    try:
        if pieces == 1:
            os.write(fd, text)
        else:
            os.writev(fd, [text[:44], text[44:]])
    except OSError as error:
        return error.errno
    return 0

fd = os.open("/dev/vhost-net", os.O_RDWR)
fcntl.ioctl(fd, 0xAF01, 0)  # VHOST_SET_OWNER
# Not yet an IOTLB: refused, and no INVALIDATE.
assert send(1, INVALIDATE, 0, 4096, 0)
# VHOST_SET_FEATURES: VIRTIO_F_VERSION_1, VIRTIO_F_ACCESS_PLATFORM
fcntl.ioctl(fd, 0x4008AF00, struct.pack("Q", 3 << 32))
for form, good, bad in (1, 5, 3), (2, 7, 11):
    for i in range(good):
        assert not send(form, UPDATE, i << 12, 4096, 0x10000, pieces=1 + i % 2)
    for i in range(bad):
        assert send(form, UPDATE, i << 12, 4096, BAD, pieces=1 + i % 2)
assert send(1, UPDATE, 0, 0, 0x10000)
assert send(9, UPDATE, 0, 4096, 0x10000)
for i in range(13):
    assert not send(2, INVALIDATE, i << 12, 4096, 0, pieces=1 + i % 2)
# A table of memory is not the IOTLB.
fcntl.ioctl(fd, 0x4008AF03, struct.pack("IIQQQQ", 1, 0, 0, 4096, 0x10000, 0))
END
}

test_messages()
{
	start out -j 3600
	ok 'messages: written' write_messages
	stop "$top"
	ok 'messages: each is counted as what it was' json '
$last.total | .updates == 5 + 7 and .failed_updates == 3 + 11 and .invalidations == 13'
	ok 'messages: nothing is lost' json '$last.lost_total == 0'
	ok 'messages: who has written' json '$last.devices[0] | .total.updates == 12'
}

test_people()
{
	start out -T 3600
	bench --direction tx -m strict -n 97
	stop "$top"
	ok 'for people: what cannot be had is a dash' test "$(awk '
	$1 == "TIME" { for (i = 1; i <= NF; i++) column[$i] = i; n = NF }
	NF == n && /iotlb-bench/ { print $column["FALLBACK"] $column["STALE"] $column["RING"] }' \
		out)" = ---
}

# The same traffic, seen in both ways. Misses are reported in another way by these
# modules, so those cannot be compared.
test_patched()
{
	local probes

	# Not the modules that these need.
	rmmod vhost_net vhost vhost_iotlb
	insmod "$build/modules/vhost_iotlb.ko"
	insmod "$build/modules/vhost.ko" max_iotlb_entries=61
	insmod "$build/modules/vhost_net.ko" || bail_out 'no patched modules'

	start probes -j --probes 3600
	probes=$top
	start tracepoints -j 3600
	for options in '-m sweep' '-m strict --fragments --event-idx' '-m fixed -D 2 --chain 3'; do
		# shellcheck disable=SC2086
		bench --direction both -n 97 $options
	done
	ok 'patched: tracepoints end well' stop "$top"
	ok 'patched: probes end well' stop "$probes"
	ok 'patched: each buffer is counted' test "$(jq .total.hits.buffer tracepoints)" -eq $((20 * 97))
	ok 'patched: hits of buffers and of each part of the ring are the same' \
		test "$(jq -c .total.hits probes)" = "$(jq -c .total.hits tracepoints)"
	ok 'patched: of each device and virtqueue, too' test \
		"$(jq -c '[.devices[] | [.queues[] | [.vq, .total.hits]]]' probes)" = \
		"$(jq -c '[.devices[] | [.queues[] | [.vq, .total.hits]]]' tracepoints)"
	jq -c .total.hits probes | sed 's/^/# /'
	ok 'patched: misses are not seen by probes' \
		test "$(jq -c '.total.misses' probes)" = null
	ok 'patched: nor messages, which are lost for them' test "$(jq .lost_total probes)" -eq \
		"$(jq '.total | .updates + .invalidations' tracepoints)"
}

refuses 'no such process' 1 'no process 999999' "$build/iotlb-top" -p 999999 -1
refuses 'not root' 1 'run this as root' \
	setpriv --reuid 65534 --clear-groups "$build/iotlb-top" -1
test_counts
test_devices
test_messages
test_people
modprobe -r vhost_net
refuses 'no vhost' 1 'vhost is not loaded' "$build/iotlb-top" -1
modprobe vhost_net
test_patched
plan
