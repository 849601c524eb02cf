/* SPDX-License-Identifier: GPL-2.0 */
/* A device with virtqueues that run. */
#ifndef FUZZ_RUNNING_H
#define FUZZ_RUNNING_H

#include <stdbool.h>
#include <stdint.h>

#include "tests/kernel/device.h"

/* Open the session's device as one that runs. Return: false if it does not. */
bool running_open(void);

/* Have a virtqueue look for work, and often give it some. */
void running_kick(struct device *d, uint64_t random);

/* The BPF program, if there is one, takes no misses any more. */
void running_detach_hook(void);

/* Stop, start again, and send a packet. Return: false if that fails. */
bool running_finish(void);

#endif /* FUZZ_RUNNING_H */
