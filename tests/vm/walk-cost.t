#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# vm: --icount
#
# The longest page walks that a guest can make the kernel do: they read no more
# than is documented. Says what they take, in instructions, with the tables in
# one region of the memory table and with each in another.
exec build/tests/walk_in_kernel --cost
