#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Has a vhost device, and a socket where somebody expects the monitor of a QEMU.

    fake_monitor.py SOCKET TEXT [silent]

To whoever comes, says TEXT, in which Python's escapes mean what they do there, and
closes the connection; with "silent", keeps it.
"""
import socket
import sys

listener = socket.socket(socket.AF_UNIX)
listener.bind(sys.argv[1])
listener.listen(1)
device = open("/dev/vhost-net", "r+b", buffering=0)
kept = []
while True:
    connection = listener.accept()[0]
    connection.sendall(sys.argv[2].encode().decode("unicode_escape").encode())
    if "silent" in sys.argv:
        kept.append(connection)
    else:
        connection.close()
