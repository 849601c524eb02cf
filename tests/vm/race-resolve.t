#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# vm: --timeout 1200
#
# A million invalidations race with the kernel's walk of the page table: none is
# overtaken. Fewer where all is so much slower.
exec build/tests/vhost_iotlb_race --invalidations $((1000000 / ${VM_TIMEOUT_FACTOR:-1})) resolve
