/* SPDX-License-Identifier: GPL-2.0 */
#ifndef IOTLB_MISS_STATS_H
#define IOTLB_MISS_STATS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

#include "iommu_view.h"

struct page_request_counts;

/**
 * struct miss_stats - what has become of the misses
 * @misses:	received; the sum of the following five
 * @answered:	a translation was given
 * @duplicates:	a translation given at the same time serves them too
 * @unanswered:	no translation can be given; handed back to vhost, or failed there. Page
 *		requests, and what misses again while one is outstanding, are among them.
 * @stale:	they have missed again: the device was invalidated meanwhile, or the
 *		kernel is to set flags of entries, which we cannot
 * @failed:	vhost did not take the translation; handed back to vhost
 * @drops:	found no room on the ring buffer; received in another way, or
 *		answered by the owner of the device
 * @passed:	not received, because the device has had too many that could not
 *		be answered, or because the state of its guest's IOMMU is not known
 *		or off
 * @resolved:	not received, because the kernel has resolved them by itself
 * @large:	received, because the kernel leaves mappings to us that are larger
 *		than a page
 * @faults:	received, because the kernel could not resolve them
 */
struct miss_stats {
	uint64_t misses;
	uint64_t answered;
	uint64_t duplicates;
	uint64_t unanswered;
	uint64_t stale;
	uint64_t failed;
	uint64_t drops;
	uint64_t passed;
	uint64_t resolved;
	uint64_t large;
	uint64_t faults;
};

/**
 * struct device_stats - the same for one device
 * @dev:	the device
 * @pid:	its owner
 * @comm:	name of its owner
 * @tokens:	vhost refuses answers that come too late
 * @gone:	it is not served any more
 * @iommu:	what is known of the IOMMU of its guest
 * @stats:	its misses
 */
struct device_stats {
	uint64_t dev;
	pid_t pid;
	char comm[16];
	bool tokens;
	bool gone;
	enum iommu_state iommu;
	struct miss_stats stats;
};

/**
 * struct stats_summary - everything, at the end
 * @total:	all misses
 * @strange:	records that could not be understood
 * @detached:	how often vhost has detached the program
 * @devices:	that are served now
 * @without_tokens: devices that were ever served, and whose answers had none
 * @asked:	how often QEMU was asked about its guest
 * @page_requests: what has become of them, or NULL without PASIDs
 */
struct stats_summary {
	struct miss_stats total;
	uint64_t strange;
	uint64_t detached;
	size_t devices;
	uint64_t without_tokens;
	uint64_t asked;
	const struct page_request_counts *page_requests;
};

/**
 * struct stats_view - a way to show them
 * @interval:	what has happened since the last time; a line
 * @total:	everything, at the end, before the devices
 * @device:	one device, at the end
 */
struct stats_view {
	void (*interval)(FILE *out, const struct miss_stats *since, double seconds, size_t devices);
	void (*total)(FILE *out, const struct stats_summary *summary);
	void (*device)(FILE *out, const struct device_stats *device);
};

extern const struct stats_view stats_view_text;
extern const struct stats_view stats_view_json;

/* What has been added to @now since @before. */
struct miss_stats miss_stats_since(const struct miss_stats *now, const struct miss_stats *before);

#endif /* IOTLB_MISS_STATS_H */
