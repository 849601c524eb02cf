/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Arithmetic on counters: sums, differences, and what people want to know.
 */
#ifndef TOP_RATES_H
#define TOP_RATES_H

#include <stdint.h>

#include "iotlb_counters.h"

void counters_add(struct iotlb_counters *to, const struct iotlb_counters *what);
void counters_subtract(struct iotlb_counters *from, const struct iotlb_counters *what);

/* Sum of the counters whose bits, 1 << enum iotlb_counter, are set. */
uint64_t counters_sum(const struct iotlb_counters *counters, uint32_t which);

#define COUNTER(name) (1U << IOTLB_##name)

#define COUNTERS_HITS_META (COUNTER(HIT_DESC) | COUNTER(HIT_AVAIL) | COUNTER(HIT_USED))
#define COUNTERS_HITS (COUNTERS_HITS_META | COUNTER(HIT_BUFFER))
#define COUNTERS_FALLBACKS                                                                         \
	(COUNTER(FALLBACK_TIMEOUT) | COUNTER(FALLBACK_REFUSED) | COUNTER(FALLBACK_DETACHED))
#define COUNTERS_LOOKUPS (COUNTERS_HITS | COUNTER(MISS))
#define COUNTERS_BUFFERS (COUNTER(HIT_BUFFER) | COUNTER(MISS_BUFFER))

/**
 * counters_hit_rate() - how often a translation was there when first wanted
 * @counters:	of a virtqueue, or a sum
 *
 * vhost looks once more when a miss has been answered, and then hits. Those
 * hits are no merit: 1 - misses / (lookups - misses). It does not if the miss
 * was resolved at once, or if the access failed: 1 - misses / (lookups - misses +
 * resolved + failed).
 *
 * Return: 0 to 1, or NAN if nothing was looked up.
 */
double counters_hit_rate(const struct iotlb_counters *counters);

/**
 * counters_buffer_hit_rate() - the same for the buffers of packets
 * @counters:	of a virtqueue, or a sum
 *
 * The ring itself stays where it is, and vhost touches it several times for
 * each packet. Those hits would hide that no buffer was ever found, so only
 * hits and misses of buffers count here. If a packet has several new buffers,
 * vhost starts with the first again after each miss: the rate is too good then.
 * Accesses that failed are taken for those of buffers. A guest that has no page for
 * its ring does not get far.
 *
 * Return: 0 to 1, or NAN if no buffer was looked up.
 */
double counters_buffer_hit_rate(const struct iotlb_counters *counters);

/* How many misses were answered, that is, have a latency. */
uint64_t latency_answered(const struct iotlb_counters *counters);

/**
 * latency_percentile() - the latency that a share of misses stays below
 * @counters:	of a virtqueue, or a sum
 * @share:	0 to 1, exclusively: 0.99 for the 99th percentile
 *
 * The histogram knows only powers of two. Within a bucket, latencies are taken
 * to be spread evenly, and each to be at the upper end of its part: the result
 * is in the right bucket, so less than twice the true value, more than half.
 *
 * Return: nanoseconds, or NAN if no miss was answered.
 */
double latency_percentile(const struct iotlb_counters *counters, double share);

#endif /* TOP_RATES_H */
