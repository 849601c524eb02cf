#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# vm: --timeout 1800
# leaks
#
# The kernel series, on the real /dev/vhost-net.
exec build/tests/vhost_iotlb_test
