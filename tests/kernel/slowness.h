/* SPDX-License-Identifier: GPL-2.0 */
#ifndef KERNEL_TEST_SLOWNESS_H
#define KERNEL_TEST_SLOWNESS_H

/*
 * By how much limits in seconds are to be longer, for a kernel or a machine
 * that is slower than others: VM_TIMEOUT_FACTOR, see tests/vm/run.
 * Return: 1 unless it is set.
 */
unsigned int slowness(void);

#endif
