// SPDX-License-Identifier: GPL-2.0
#include "histogram.h"

#define STEPS (1u << HISTOGRAM_STEP_BITS)

static unsigned int bucket_of(uint64_t ns)
{
	unsigned int shift;

	if (ns < STEPS)
		return ns;
	if (ns >> HISTOGRAM_TOP_BIT)
		return HISTOGRAM_BUCKETS - 1;
	shift = 63 - __builtin_clzll(ns) - HISTOGRAM_STEP_BITS;
	return ((shift + 1) << HISTOGRAM_STEP_BITS) + (ns >> shift) - STEPS;
}

static uint64_t bucket_top(unsigned int bucket)
{
	unsigned int shift;
	uint64_t step;

	if (bucket < STEPS)
		return bucket;
	shift = (bucket >> HISTOGRAM_STEP_BITS) - 1;
	step = (bucket & (STEPS - 1)) + STEPS;
	return ((step + 1) << shift) - 1;
}

void histogram_add(struct histogram *h, uint64_t ns)
{
	if (!h->count || ns < h->min)
		h->min = ns;
	if (ns > h->max)
		h->max = ns;
	h->count++;
	h->sum += ns;
	h->buckets[bucket_of(ns)]++;
}

void histogram_merge(struct histogram *into, const struct histogram *from)
{
	if (!from->count)
		return;
	if (!into->count || from->min < into->min)
		into->min = from->min;
	if (from->max > into->max)
		into->max = from->max;
	into->count += from->count;
	into->sum += from->sum;
	for (unsigned int i = 0; i < HISTOGRAM_BUCKETS; i++)
		into->buckets[i] += from->buckets[i];
}

double histogram_mean(const struct histogram *h)
{
	return h->count ? (double)h->sum / (double)h->count : 0;
}

uint64_t histogram_percentile(const struct histogram *h, double percent)
{
	double wanted = percent / 100 * (double)h->count;
	uint64_t seen = 0;

	for (unsigned int i = 0; i < HISTOGRAM_BUCKETS; i++) {
		seen += h->buckets[i];
		if (!seen || (double)seen < wanted)
			continue;
		if (i == HISTOGRAM_BUCKETS - 1 || bucket_top(i) > h->max)
			return h->max;
		return bucket_top(i) < h->min ? h->min : bucket_top(i);
	}
	return 0;
}
