#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Runs a command that is given an open tap, as those do that start QEMU for others.

    with_tap.py NAME COMMAND [ARG]...

"{fd}" in the arguments becomes the number of the fd.
"""
import fcntl
import os
import struct
import sys

TUNSETIFF = 0x400454CA
IFF_TAP, IFF_NO_PI, IFF_VNET_HDR = 0x2, 0x1000, 0x4000

name, *command = sys.argv[1:]
fd = os.open("/dev/net/tun", os.O_RDWR)
flags = IFF_TAP | IFF_NO_PI | IFF_VNET_HDR
fcntl.ioctl(fd, TUNSETIFF, struct.pack("16sH22x", name.encode(), flags))
os.set_inheritable(fd, True)
os.execvp(command[0], [arg.replace("{fd}", str(fd)) for arg in command])
