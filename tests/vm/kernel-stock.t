#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# vm: --timeout 600 --stock
#
# The checks of the kernel series fail without it.
exec build/tests/vhost_iotlb_test --stock
