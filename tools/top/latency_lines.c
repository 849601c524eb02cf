// SPDX-License-Identifier: GPL-2.0
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "format.h"
#include "latency_lines.h"

/* What make_line() writes before the bar */
#define BEFORE_BAR 30

/* Returns false if nothing was counted. */
static int find_range(const struct iotlb_counters *counters, int *first, int *last)
{
	int i;

	*first = -1;
	for (i = 0; i < IOTLB_LATENCY_BUCKETS; i++) {
		if (!counters->latency[i])
			continue;
		if (*first < 0)
			*first = i;
		*last = i;
	}
	return *first >= 0;
}

static void make_line(char *text, int bucket, uint64_t count, uint64_t greatest, unsigned int width)
{
	char limit[FORMAT_SIZE];
	unsigned int bar = 0, room, i;
	int length;

	if (width >= LATENCY_LINE_SIZE)
		width = LATENCY_LINE_SIZE - 1;
	room = width > BEFORE_BAR ? width - BEFORE_BAR : 0;
	if (count)
		bar = 1 + (unsigned int)((double)count / (double)greatest * (room - 1.0));

	if (bucket == IOTLB_LATENCY_BUCKETS - 1)
		length = snprintf(text, width + 1, " >= %4s us %16" PRIu64 "  ",
				  format_us(limit, (double)(1ULL << bucket)), count);
	else
		length = snprintf(text, width + 1, "  < %4s us %16" PRIu64 "  ",
				  format_us(limit, (double)(1ULL << (bucket + 1))), count);
	for (i = 0; i < bar && length + i < width; i++)
		text[length + i] = '#';
	if ((unsigned int)length < width)
		text[length + i] = '\0';
}

void latency_lines_make(struct latency_lines *lines, const struct iotlb_counters *counters,
			unsigned int width, unsigned int most)
{
	uint64_t sums[IOTLB_LATENCY_BUCKETS] = {}, greatest = 0;
	int first, last, i, line;

	lines->count = 0;
	if (!most || !find_range(counters, &first, &last))
		return;
	if ((unsigned int)(last - first) >= most)
		first = last - (int)most + 1;
	for (i = 0; i <= last; i++) {
		line = i > first ? i : first;
		sums[line] += counters->latency[i];
		if (sums[line] > greatest)
			greatest = sums[line];
	}
	for (i = first; i <= last; i++)
		make_line(lines->lines[lines->count++], i, sums[i], greatest, width);
}
