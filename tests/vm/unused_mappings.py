#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Puts five translations into the IOTLB of a device, then invalidates these, and
three that were never there. Nothing is looked up."""
import fcntl
import os
import struct

VHOST_SET_FEATURES = 0x4008AF00
VHOST_SET_OWNER = 0xAF01
FEATURES = 1 << 32 | 1 << 33  # VIRTIO_F_VERSION_1, VIRTIO_F_ACCESS_PLATFORM
UPDATE, INVALIDATE = 2, 3


def write(kind, page):
    # struct vhost_msg_v2: type, asid, iova, size, uaddr, perm, type, padding
    message = struct.pack("IIQQQBB38x", 2, 0, page << 12, 4096, 0x10000, 3, kind)
    os.write(fd, message)


fd = os.open("/dev/vhost-net", os.O_RDWR)
fcntl.ioctl(fd, VHOST_SET_OWNER, 0)
fcntl.ioctl(fd, VHOST_SET_FEATURES, struct.pack("Q", FEATURES))
for i in range(5):
    write(UPDATE, 0x100 + i)
for i in range(5 + 3):
    write(INVALIDATE, 0x100 + i)
