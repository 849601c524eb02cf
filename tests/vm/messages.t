#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# vm: --timeout 900 --env SEED
# leaks
#
# A million messages to vhost devices, good and bad, each of which must do what
# the model in tests/fuzz says. With another number in SEED they are others; a
# failure prints how to repeat it. On the debug kernel, which looks closer and
# keeps what was freed, there are fewer.

set -uo pipefail

repo=$(readlink -f "$(dirname "$0")/../..")
fuzz=${BUILD:-$repo/build}/tests/fuzz_messages
number=0
fewer=1
kib=1024
if [[ -e /sys/kernel/debug/kmemleak ]]; then
	fewer=20
	kib=131072
fi

# The modules anew, with room for as many mappings. What traced them may take a
# moment to go.
reload()
{
	local try

	for ((try = 0; try < 100; try++)); do
		modprobe -q -r vhost_vsock vhost_net vhost && break
		sleep 0.1
	done
	modprobe vhost "max_iotlb_entries=$1" && modprobe vhost_net
}

# run COUNT LIMIT
run()
{
	local count=$(($1 / fewer))
	local what="$count messages to IOTLBs of $2 mappings"

	number=$((number + 1))
	if reload "$2" && "$fuzz" --seed "$((${SEED:-1} + number))" --count $count --kib $kib; then
		echo "ok $number - $what"
	else
		echo "not ok $number - $what"
	fi
}

echo 1..3
run 600000 2048
run 250000 64
run 150000 1
