// SPDX-License-Identifier: GPL-2.0
/* Where what happened when: heat maps of time and IOVA. */
#include <inttypes.h>

#include "charts.h"
#include "clock.h"
#include "html.h"
#include "map_rows.h"
#include "scale.h"

#define PANEL_TOP 30
#define AXIS 24

/* Numbers on the axis are this far apart at least. */
#define LABEL_GAP 30

static const char *const titles[IOTLB_EVENT_KINDS] = {
	[IOTLB_EVENT_MISS] = "Misses",
	[IOTLB_EVENT_UPDATE] = "Updates",
	[IOTLB_EVENT_INVALIDATE] = "Invalidations",
	[IOTLB_EVENT_EVICT] = "Evictions",
	[IOTLB_EVENT_FAIL] = "Failed accesses",
};

/**
 * struct map_panel - the heat map of a kind of event
 * @frame:	where
 * @rows:	axis of addresses
 * @which:	record
 * @kind:	of event
 */
struct map_panel {
	struct frame frame;
	const struct map_rows *rows;
	size_t which;
	enum iotlb_event_kind kind;
};

static double column_seconds(const struct map_panel *panel, size_t column)
{
	return (double)column * (double)panel->rows->heats[panel->which]->bucket_ns / NS_PER_SECOND;
}

static double cell_x(const void *arg, size_t column)
{
	const struct map_panel *panel = arg;

	return frame_x(&panel->frame, column_seconds(panel, column));
}

static double cell_y(const void *arg, size_t row)
{
	const struct map_panel *panel = arg;

	return panel->frame.top + panel->rows->y[row];
}

static uint64_t cell_count(const void *arg, size_t column, size_t row)
{
	const struct map_panel *panel = arg;
	const struct heat_row *found = map_rows_find(panel->rows, panel->which, row);

	return found ? found->cells[panel->kind][column] : 0;
}

static uint64_t find_max(const struct map_rows *rows)
{
	uint64_t max = 0;
	size_t which, row, column;
	int kind;

	for (which = 0; which < 2; which++) {
		const struct heat *heat = rows->heats[which];

		for (row = 0; heat && row < heat->count; row++)
			for (kind = 0; kind < IOTLB_EVENT_KINDS; kind++)
				for (column = 0; column < heat->columns; column++)
					if (heat->rows[row].cells[kind][column] > max)
						max = heat->rows[row].cells[kind][column];
	}
	return max;
}

static void draw_addresses(const struct map_panel *panel)
{
	const struct map_rows *rows = panel->rows;
	FILE *out = panel->frame.out;
	double last = -LABEL_GAP;
	char text[24];
	size_t row;

	for (row = 0; row < rows->count; row++) {
		const double y = cell_y(panel, row);

		if (map_rows_gap(rows, row))
			fprintf(out, "<path class=\"break\" d=\"M%d %.1fH%d\"/>\n", SVG_LEFT - 6,
				y - MAP_ROWS_GAP / 2.0, SVG_RIGHT);
		if (y - last < LABEL_GAP &&
		    !(map_rows_gap(rows, row) && y - last >= rows->row_height))
			continue;
		snprintf(text, sizeof(text), "0x%" PRIx64, rows->numbers[row] << rows->shift);
		svg_text(out, SVG_LEFT - 8, y + rows->row_height / 2 + 3.5, "iova", text);
		last = y;
	}
}

static void draw_sums(const struct map_panel *panel)
{
	char text[HTML_SIZE];
	uint64_t sum;
	size_t row;

	for (row = 0; row < panel->rows->count; row++) {
		const struct heat_row *found = map_rows_find(panel->rows, panel->which, row);

		sum = found ? heat_row_sum(found, panel->kind) : 0;
		if (sum)
			svg_text(panel->frame.out, SVG_RIGHT + 8,
				 cell_y(panel, row) + panel->rows->row_height / 2 + 3.5, "sum",
				 html_count(text, sum));
	}
}

/* For scripts. */
static void put_data(const struct map_panel *panel)
{
	const struct map_rows *rows = panel->rows;
	FILE *out = panel->frame.out;
	size_t row, column;

	for (row = 0; row < rows->count; row++) {
		const struct heat_row *found = map_rows_find(rows, panel->which, row);

		fprintf(out,
			"<g class=\"row\" data-y=\"%.1f\" data-h=\"%.0f\" data-n=\"0x%" PRIx64
			" to 0x%" PRIx64 "\" data-b=\"%.9g\" data-v=\"",
			cell_y(panel, row), rows->row_height, rows->numbers[row] << rows->shift,
			((rows->numbers[row] + 1) << rows->shift) - 1, column_seconds(panel, 1));
		for (column = 0; found && column < HEAT_COLUMNS; column++)
			if (found->cells[panel->kind][column])
				fprintf(out, "%zu:%" PRIu64 " ", column,
					found->cells[panel->kind][column]);
		fputs("\"></g>\n", out);
	}
}

static void draw_panel(const struct report *report, const struct map_panel *panel,
		       const struct scale *scale, int last)
{
	const struct heat *heat = panel->rows->heats[panel->which];
	const struct cells cells = {
		.columns = heat->columns,
		.rows = panel->rows->count,
		.x = cell_x,
		.y = cell_y,
		.height = panel->rows->row_height - 1,
		.count = cell_count,
		.arg = panel,
	};
	char title[80], sum[HTML_SIZE];

	snprintf(title, sizeof(title), "%s%s%s: %s",
		 report->count > 1 ? report_letter(panel->which) : "",
		 report->count > 1 ? " – " : "", titles[panel->kind],
		 html_count(sum, heat_sum(heat, panel->kind)));
	svg_text(report->out, SVG_LEFT, panel->frame.top - 9, "title", title);
	draw_addresses(panel);
	scale_draw(scale, &cells, report->out);
	draw_sums(panel);
	frame_time(&panel->frame, last);
	put_data(panel);
}

/* Which panels there are, in their order; returns how many. */
static size_t find_panels(const struct report *report, const struct map_rows *rows,
			  struct map_panel panels[2 * IOTLB_EVENT_KINDS])
{
	double top = PANEL_TOP;
	size_t which, count = 0;
	int kind;

	for (kind = 0; kind < IOTLB_EVENT_KINDS; kind++) {
		uint64_t sum = 0;

		for (which = 0; which < 2; which++)
			if (rows->heats[which])
				sum += heat_sum(rows->heats[which], kind);
		for (which = 0; sum && which < 2; which++) {
			if (!rows->heats[which])
				continue;
			panels[count++] = (struct map_panel){
				.frame = {report->out, report->seconds, top, rows->height, 1},
				.rows = rows,
				.which = which,
				.kind = kind,
			};
			top += rows->height + PANEL_TOP;
		}
	}
	return count;
}

void chart_map(const struct report *report, const struct record_map *const *maps)
{
	const struct heat *heats[2] = {
		maps[0] ? &maps[0]->heat : NULL,
		report->count > 1 && maps[1] ? &maps[1]->heat : NULL,
	};
	struct map_panel panels[2 * IOTLB_EVENT_KINDS];
	struct map_rows rows;
	struct scale scale;
	char granule[HTML_SIZE];
	size_t i, count;

	if (!map_rows_init(&rows, heats, 2)) {
		fputs("<p>No memory was left to draw this.</p>\n", report->out);
		return;
	}
	count = find_panels(report, &rows, panels);
	scale_init(&scale, find_max(&rows));
	if (count) {
		fprintf(report->out,
			"<p>A row is %s of IOVAs; ranges without events are left "
			"out, at the dotted lines. To the right, the sum of the "
			"row.</p>\n",
			html_bytes(granule, rows.shift));
		scale_legend(&scale, "Events in a cell", report->out);
		svg_open(report->out,
			 PANEL_TOP + (double)count * (rows.height + PANEL_TOP) - PANEL_TOP + AXIS,
			 "IOVAs and time",
			 "Heat maps, one below the other: time from left to right, I/O virtual "
			 "addresses downwards, the stronger the colour, the more misses, "
			 "updates, invalidations, evictions, failed accesses.");
		for (i = 0; i < count; i++)
			draw_panel(report, &panels[i], &scale, i + 1 == count);
		svg_close(report->out);
	} else {
		fputs("<p>No misses and no changes: all was found in the IOTLB.</p>\n",
		      report->out);
	}
	map_rows_free(&rows);
}
