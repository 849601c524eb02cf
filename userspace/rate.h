/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Bounds how often something may happen.
 */
#ifndef IOTLB_RATE_H
#define IOTLB_RATE_H

#include <stdbool.h>
#include <stdint.h>

/**
 * struct rate - at most so often within a period
 * @max:	how often
 * @period_ns:	the length of a period
 * @began_ns:	when this period began: with the first event after the last one
 * @count:	events in it
 */
struct rate {
	uint64_t max;
	uint64_t period_ns;
	uint64_t began_ns;
	uint64_t count;
};

/**
 * rate_take() - may it happen once more?
 * @rate:	the bound
 * @now_ns:	CLOCK_MONOTONIC
 *
 * Return: true, and it counts; or false, and then it must not happen.
 */
bool rate_take(struct rate *rate, uint64_t now_ns);

/* Nanoseconds until rate_take() will return true, 0 if it would now. */
uint64_t rate_wait_ns(const struct rate *rate, uint64_t now_ns);

#endif /* IOTLB_RATE_H */
