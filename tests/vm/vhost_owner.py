#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Owns a vhost-net device and does with it what standard input says.

Prints the number of its fd, then answers each line by "ok" or an error:

    memory [GPA SIZE HVA]...    set the memory table
    ram SIZE                    have so much memory at 0, and set it as memory table
    write GPA NUMBER            put 8 bytes there
    update IOVA SIZE HVA        put a translation into the IOTLB
    reset                       give up ownership and take it again
    others COUNT                hold so many other devices, and set their memory tables
    dup                         hold the device by another number only
    close                       close the device
"""
import ctypes
import fcntl
import mmap
import os
import struct
import sys

VHOST_SET_FEATURES = 0x4008AF00
VHOST_SET_OWNER = 0xAF01
VHOST_RESET_OWNER = 0xAF02
VHOST_SET_MEM_TABLE = 0x4008AF03
FEATURES = 1 << 32 | 1 << 33  # VIRTIO_F_VERSION_1, VIRTIO_F_ACCESS_PLATFORM


def own(fd):
    fcntl.ioctl(fd, VHOST_SET_OWNER, 0)
    fcntl.ioctl(fd, VHOST_SET_FEATURES, struct.pack("Q", FEATURES))


def set_memory(fd, numbers):
    table = struct.pack("II", len(numbers) // 3, 0)
    for i in range(0, len(numbers), 3):
        table += struct.pack("QQQQ", *numbers[i : i + 3], 0)
    fcntl.ioctl(fd, VHOST_SET_MEM_TABLE, table)


def make_ram(fd, size):
    ram = mmap.mmap(-1, size)
    set_memory(fd, [0, size, ctypes.addressof(ctypes.c_char.from_buffer(ram))])
    return ram


def hold_others(others, count):
    while len(others) < count:
        others.append(os.open("/dev/vhost-net", os.O_RDWR))
        own(others[-1])
    for fd in others:
        set_memory(fd, [])


def update(fd, iova, size, hva):
    # struct vhost_msg_v2: type, asid, iova, size, uaddr, perm, type, padding
    message = struct.pack("IIQQQBB38x", 2, 0, iova, size, hva, 3, 2)
    os.write(fd, message)


def main():
    fd = os.open("/dev/vhost-net", os.O_RDWR)
    own(fd)
    ram = None
    others = []
    print(fd, flush=True)
    for line in sys.stdin:
        command, *words = line.split()
        numbers = [int(word, 0) for word in words]
        try:
            if command == "memory":
                set_memory(fd, numbers)
            elif command == "ram":
                ram = make_ram(fd, *numbers)
            elif command == "write":
                struct.pack_into("Q", ram, *numbers)
            elif command == "update":
                update(fd, *numbers)
            elif command == "reset":
                fcntl.ioctl(fd, VHOST_RESET_OWNER, 0)
                own(fd)
            elif command == "others":
                hold_others(others, *numbers)
            elif command == "dup":
                new = os.dup(fd)
                os.close(fd)
                fd = new
            elif command == "close":
                os.close(fd)
        except OSError as error:
            print(error, flush=True)
            continue
        print("ok", flush=True)


main()
