/* SPDX-License-Identifier: GPL-2.0 */
/* The charts of a report. Each shows one record, or two on the same axes. */
#ifndef REPORT_CHARTS_H
#define REPORT_CHARTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "report.h"
#include "svg.h"

/**
 * struct report - what a report is made of
 * @inputs:	one record or two
 * @count:	of them
 * @seconds:	duration of the longest
 * @out:	the file
 */
struct report {
	const struct report_input *inputs;
	size_t count;
	double seconds;
	FILE *out;
};

/* "A", "B": what the records are called where there are two. */
const char *report_letter(size_t which);

/* Does this record know these counters? */
bool report_knows(const struct report *report, size_t which, uint64_t counters);

/* When bucket @i begins and ends; the last one ends with the record. */
double bucket_begin(const struct timeline *timeline, size_t i);
double bucket_end(const struct timeline *timeline, size_t i, uint64_t duration_ns);

/* One curve in a chart: what it shows, and how. */
struct curve {
	const char *name;
	const char *class;
	const char *unit;
	double (*value)(const struct iotlb_counters *counters, double seconds, int which);
	int which;
};

/* Steps from bucket to bucket, none where the value is not known. */
void curve_draw(const struct frame *frame, const struct curve *curve,
		const struct timeline *timeline, uint64_t duration_ns);

/* The values for those who point at them, and for scripts. */
void curve_data(FILE *out, const struct curve *curve, const struct timeline *timeline,
		uint64_t duration_ns);

/* Hit rate of buffers over time. */
void chart_rate(const struct report *report);

/* Misses over time, by who has answered them. */
void chart_misses(const struct report *report);

/* Updates, invalidations and evictions over time. */
void chart_changes(const struct report *report);

/* Latency of misses over time. */
void chart_latency(const struct report *report);

/* Where what happened when: one device, or one of each record; NULL: none. */
void chart_map(const struct report *report, const struct record_map *const *maps);

/* All that chart_map() is made for. */
void charts_of_devices(const struct report *report);

#endif /* REPORT_CHARTS_H */
