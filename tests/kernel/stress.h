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

/*
 * The same where nothing is mapped but in answer to a miss, by its token, be
 * it read or taken by the program, handed back, asked for anew, refused, or
 * lost, while the IOTLB and the memory table are replaced.
 */
bool stress_answers(void);

#endif /* KERNEL_TEST_STRESS_H */
