/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the calls of shared virtual addressing cost, where the clock counts
 * instructions: by the library alone, with the writes to vhost that follow, and
 * as requests at the control socket, from the client's write to the reply.
 */
#ifndef SVA_COSTS_H
#define SVA_COSTS_H

struct device;

/**
 * costs_print() - measure, and print a JSON object for each call
 * @d:		device whose virtqueues run, in PASIDs of tables.h
 * @socket:	of iotlbd's control
 *
 * Each has the mean nanoseconds of a call. What is allocated and bound are other
 * PASIDs than those of the virtqueues; what is invalidated are theirs.
 */
void costs_print(struct device *d, const char *socket);

#endif /* SVA_COSTS_H */
