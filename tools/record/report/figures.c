// SPDX-License-Identifier: GPL-2.0
#include <math.h>
#include <string.h>

#include "figures.h"
#include "top/rates.h"
#include "top/source.h"

static double p50(const struct iotlb_counters *counters)
{
	return latency_percentile(counters, 0.50);
}

static double p99(const struct iotlb_counters *counters)
{
	return latency_percentile(counters, 0.99);
}

#define SUM(name, help, of_device, counters)                                                       \
	{                                                                                          \
		name, help, FIGURE_COUNT, of_device, counters, counters, NULL                      \
	}

const struct figure figures[FIGURES] = {
	SUM("Lookups", "translations looked up: hits and misses", false, COUNTERS_LOOKUPS),
	SUM("Hits", "translations that were there, for the ring or for buffers", false,
	    COUNTERS_HITS),
	SUM("Hits of buffers", "the part of them that was for buffers", false, COUNTER(HIT_BUFFER)),
	SUM("Misses", "translations that were not there", false, COUNTER(MISS)),
	{"Hit rate",
	 "share of the buffers whose translation was there when they were first looked up; the "
	 "retry after a miss does not count",
	 FIGURE_SHARE, false, COUNTER(HIT_BUFFER) | COUNTER(MISS_BUFFER) | COUNTER(RESOLVED_BUFFER),
	 0, counters_buffer_hit_rate},
	SUM("Resolved", "misses that a BPF program answered at once, in the kernel", false,
	    COUNTER(RESOLVED)),
	SUM("Ring", "misses that a daemon took from its ring buffer", false, COUNTER(MISS_RING)),
	SUM("Fd", "misses that were given out on the vhost fd", false,
	    COUNTER(MISS_FD) | COUNTER(MISS_DROP)),
	SUM("Fallbacks", "misses that a daemon had taken and that came out on the fd after all",
	    false, COUNTERS_FALLBACKS),
	SUM("Updates", "translations put in", true, COUNTER(UPDATE)),
	SUM("Invalidations", "ranges dropped on demand", true, COUNTER(INVALIDATE)),
	SUM("Evictions", "translations dropped for want of room", true, COUNTER(EVICT)),
	{"p50", "half of the misses waited less than this for their update", FIGURE_TIME, false,
	 UNAVAILABLE_LATENCY, 0, p50},
	{"p99", "99% of the misses waited less than this", FIGURE_TIME, false, UNAVAILABLE_LATENCY,
	 0, p99},
	SUM("Failed accesses", "those that failed, because there is no such page", false,
	    COUNTER(ACCESS_FAILED)),
};

double figure_value(const struct figure *figure, const struct record *record,
		    const struct iotlb_counters *counters)
{
	if (figure->needs & record->unavailable)
		return NAN;
	if (figure->value)
		return figure->value(counters);
	return (double)counters_sum(counters, figure->counters);
}

char *figure_text(char buffer[HTML_SIZE], const struct figure *figure, const struct record *record,
		  const struct iotlb_counters *counters)
{
	const double value = figure_value(figure, record, counters);

	if (isnan(value))
		return strcpy(buffer, "–");
	if (figure->kind == FIGURE_SHARE)
		return html_percent(buffer, value);
	if (figure->kind == FIGURE_TIME)
		return html_time(buffer, value);
	return html_count(buffer, counters_sum(counters, figure->counters));
}
