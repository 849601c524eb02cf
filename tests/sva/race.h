/* SPDX-License-Identifier: GPL-2.0 */
/*
 * While frames are sent, the virtqueue TX is taken from a process and given to
 * another one, time and again, and pages of who has it are replaced and
 * invalidated. When iotlbd has replied, what was there before holds frames that
 * must never be seen again.
 */
#ifndef SVA_RACE_H
#define SVA_RACE_H

struct device;

/**
 * struct race_counts - what has happened
 * @switches:	from a process to another one
 * @invalidations: of pages that were replaced
 * @frames:	that were sent
 * @stale:	of these: out of what was there before
 * @crossed:	of these: out of another process's memory, or another page
 * @lost:	that were offered and never sent
 */
struct race_counts {
	unsigned int switches, invalidations;
	unsigned int frames, stale, crossed, lost;
};

/**
 * race_run() - the whole
 * @d:		device whose virtqueues run, with the PASIDs of tables.h bound
 * @socket:	of iotlbd's control
 * @rounds:	switches and invalidations
 * @counts:	result
 */
void race_run(struct device *d, const char *socket, unsigned int rounds,
	      struct race_counts *counts);

#endif /* SVA_RACE_H */
