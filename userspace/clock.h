/* SPDX-License-Identifier: GPL-2.0 */
#ifndef IOTLB_CLOCK_H
#define IOTLB_CLOCK_H

#include <stdint.h>
#include <time.h>

#define NS_PER_MS 1000000ULL
#define NS_PER_SECOND 1000000000ULL

/* CLOCK_MONOTONIC in nanoseconds, as bpf_ktime_get_ns() has it. */
static inline uint64_t clock_now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * NS_PER_SECOND + now.tv_nsec;
}

static inline double clock_seconds(void)
{
	return clock_now_ns() / 1e9;
}

#endif /* IOTLB_CLOCK_H */
