/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Pages of the two processes that are missing, and what becomes of transfers there.
 * sva_guest does more of what it reads from standard input by this:
 *
 *	map QUEUE NTH		the process of the virtqueue, 0 or 1, has a page at its
 *				nth buffer,
 *	protect QUEUE NTH	one that is not to be written,
 *	unmap QUEUE NTH		or none
 *	post NTH		offer the nth buffer to receive, and send a frame there;
 *				wait for nothing
 *	offer NTH		only the former
 *	taken			wait until all buffers to receive are used: by which
 *				frame, and how long, was the last?
 *	errors			how often has each virtqueue told of an error since this
 *				was first asked, and how many virtqueues wait?
 */
#ifndef SVA_PAGES_H
#define SVA_PAGES_H

#include <stdbool.h>

struct device;

/* Is it one of these? Then it is done, and replied to. */
bool pages_handle(struct device *d, const char *line);

#endif /* SVA_PAGES_H */
