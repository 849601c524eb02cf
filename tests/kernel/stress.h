/* SPDX-License-Identifier: GPL-2.0 */
#ifndef KERNEL_TEST_STRESS_H
#define KERNEL_TEST_STRESS_H

#include <stdbool.h>

/*
 * A check: while threads attach and detach the program, open and close
 * devices, and change the mappings of a device without pause, that device
 * sends and receives packets, each of which must arrive in the end.
 */
bool stress(void);

#endif /* KERNEL_TEST_STRESS_H */
