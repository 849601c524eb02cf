#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# vm: --timeout 1200
# leaks
#
# A million invalidations race with the answers to misses: none is overtaken.
# Fewer on the debug kernel, where all is so much slower.
invalidations=1000000
[ ! -e /sys/kernel/debug/kmemleak ] || invalidations=50000
exec build/tests/vhost_iotlb_race --invalidations $invalidations fd hook identity control
