// SPDX-License-Identifier: GPL-2.0
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "diagnose.h"
#include "notes.h"
#include "rates.h"

static char *next_line(struct notes *notes)
{
	return notes->lines[notes->count++];
}

/* Adds "3 misses timed out" to a line, after a comma if it is not the first. */
static void add_part(char *line, bool first, uint64_t count, const char *what)
{
	size_t length = strlen(line);
	const char *noun = count == 1 ? " miss" : " misses";

	snprintf(line + length, NOTE_SIZE - length, "%s %" PRIu64 "%s %s", first ? "" : ",", count,
		 first ? noun : "", what);
}

static void tell_fallbacks(struct notes *notes, const struct iotlb_counters *counters)
{
	static const struct {
		enum iotlb_counter which;
		const char *what;
	} reasons[] = {
		{IOTLB_FALLBACK_TIMEOUT, "timed out"},
		{IOTLB_FALLBACK_REFUSED, "handed back"},
		{IOTLB_FALLBACK_DETACHED, "of a detached program"},
	};
	char *line = next_line(notes);
	bool first = true;
	size_t i;

	strcpy(line, "watchdog:");
	for (i = 0; i < sizeof(reasons) / sizeof(reasons[0]); i++) {
		if (!counters->count[reasons[i].which])
			continue;
		add_part(line, first, counters->count[reasons[i].which], reasons[i].what);
		first = false;
	}
}

void notes_make(struct notes *notes, const struct iotlb_counters *counters)
{
	uint64_t stale = counters->count[IOTLB_UPDATE_STALE];
	uint64_t failed = counters->count[IOTLB_ACCESS_FAILED];

	notes->count = 0;
	if (counters_sum(counters, COUNTERS_FALLBACKS))
		tell_fallbacks(notes, counters);
	if (counters->count[IOTLB_FALLBACK_TIMEOUT])
		diagnose_timeouts(next_line(notes), NOTE_SIZE);
	if (stale)
		snprintf(next_line(notes), NOTE_SIZE,
			 "age check: %" PRIu64 " stale answer%s refused", stale,
			 stale == 1 ? "" : "s");
	if (failed)
		snprintf(next_line(notes), NOTE_SIZE,
			 "no such page: %" PRIu64 " access%s of guests' devices failed", failed,
			 failed == 1 ? "" : "es");
}
