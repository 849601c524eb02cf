// SPDX-License-Identifier: GPL-2.0
#include "rate.h"

static bool is_over(const struct rate *rate, uint64_t now_ns)
{
	return now_ns - rate->began_ns >= rate->period_ns;
}

bool rate_take(struct rate *rate, uint64_t now_ns)
{
	if (!rate->count || is_over(rate, now_ns)) {
		rate->began_ns = now_ns;
		rate->count = 0;
	}
	if (rate->count >= rate->max)
		return false;
	rate->count++;
	return true;
}

uint64_t rate_wait_ns(const struct rate *rate, uint64_t now_ns)
{
	if (rate->count < rate->max || is_over(rate, now_ns))
		return 0;
	return rate->began_ns + rate->period_ns - now_ns;
}
