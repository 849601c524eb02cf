#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# vm: --env SEED --env COUNT
# leaks
#
# A hundred thousand page walks by a BPF program at vhost's hook, through guests
# made at random: they find what is found in user space, iotlbd's program makes
# of it what it should, and the device then reads where it should.
exec build/tests/walk_in_kernel --seed "${SEED:-1}" --count "${COUNT:-100000}"
