#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Uses the vhost-net fd of another process.

    vhost_fd.py PID read          read a miss, within a minute, and leave it
    vhost_fd.py PID invalidate    drop all translations
"""
import ctypes
import glob
import os
import select
import struct
import sys

PIDFD_GETFD = 438
MISS = 1
INVALIDATE = 3
MSG_V2 = 2
# struct vhost_msg_v2: type, asid, iova, size, uaddr, perm, type, padding
MSG = struct.Struct("IIQQQBB38x")


def take(pid):
    number = next(
        int(os.path.basename(path))
        for path in glob.glob(f"/proc/{pid}/fd/*")
        if os.readlink(path) == "/dev/vhost-net"
    )
    return ctypes.CDLL(None).syscall(PIDFD_GETFD, os.pidfd_open(pid), number, 0)


def read(fd):
    if not select.select([fd], [], [], 60)[0]:
        sys.exit("no miss on the fd")
    kind, _, iova, _, _, _, message = MSG.unpack(os.read(fd, MSG.size))
    print(f"# read: kind {kind}, message {message}, at 0x{iova:x}")
    return kind == MSG_V2 and message == MISS


def invalidate(fd):
    return os.write(fd, MSG.pack(MSG_V2, 0, 0, 0, 0, 0, INVALIDATE)) == MSG.size


def main():
    fd = take(int(sys.argv[1]))
    good = {"read": read, "invalidate": invalidate}[sys.argv[2]](fd)
    sys.exit(not good)


main()
