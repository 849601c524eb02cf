/* SPDX-License-Identifier: GPL-2.0 */
/*
 * vhost detaches a program whose user space does not answer misses. Most often
 * that was stopped for a while, and attaches again; but not for ever.
 */
#ifndef IOTLB_REATTACH_H
#define IOTLB_REATTACH_H

#include <stdbool.h>
#include <stdint.h>

#include "rate.h"

/**
 * struct reattach - all zero at first
 * @detached:	how often vhost has detached the program
 * @limit:	bounds how often it is attached again
 */
struct reattach {
	uint64_t detached;
	struct rate limit;
};

/* vhost has detached it. Says so, and returns whether to attach it again. */
bool reattach_allowed(struct reattach *reattach);

#endif /* IOTLB_REATTACH_H */
