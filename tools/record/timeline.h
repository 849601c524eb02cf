/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Counters over time, in a bounded number of buckets: when time goes beyond the
 * last one, neighbours are added up and all buckets become twice as wide.
 */
#ifndef RECORD_TIMELINE_H
#define RECORD_TIMELINE_H

#include <stddef.h>
#include <stdint.h>

#include "iotlb_counters.h"

#define TIMELINE_BUCKETS 240

/**
 * struct timeline - counters over time
 * @bucket_ns:	how much time a bucket stands for; the first begins at 0
 * @count:	buckets in use
 * @buckets:	what happened in each
 */
struct timeline {
	uint64_t bucket_ns;
	size_t count;
	struct iotlb_counters buckets[TIMELINE_BUCKETS];
};

/**
 * timeline_add() - add what happened in a stretch of time
 * @timeline:	@bucket_ns is set
 * @from:	when it began, nanoseconds since the start of all
 * @to:		when it ended; not before @from
 * @counters:	spread evenly over the stretch; no event is lost or gained
 */
void timeline_add(struct timeline *timeline, uint64_t from, uint64_t to,
		  const struct iotlb_counters *counters);

/* Adds up pairs of buckets, which become twice as wide. */
void timeline_widen(struct timeline *timeline);

/* Adds all of @from to @into, which gets the width of the wider one. */
void timeline_merge(struct timeline *into, const struct timeline *from);

/**
 * timeline_defer_misses() - move misses of buffers to where their retries hit
 * @timeline:	a copy, for hit rates and nothing else
 *
 * A retry may fall into a later bucket than its miss. That bucket would look as if
 * something had been found at once.
 */
void timeline_defer_misses(struct timeline *timeline);

#endif /* RECORD_TIMELINE_H */
