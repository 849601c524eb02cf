// SPDX-License-Identifier: GPL-2.0
/* Which device is shown with which, and what they are called. */
#include <inttypes.h>

#include "charts.h"
#include "html.h"
#include "top/rates.h"

const char *report_letter(size_t which)
{
	return which ? "B" : "A";
}

bool report_knows(const struct report *report, size_t which, uint64_t counters)
{
	return !(report->inputs[which].record->unavailable & counters);
}

static bool has_pasids(const struct record *record, uint64_t dev)
{
	size_t i;

	for (i = 0; i < record->nr_maps; i++)
		if (record->maps[i].dev == dev && record->maps[i].asid)
			return true;
	return false;
}

/* "vhost device 3, tap0, of iotlb-bench (pid 123)" as markup, after its PASID if it has
 * any; without a number, all others.
 */
static void put_name(const struct report *report, size_t which, const struct record_map *map)
{
	const struct record_device *device;
	const uint64_t dev = map->dev;

	if (!dev) {
		fputs("all other devices", report->out);
		return;
	}
	if (map->asid)
		fprintf(report->out, "PASID %" PRIu32 " of ", map->asid);
	else if (has_pasids(report->inputs[which].record, dev))
		fputs("no PASID, of ", report->out);
	fprintf(report->out, "vhost device %" PRIu64, dev);
	device = record_device(report->inputs[which].record, dev);
	if (!device)
		return;
	if (device->tap[0]) {
		fputs(", ", report->out);
		html_text(report->out, device->tap);
	}
	if (device->pid) {
		fputs(", of ", report->out);
		html_text(report->out, device->comm);
		fprintf(report->out, " (pid %" PRIu32 ")", device->pid);
	}
}

static const struct record_map *map_at(const struct report *report, size_t which, size_t i)
{
	const struct record *record = report->inputs[which].record;

	return which < report->count && i < record->nr_maps ? &record->maps[i] : NULL;
}

static void put_heading(const struct report *report, const struct record_map *const *maps)
{
	size_t which;
	bool first = true;

	for (which = 0; which < report->count; which++) {
		if (!maps[which])
			continue;
		if (!first)
			fputs(" and ", report->out);
		if (report->count > 1)
			fprintf(report->out, "%s: ", report_letter(which));
		put_name(report, which, maps[which]);
		first = false;
	}
}

static void put_note(const struct report *report, const struct record_map *map)
{
	char time[HTML_SIZE];

	if (map && map->since_ns)
		fprintf(report->out,
			"<p>From %s on: before that, it was among the other devices.</p>\n",
			html_time(time, (double)map->since_ns));
}

/*
 * Devices get new numbers with each run, so the first is compared with the
 * first, and so on.
 */
void charts_of_devices(const struct report *report)
{
	size_t i, which;

	fputs("<h2>Where it happened</h2>\n", report->out);
	for (i = 0; i < RECORD_MAPS + 1; i++) {
		const struct record_map *maps[2] = {map_at(report, 0, i), NULL};

		if (report->count > 1)
			maps[1] = map_at(report, 1, i);
		if (!maps[0] && !maps[1])
			break;
		fprintf(report->out, "<details%s><summary><h3>", i ? "" : " open");
		put_heading(report, maps);
		fputs("</h3></summary>\n", report->out);
		for (which = 0; which < report->count; which++)
			put_note(report, maps[which]);
		chart_map(report, maps);
		fputs("</details>\n", report->out);
	}
	if (!i)
		fputs("<p>Nothing: no device had a miss or a change.</p>\n", report->out);
}
