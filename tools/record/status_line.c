// SPDX-License-Identifier: GPL-2.0
#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

#include "clock.h"
#include "status_line.h"
#include "top/format.h"
#include "top/rates.h"

void status_line_init(struct status_line *line, bool quiet)
{
	*line = (struct status_line){.wanted = !quiet && isatty(STDERR_FILENO)};
}

void status_line_show(struct status_line *line, const struct record *record,
		      const struct top_sample *sample)
{
	char lookups[FORMAT_SIZE], misses[FORMAT_SIZE], rate[FORMAT_SIZE];

	if (!line->wanted || record->duration_ns - line->shown_ns < NS_PER_SECOND)
		return;
	fprintf(stderr,
		"\r%" PRIu64 " s: %zu devices, %s lookups, %s misses, hit rate %s%%, %" PRIu64
		" lost \033[K",
		(uint64_t)(record->duration_ns / NS_PER_SECOND), sample->count,
		format_short(lookups, (double)counters_sum(&sample->sum_total, COUNTERS_LOOKUPS)),
		format_short(misses, (double)sample->sum_total.count[IOTLB_MISS]),
		format_percent(rate, counters_buffer_hit_rate(&sample->sum_total)),
		record->lost_counts + record->lost_events);
	line->shown_ns = record->duration_ns;
	line->open = true;
}

void status_line_end(struct status_line *line)
{
	if (line->open)
		fputs("\r\033[K", stderr);
	line->open = false;
}
