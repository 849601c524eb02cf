/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Distribution of durations in nanoseconds.
 *
 * Log-linear: every power of two is cut into equal steps, so that a bucket is
 * at most 0.1% wide, whatever the number of samples, and adding one costs the
 * same for the first and for the millionth. Sum, smallest and largest are
 * exact.
 */
#ifndef BENCH_HISTOGRAM_H
#define BENCH_HISTOGRAM_H

#include <stdint.h>

#define HISTOGRAM_STEP_BITS 10
#define HISTOGRAM_TOP_BIT 40 /* 2^40 ns: 18 minutes; all above in one bucket */
#define HISTOGRAM_BUCKETS ((HISTOGRAM_TOP_BIT - HISTOGRAM_STEP_BITS + 1) << HISTOGRAM_STEP_BITS)

struct histogram {
	uint64_t count;
	uint64_t sum;
	uint64_t min;
	uint64_t max;
	uint32_t buckets[HISTOGRAM_BUCKETS];
};

/* A struct histogram of all zeroes is empty and ready for use. */
void histogram_add(struct histogram *h, uint64_t ns);
void histogram_merge(struct histogram *into, const struct histogram *from);

/* Mean in nanoseconds; 0 for an empty one. */
double histogram_mean(const struct histogram *h);

/**
 * histogram_percentile() - value that @percent of all samples do not exceed
 *
 * Return: the upper end of the bucket in which the sample lies, never more
 * than the largest sample; 0 if there are none.
 */
uint64_t histogram_percentile(const struct histogram *h, double percent);

#endif /* BENCH_HISTOGRAM_H */
