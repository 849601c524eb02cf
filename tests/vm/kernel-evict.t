#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# vm: --timeout 600 --param vhost.max_iotlb_entries=5
#
# An IOTLB that is always full.
exec build/tests/vhost_iotlb_test evict
