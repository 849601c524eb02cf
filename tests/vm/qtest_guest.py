#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""A guest without a kernel: its hands are QEMU's qtest protocol.

    qtest_guest.py SOCKET

QEMU has a processor that is halted, an intel-iommu, a pcie-root-port at 00:03.0 and
behind it a virtio NIC. Does what the lines of standard input say, and answers each
with a line:

    start        the driver of the NIC starts it, with new rings
    stop         and resets it
    send         a packet
    tables N     makes tables of the IOMMU, in the Nth place
    wipe N       makes them useless
    on N         makes the IOMMU go by the tables in the Nth place
    off          switches the IOMMU off
    flush        invalidates all that the NIC may have cached
    high N       what it sends, and the last of the tables in the Nth place, are above
                 4 GiB from now on; there has to be memory
    reset        of the machine; answered when that is done

Formats: VT-d specification 4.1; virtio 1.3, 4.1.4, with the layout of QEMU's BAR 4.
"""
import socket
import struct
import sys

VTD = 0xFED90000
GCMD, GSTS, RTADDR, IQT, IQA = 0x18, 0x1C, 0x20, 0x88, 0x90
SRTP, TE, QIE = 1 << 30, 1 << 31, 1 << 26
ECAM = 0xB0000000
BAR = 0xFE000000
NOTIFY = BAR + 0x3000
SOURCE = 0x0100
IOVA = 0x2000000  # is RINGS, to the IOMMU
RINGS, PACKET, INVALIDATIONS = 0x100000, 0x140000, 0x180000
HIGH = 1 << 32
FEATURES = 1 << 32 | 1 << 33  # VERSION_1, ACCESS_PLATFORM
FRAME = b"\xff" * 6 + b"\x52\x54\0\0\0\2" + b"\x88\xb5" + bytes(50)


class Qtest:
    def __init__(self, path):
        connection = socket.socket(socket.AF_UNIX)
        connection.connect(path)
        self.stream = connection.makefile("rw")

    def do(self, *words):
        self.stream.write(" ".join(w if isinstance(w, str) else hex(w) for w in words) + "\n")
        self.stream.flush()
        line = "QEMU has gone"
        for line in self.stream:
            answer = line.split()
            if answer[0] == "OK":
                return int(answer[1], 16) if len(answer) > 1 else 0
            if answer[0] != "IRQ":
                break
        sys.exit(f"qtest_guest: {words}: {line}")

    def config(self, devfn, offset, size, value):
        self.do("outl", 0xCF8, 1 << 31 | devfn << 8 | offset & 0xFC)
        self.do("out" + size, 0xCFC + (offset & 3), value)

    def memory(self, address, data):
        self.do("write", address, len(data), "0x" + data.hex())


class Guest:
    def __init__(self, path):
        self.qtest = Qtest(path)
        self.forget()

    # What a reset does to us
    def forget(self):
        self.base = RINGS
        self.packet = PACKET
        self.enabled = 0

    def setup_pci(self):
        port, nic = 3 << 3, 1 << 8
        config = self.qtest.config
        config(port, 0x18, "l", 0x00010100)  # buses: 0, behind it 1 to 1
        config(port, 0x20, "l", 0xFE00FE00)  # memory that goes there
        config(port, 0x04, "w", 0x6)  # memory, bus master
        config(nic, 0x20, "l", BAR)
        config(nic, 0x24, "l", 0)
        config(nic, 0x04, "w", 0x6)
        # Beyond 256 bytes, configuration is memory. ATS is what begins there.
        config(0, 0x60, "l", ECAM | 1)
        self.qtest.do("writew", ECAM + (nic << 12) + 0x106, 1 << 15)

    def common(self, offset, size, value):
        self.qtest.do("write" + size, BAR + offset, value)

    def start(self):
        self.setup_pci()
        self.qtest.memory(RINGS, bytes(0x8000))
        self.common(20, "b", 0)
        self.common(20, "b", 3)
        for half in 0, 1:
            self.common(8, "l", half)
            self.common(12, "l", FEATURES >> 32 * half & 0xFFFFFFFF)
        self.common(20, "b", 11)
        for queue in 0, 1:
            ring = self.base + 0x4000 * queue
            self.common(22, "w", queue)
            for offset, address in (32, ring), (40, ring + 0x1000), (48, ring + 0x2000):
                self.common(offset, "l", address)
                self.common(offset + 4, "l", 0)
            self.common(28, "w", 1)
        self.sent = 0
        self.common(20, "b", 15)

    def stop(self):
        self.common(20, "b", 0)

    def send(self):
        ring = RINGS + 0x4000
        # After a header of virtio, which is all zero
        data = bytes(12) + FRAME
        self.qtest.memory(self.packet, data)
        self.qtest.memory(ring, struct.pack("<QIHH", self.base + PACKET - RINGS, len(data), 0, 0))
        self.sent += 1
        self.qtest.memory(ring + 0x1000, struct.pack("<HH", 0, self.sent))
        self.qtest.do("writew", NOTIFY + 4, 1)

    # Four tables, and a page each for all that is mapped
    def tables(self, place):
        root = 0x1000000 + 0x100000 * place
        context, top, middle, last = (root + 0x1000 * i for i in range(1, 5))
        put = self.qtest.memory
        put(root, bytes(0x5000))
        put(root + 16 * (SOURCE >> 8), struct.pack("<Q", context | 1))
        put(context + 16 * (SOURCE & 0xFF), struct.pack("<QQ", top | 1 << 2 | 1, 1 | 1 << 8))
        put(top + 8 * (IOVA >> 30), struct.pack("<Q", middle | 3))
        put(middle + 8 * (IOVA >> 21), struct.pack("<Q", last | 3))
        put(last, b"".join(struct.pack("<Q", RINGS + 0x1000 * i | 3) for i in range(0x80)))

    # Nothing is left where it was.
    def high(self, place):
        middle, last = (0x1000000 + 0x100000 * place + 0x1000 * i for i in (3, 4))
        pages = [RINGS + 0x1000 * i for i in range(0x80)]
        self.packet = HIGH + 0x1000
        pages[PACKET - RINGS >> 12] = self.packet
        put = self.qtest.memory
        put(HIGH, b"".join(struct.pack("<Q", page | 3) for page in pages))
        put(middle + 8 * (IOVA >> 21), struct.pack("<Q", HIGH | 3))
        put(last, bytes(0x1000))

    def wipe(self, place):
        self.qtest.memory(0x1000000 + 0x100000 * place, bytes(0x5000))

    def command(self, bits):
        self.qtest.do("writel", VTD + GCMD, bits)

    def on(self, place):
        self.qtest.do("writeq", VTD + RTADDR, 0x1000000 + 0x100000 * place)
        if not self.enabled & QIE:
            self.qtest.memory(INVALIDATIONS, bytes(0x1000))
            self.tail = 0
            self.qtest.do("writeq", VTD + IQT, 0)
            self.qtest.do("writeq", VTD + IQA, INVALIDATIONS)
        self.command(SRTP | QIE | self.enabled)
        self.enabled = TE | QIE
        self.command(self.enabled)
        self.base = IOVA

    def off(self):
        self.command(0)
        self.forget()

    def flush(self):
        # Device-TLB invalidation: every address, as Linux has it
        low, high = 3 | SOURCE << 32, 0x7FFFFFFFFFFFF000 | 1
        self.qtest.memory(INVALIDATIONS + self.tail, struct.pack("<QQ", low, high))
        self.tail += 16
        self.qtest.do("writeq", VTD + IQT, self.tail)

    def reset(self):
        self.qtest.do("outb", 0xCF9, 2)
        self.qtest.do("outb", 0xCF9, 6)
        # It comes when QEMU's main loop gets to it.
        while self.qtest.do("readl", VTD + GSTS):
            pass
        self.forget()


def main():
    guest = Guest(sys.argv[1])
    for line in sys.stdin:
        verb, *numbers = line.split()
        getattr(guest, verb)(*map(int, numbers))
        print("done", line.strip(), flush=True)


main()
