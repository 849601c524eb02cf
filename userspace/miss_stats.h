/* SPDX-License-Identifier: GPL-2.0 */
#ifndef IOTLB_MISS_STATS_H
#define IOTLB_MISS_STATS_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

/**
 * struct miss_stats - what has become of the misses
 * @misses:	received; the sum of the following four
 * @answered:	a translation was given at once
 * @duplicates:	a translation given just before serves them too
 * @unanswered:	no translation can be given; the virtqueue waits
 * @failed:	vhost did not take the translation
 * @late:	of the last two, those that could be answered later
 * @drops:	found no room on the ring buffer; received in another way, or
 *		answered by the owner of the device
 */
struct miss_stats {
	uint64_t misses;
	uint64_t answered;
	uint64_t duplicates;
	uint64_t unanswered;
	uint64_t failed;
	uint64_t late;
	uint64_t drops;
};

/**
 * struct device_stats - the same for one device
 * @dev:	the device
 * @pid:	its owner
 * @comm:	name of its owner
 * @gone:	it is not served any more
 * @stats:	its misses
 */
struct device_stats {
	uint64_t dev;
	pid_t pid;
	char comm[16];
	bool gone;
	struct miss_stats stats;
};

/**
 * struct stats_view - a way to show them
 * @interval:	what has happened since the last time; a line
 * @device:	one device, at the end
 * @total:	everything, at the end, before the devices
 */
struct stats_view {
	void (*interval)(FILE *out, const struct miss_stats *since, double seconds, size_t devices);
	void (*total)(FILE *out, const struct miss_stats *total, uint64_t strange, size_t devices);
	void (*device)(FILE *out, const struct device_stats *device);
};

extern const struct stats_view stats_view_text;
extern const struct stats_view stats_view_json;

/* What has been added to @now since @before. */
struct miss_stats miss_stats_since(const struct miss_stats *now, const struct miss_stats *before);

#endif /* IOTLB_MISS_STATS_H */
