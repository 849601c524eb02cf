#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# A long sweep: 100,000 packets, each at an IOVA of its own, through an IOTLB
# of the size that it has by default, by iotlbd, while nobody reads the vhost
# fd. Nothing is lost, and the kernel's memory stays as it is.

# shellcheck disable=SC2016 # in single quotes, $ begins a variable of jq or awk

set -uo pipefail

repo=$(readlink -f "$(dirname "$0")/../..")
build=${BUILD:-$repo/build}
dir=$(mktemp -d /run/sweep.XXXXXX)
cd "$dir" || exit 1

readonly count=100000

# An entry or a message that stays for each packet would take ten times that.
readonly kib_max=1024

number=0

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
		tail -qn 20 out err bench.out bench.err 2>/dev/null | cut -c1-1000 | sed 's/^/# /'
	fi
}

started()
{
	grep -q '^iotlbd: serving [0-9]* devices' err || ! kill -0 "$daemon" 2>/dev/null
}

bench()
{
	"$build/iotlb-bench" -q -j --direction tx -m sweep --server none --timeout 60 "$@" \
		>bench.out 2>bench.err
}

all_arrived()
{
	jq -e --argjson count $count '.tx | .sent == $count and .verified == $count' bench.out \
		>/dev/null
}

all_answered()
{
	awk -v count="$count" '
		$NF == "all" { good = $1 >= count && $2 + $3 == $1 && $4 + $5 + $7 == 0 }
		END { exit !good }' out
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

"$build/iotlb-bench" --direction tx -m sweep -n "$count" --write-table=table || exit
"$build/iotlbd" --table table >out 2>err &
daemon=$!
end=$((SECONDS + 60))
until started || [[ $SECONDS -ge $end ]]; do
	sleep 0.1
done

# The first run takes what is allocated once: an IOTLB that is full, and slabs
# of all the caches.
top=0
bench -n 10000 &
pid=$!
while kill -0 $pid 2>/dev/null; do
	look
	sleep 0.2
done
wait $pid
before=$top

fill_top=0
bench -n "$count" &
pid=$!
while kill -0 $pid 2>/dev/null; do
	look
	read -r entries _ < <(fill)
	[[ ${entries:-0} -le $fill_top ]] || fill_top=$entries
	sleep 0.2
done
wait $pid
ok "iotlb-bench is content" test $? -eq 0
ok "each of $count packets has arrived as it was sent" all_arrived
ok "the IOTLB was full, and not more ($fill_top entries)" \
	test "$fill_top" -ge 1024 -a "$fill_top" -le 2048
ok "the kernel's memory has grown by no more than $kib_max KiB ($((top - before)))" \
	test $((top - before)) -le $kib_max

kill -INT $daemon
wait $daemon
ok "iotlbd ends well" test $? -eq 0
ok "iotlbd has answered every miss, and there were that many" all_answered
sed 's/^/# /' out
