#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Takes pages of a guest's memory out of the page table of its process.

    page_out.py PID GPA SIZE ROUNDS

The memory stays what it is: whoever touches it makes a page fault. Says "ready",
and begins when a line comes on standard input: on a machine that is busy, to
start takes long.
"""
import ctypes
import glob
import os
import re
import sys
import time

PROCESS_MADVISE = 440
MADV_PAGEOUT = 21


class Iovec(ctypes.Structure):
    _fields_ = [("base", ctypes.c_void_p), ("size", ctypes.c_size_t)]


def address_of(pid, gpa):
    for path in glob.glob(f"/proc/{pid}/fdinfo/*"):
        with open(path) as file:
            text = file.read()
        for line in re.findall(r"^vhost-mem:\s*(.*)$", text, re.M):
            first, size, hva = (int(word, 0) for word in line.split())
            if first <= gpa < first + size:
                return hva + gpa - first
    sys.exit(f"process {pid} has no guest memory at 0x{gpa:x}")


def main():
    pid, gpa, size, rounds = (int(word, 0) for word in sys.argv[1:])
    print("ready", flush=True)
    sys.stdin.readline()
    range_ = Iovec(address_of(pid, gpa), size)
    libc = ctypes.CDLL(None, use_errno=True)
    libc.syscall.restype = ctypes.c_long
    pidfd = os.pidfd_open(pid)
    for _ in range(rounds):
        done = libc.syscall(
            PROCESS_MADVISE, pidfd, ctypes.byref(range_), ctypes.c_size_t(1), MADV_PAGEOUT, 0
        )
        if done != size:
            sys.exit(f"process_madvise: {done}, {os.strerror(ctypes.get_errno())}")
        time.sleep(0.05)


main()
