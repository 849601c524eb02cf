/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The histogram of latencies, as lines of text.
 */
#ifndef TOP_LATENCY_LINES_H
#define TOP_LATENCY_LINES_H

#include "iotlb_counters.h"

#define LATENCY_LINE_SIZE 256

/**
 * struct latency_lines - a line for each bucket from the first to the last that
 * has a count
 * @lines:	no newlines, ASCII
 * @count:	elements of @lines that are in use, 0 if no miss was answered
 */
struct latency_lines {
	char lines[IOTLB_LATENCY_BUCKETS][LATENCY_LINE_SIZE];
	unsigned int count;
};

/**
 * latency_lines_make() - draw the histogram
 * @lines:	filled in
 * @counters:	what was counted
 * @width:	characters of a line at most
 * @most:	lines at most, from 1; if there are more buckets, the fastest share
 *		the first line
 */
void latency_lines_make(struct latency_lines *lines, const struct iotlb_counters *counters,
			unsigned int width, unsigned int most);

#endif /* TOP_LATENCY_LINES_H */
