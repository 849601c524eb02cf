#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# vm: --timeout 900
# leaks
#
# IOTLBs that are always full: the modules are loaded with one limit after the
# other. (Larger ones than the default are as good as the default.) Fewer on the
# debug kernel, where all is so much slower.
status=0
limits="1 2 3 4 5 8 64"
[ ! -e /sys/kernel/debug/kmemleak ] || limits="1 3 64"
for limit in $limits; do
	modprobe -a -r vhost_net vhost_vsock &&
		modprobe -r vhost &&
		modprobe vhost max_iotlb_entries="$limit" &&
		modprobe vhost_net || exit 1
	echo "# max_iotlb_entries=$limit"
	build/tests/vhost_iotlb_test evict || status=1
done
exit "$status"
