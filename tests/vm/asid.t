#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# vm: --timeout 1800 --env ASID_FRAMES
#
# A virtqueue is moved between address spaces under traffic, ten times as long
# as kernel.t does. Not so long on the debug kernel.
frames=3000
[ ! -e /sys/kernel/debug/kmemleak ] || frames=500
ASID_FRAMES=${ASID_FRAMES:-$frames} exec build/tests/vhost_iotlb_test asid_race
