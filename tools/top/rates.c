// SPDX-License-Identifier: GPL-2.0
#include <math.h>

#include "rates.h"

void counters_add(struct iotlb_counters *to, const struct iotlb_counters *what)
{
	int i;

	for (i = 0; i < IOTLB_NR_COUNTERS; i++)
		to->count[i] += what->count[i];
	for (i = 0; i < IOTLB_LATENCY_BUCKETS; i++)
		to->latency[i] += what->latency[i];
}

void counters_subtract(struct iotlb_counters *from, const struct iotlb_counters *what)
{
	int i;

	for (i = 0; i < IOTLB_NR_COUNTERS; i++)
		from->count[i] -= what->count[i];
	for (i = 0; i < IOTLB_LATENCY_BUCKETS; i++)
		from->latency[i] -= what->latency[i];
}

uint64_t counters_sum(const struct iotlb_counters *counters, uint32_t which)
{
	uint64_t sum = 0;
	int i;

	for (i = 0; i < IOTLB_NR_COUNTERS; i++)
		if (which & 1U << i)
			sum += counters->count[i];
	return sum;
}

/*
 * Each look ends in a hit, perhaps of the retry after a miss, or in a miss that
 * was resolved at once, or in a failure: so often was something looked up for the
 * first time.
 */
static double hit_rate(uint64_t hits, uint64_t misses, uint64_t resolved, uint64_t failed)
{
	uint64_t first = hits + resolved + failed;

	if (!first)
		return NAN;
	/* The retries of some misses may fall into the next interval. */
	return misses < first ? 1 - (double)misses / (double)first : 0;
}

double counters_hit_rate(const struct iotlb_counters *counters)
{
	return hit_rate(counters_sum(counters, COUNTERS_HITS), counters->count[IOTLB_MISS],
			counters->count[IOTLB_RESOLVED], counters->count[IOTLB_ACCESS_FAILED]);
}

double counters_buffer_hit_rate(const struct iotlb_counters *counters)
{
	return hit_rate(counters->count[IOTLB_HIT_BUFFER], counters->count[IOTLB_MISS_BUFFER],
			counters->count[IOTLB_RESOLVED_BUFFER],
			counters->count[IOTLB_ACCESS_FAILED]);
}

uint64_t latency_answered(const struct iotlb_counters *counters)
{
	uint64_t answered = 0;
	int i;

	for (i = 0; i < IOTLB_LATENCY_BUCKETS; i++)
		answered += counters->latency[i];
	return answered;
}

double latency_percentile(const struct iotlb_counters *counters, double share)
{
	uint64_t answered = latency_answered(counters), below = 0, rank;
	double low, width;
	int i;

	if (!answered)
		return NAN;

	/* Rounded up. */
	rank = (uint64_t)(share * (double)answered);
	if ((double)rank < share * (double)answered)
		rank++;
	for (i = 0; i < IOTLB_LATENCY_BUCKETS - 1; i++) {
		if (below + counters->latency[i] >= rank)
			break;
		below += counters->latency[i];
	}

	/* Bucket 0 begins at 0, all others where they are as wide. */
	low = i ? (double)(1ULL << i) : 0;
	width = i ? low : 2;
	return low + width * (double)(rank - below) / (double)counters->latency[i];
}
