#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# vm: --timeout 600 --stock
#
# Without the kernel series, they are.
exec build/tests/vhost_iotlb_race --stock --invalidations 1000000
