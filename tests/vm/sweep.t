#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# A long sweep: 100,000 packets, each at an IOVA of its own, through an IOTLB
# of the size that it has by default, by iotlbd, while nobody reads the vhost
# fd. Nothing is lost, and the kernel's memory stays as it is.

set -uo pipefail

here=$(dirname "$(readlink -f "$0")")
# shellcheck source-path=SCRIPTDIR source=tap.sh
. "$here/tap.sh"
# shellcheck source-path=SCRIPTDIR source=daemon.sh
. "$here/daemon.sh"

packets=$(fewer 100000)
readonly packets

# An entry or a message that stays for each packet would take ten times that.
readonly kib_max=1024

sweep()
{
	traffic --direction tx -m sweep --server none "$@"
}

slab_kib()
{
	awk '/^SUnreclaim:/ { print $2 }' /proc/meminfo
}

# Highest use of memory so far
look()
{
	local now

	now=$(slab_kib)
	[[ $now -le $top ]] || top=$now
}

# Entries in the device's IOTLB, and how many it has room for
fill()
{
	sed -n 's/^vhost-iotlb:[[:space:]]*//p' /proc/[0-9]*/fdinfo/* 2>/dev/null | head -n 1
}

echo 1..7
ok "the IOTLB has its usual size" \
	test "$(</sys/module/vhost/parameters/max_iotlb_entries)" -eq 2048

bench_table --direction tx -m sweep -n "$packets"
start --table table

# The first run takes what is allocated once: an IOTLB that is full, and slabs
# of all the caches.
top=0
sweep -n 10000
while alive "$bench"; do
	look
	sleep 0.2
done
before=$top

fill_top=0
sweep -n "$packets"
while alive "$bench"; do
	look
	read -r entries _ < <(fill)
	[[ ${entries:-0} -le $fill_top ]] || fill_top=$entries
	sleep 0.2
done
ok "each of $packets packets has arrived as it was sent" all_arrived "$packets"
ok "the IOTLB was full, and not more ($fill_top entries)" \
	test "$fill_top" -ge 1024 -a "$fill_top" -le 2048
what="the kernel's memory has grown by no more than $kib_max KiB ($((top - before)))"
# KASAN keeps objects that were given back. It comes with a search for leaks.
if is_debug_kernel; then
	ok "$what # SKIP kmemleak looks" true
else
	ok "$what" test $((top - before)) -le $kib_max
fi

ok "iotlbd ends well" stop
ok "iotlbd has answered every miss" all_served
ok "and there were that many" test "$(count MISSES)" -ge "$packets"
sed 's/^/# /' out
