// SPDX-License-Identifier: GPL-2.0
#include <string.h>

#include "timeline.h"
#include "top/rates.h"

void timeline_widen(struct timeline *timeline)
{
	size_t i;

	for (i = 0; i < timeline->count; i += 2) {
		struct iotlb_counters pair = timeline->buckets[i];

		if (i + 1 < timeline->count)
			counters_add(&pair, &timeline->buckets[i + 1]);
		timeline->buckets[i / 2] = pair;
	}
	i = (timeline->count + 1) / 2;
	memset(&timeline->buckets[i], 0, (timeline->count - i) * sizeof(timeline->buckets[0]));
	timeline->count = i;
	timeline->bucket_ns *= 2;
}

/* The part of @value that has happened @done of @all nanoseconds after its
 * start. Rounded down, so that parts add up to the whole.
 */
static uint64_t part(uint64_t value, uint64_t done, uint64_t all)
{
	return done >= all ? value : (uint64_t)((unsigned __int128)value * done / all);
}

static void add_part(struct iotlb_counters *to, const struct iotlb_counters *what, uint64_t begin,
		     uint64_t end, uint64_t all)
{
	int i;

	for (i = 0; i < IOTLB_NR_COUNTERS; i++)
		to->count[i] += part(what->count[i], end, all) - part(what->count[i], begin, all);
	for (i = 0; i < IOTLB_LATENCY_BUCKETS; i++)
		to->latency[i] +=
			part(what->latency[i], end, all) - part(what->latency[i], begin, all);
}

void timeline_add(struct timeline *timeline, uint64_t from, uint64_t to,
		  const struct iotlb_counters *counters)
{
	/* What happened at once took a nanosecond. */
	const uint64_t all = to > from ? to - from : 1;
	uint64_t begin = 0, end;
	size_t i;

	while ((from + all - 1) / timeline->bucket_ns >= TIMELINE_BUCKETS)
		timeline_widen(timeline);

	for (i = from / timeline->bucket_ns;; i++) {
		const uint64_t edge = (i + 1) * timeline->bucket_ns;

		end = edge < from + all ? edge - from : all;
		add_part(&timeline->buckets[i], counters, begin, end, all);
		if (i >= timeline->count)
			timeline->count = i + 1;
		if (end == all)
			break;
		begin = end;
	}
}

void timeline_merge(struct timeline *into, const struct timeline *from)
{
	size_t i, at;

	while (into->bucket_ns < from->bucket_ns)
		timeline_widen(into);
	for (i = 0; i < from->count; i++) {
		while ((at = i * from->bucket_ns / into->bucket_ns) >= TIMELINE_BUCKETS)
			timeline_widen(into);
		counters_add(&into->buckets[at], &from->buckets[i]);
		if (at >= into->count)
			into->count = at + 1;
	}
}

void timeline_defer_misses(struct timeline *timeline)
{
	uint64_t misses = 0, answered;
	size_t i;

	for (i = 0; i < timeline->count; i++) {
		__u64 *count = timeline->buckets[i].count;

		answered = count[IOTLB_HIT_BUFFER] + count[IOTLB_RESOLVED_BUFFER] +
			   count[IOTLB_ACCESS_FAILED];
		misses += count[IOTLB_MISS_BUFFER];
		count[IOTLB_MISS_BUFFER] = misses < answered ? misses : answered;
		misses -= count[IOTLB_MISS_BUFFER];
	}
}
