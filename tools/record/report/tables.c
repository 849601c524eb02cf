// SPDX-License-Identifier: GPL-2.0
#include <inttypes.h>
#include <math.h>

#include "clock.h"
#include "figures.h"
#include "tables.h"
#include "top/format.h"
#include "top/rates.h"

/* Of all there are: these are shown large. */
static const char tiles[] = {4, 0, 3, 12, 13, 9};

void table_figures(const struct report *report)
{
	const struct record *record = report->inputs[0].record;
	char text[HTML_SIZE];
	size_t i;

	fputs("<dl class=\"tiles\">\n", report->out);
	for (i = 0; i < sizeof(tiles); i++) {
		const struct figure *figure = &figures[(int)tiles[i]];

		fprintf(report->out, "<div title=\"%s\"><dt>%s%s</dt><dd>%s</dd></div>\n",
			figure->help, figure->name, figure->kind == FIGURE_TIME ? " of a miss" : "",
			figure_text(text, figure, record, &record->total));
	}
	fputs("</dl>\n", report->out);
}

/* How many times as much; without a sense if there was none. */
static void put_ratio(FILE *out, double from, double to)
{
	if (isnan(from) || isnan(to) || from <= 0)
		fputs("<td>–</td>", out);
	else
		fprintf(out, "<td>×&#8202;%.*f</td>", to / from < 10 ? 2 : 0, to / from);
}

static void put_difference(FILE *out, const struct figure *figure, double from, double to)
{
	const char *sign = to > from ? "+" : to < from ? "−" : "";
	char text[HTML_SIZE];

	if (isnan(from) || isnan(to))
		fputs("<td>–</td>", out);
	else if (figure->kind == FIGURE_SHARE)
		fprintf(out, "<td>%s%.1f points</td>", sign, fabs(to - from) * 100);
	else if (figure->kind == FIGURE_TIME)
		fprintf(out, "<td>%s%s</td>", sign, html_time(text, fabs(to - from)));
	else
		fprintf(out, "<td>%s</td>", html_difference(text, (uint64_t)from, (uint64_t)to));
}

static void put_duration(const struct report *report)
{
	static const struct figure duration = {.kind = FIGURE_TIME};
	char text[HTML_SIZE];
	size_t i;

	fputs("<tr><th scope=\"row\">Duration</th>", report->out);
	for (i = 0; i < 2; i++)
		fprintf(report->out, "<td>%s</td>",
			html_time(text, (double)report->inputs[i].record->duration_ns));
	put_difference(report->out, &duration, (double)report->inputs[0].record->duration_ns,
		       (double)report->inputs[1].record->duration_ns);
	put_ratio(report->out, (double)report->inputs[0].record->duration_ns,
		  (double)report->inputs[1].record->duration_ns);
	fputs("</tr>\n", report->out);
}

void table_compare(const struct report *report)
{
	double values[2];
	char text[HTML_SIZE];
	size_t i, which;

	fputs("<div class=\"scroll\"><table><thead><tr><th scope=\"col\"></th>"
	      "<th scope=\"col\">A</th><th scope=\"col\">B</th>"
	      "<th scope=\"col\">B − A</th><th scope=\"col\">B / A</th></tr></thead><tbody>\n",
	      report->out);
	put_duration(report);
	for (i = 0; i < FIGURES; i++) {
		fprintf(report->out, "<tr><th scope=\"row\" title=\"%s\">%s</th>", figures[i].help,
			figures[i].name);
		for (which = 0; which < 2; which++) {
			const struct record *record = report->inputs[which].record;

			values[which] = figure_value(&figures[i], record, &record->total);
			fprintf(report->out, "<td>%s</td>",
				figure_text(text, &figures[i], record, &record->total));
		}
		put_difference(report->out, &figures[i], values[0], values[1]);
		put_ratio(report->out, values[0], values[1]);
		fputs("</tr>\n", report->out);
	}
	fputs("</tbody></table></div>\n", report->out);
}

static void put_cells(const struct report *report, const struct record *record,
		      const struct iotlb_counters *counters, bool queue)
{
	char text[HTML_SIZE];
	size_t i;

	for (i = 0; i < FIGURES; i++) {
		if (queue && figures[i].of_device)
			fputs("<td></td>", report->out);
		else
			fprintf(report->out, "<td>%s</td>",
				figure_text(text, &figures[i], record, counters));
	}
	fputs("</tr>\n", report->out);
}

static void put_device(const struct report *report, const struct record *record,
		       const struct record_device *device)
{
	size_t i;

	fprintf(report->out,
		"<tr class=\"device\"><th scope=\"row\">%" PRIu64 "</th><td class=\"text\">",
		device->id);
	html_text(report->out, device->tap[0] ? device->tap : "–");
	fputs("</td><td class=\"text\">", report->out);
	html_text(report->out, device->comm[0] ? device->comm : "?");
	if (device->pid)
		fprintf(report->out, " %" PRIu32, device->pid);
	fputs("</td>", report->out);
	put_cells(report, record, &device->total, false);
	for (i = 0; i < device->count; i++) {
		fprintf(report->out,
			"<tr class=\"queue\"><th scope=\"row\" colspan=\"3\">virtqueue %" PRIu32,
			device->queues[i].vq);
		if (device->queues[i].asid)
			fprintf(report->out, ", PASID %" PRIu32, device->queues[i].asid);
		fputs("</th>", report->out);
		put_cells(report, record, &device->queues[i].total, true);
	}
}

void table_devices(const struct report *report, size_t which)
{
	const struct record *record = report->inputs[which].record;
	size_t i;

	fputs("<div class=\"scroll\"><table><thead><tr><th scope=\"col\">Device</th>"
	      "<th scope=\"col\" class=\"text\">Tap</th>"
	      "<th scope=\"col\" class=\"text\">Owner</th>",
	      report->out);
	for (i = 0; i < FIGURES; i++)
		fprintf(report->out, "<th scope=\"col\" title=\"%s\">%s</th>", figures[i].help,
			figures[i].name);
	fputs("</tr></thead><tbody>\n", report->out);
	for (i = 0; i < record->nr_devices; i++)
		put_device(report, record, &record->devices[i]);
	if (record->nr_others) {
		fprintf(report->out,
			"<tr class=\"device\"><th scope=\"row\" colspan=\"3\">%" PRIu64
			" others</th>",
			record->nr_others);
		put_cells(report, record, &record->others, false);
	}
	fputs("<tr class=\"total\"><th scope=\"row\" colspan=\"3\">all devices</th>", report->out);
	put_cells(report, record, &record->total, false);
	fputs("</tbody></table></div>\n", report->out);
}

/* The same for all rows: the first @nr are told. */
static const char columns[] = {0, 3, 4, 5, 6, 7, 9, 10, 11, 12, 13};

void table_time(const struct report *report, size_t which)
{
	const struct record *record = report->inputs[which].record;
	const struct timeline *timeline = &record->timeline;
	struct timeline deferred = *timeline;
	char text[HTML_SIZE];
	size_t i, column;

	timeline_defer_misses(&deferred);

	fprintf(report->out,
		"<details class=\"numbers\"><summary>All of this in numbers%s%s</summary>\n",
		report->count > 1 ? ": " : "", report->count > 1 ? report_letter(which) : "");
	fputs("<div class=\"scroll\"><table><thead><tr><th scope=\"col\">From</th>", report->out);
	for (column = 0; column < sizeof(columns); column++)
		fprintf(report->out, "<th scope=\"col\">%s</th>",
			figures[(int)columns[column]].name);
	fputs("</tr></thead><tbody>\n", report->out);
	for (i = 0; i < timeline->count; i++) {
		fprintf(report->out, "<tr><th scope=\"row\">%.2f s</th>",
			bucket_begin(timeline, i));
		for (column = 0; column < sizeof(columns); column++) {
			const struct figure *figure = &figures[(int)columns[column]];
			const struct timeline *from =
				figure->kind == FIGURE_SHARE ? &deferred : timeline;

			fprintf(report->out, "<td>%s</td>",
				figure_text(text, figure, record, &from->buckets[i]));
		}
		fputs("</tr>\n", report->out);
	}
	fputs("</tbody></table></div></details>\n", report->out);
}
