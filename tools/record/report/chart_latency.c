// SPDX-License-Identifier: GPL-2.0
/* How long misses took: a heat map of time and the logarithm of the latency. */
#include <math.h>

#include "charts.h"
#include "html.h"
#include "scale.h"
#include "top/rates.h"
#include "top/source.h"

#define ROW 11
#define PANEL_TOP 14
#define PANEL_GAP 34
#define AXIS 24

/**
 * struct latency_panel - the heat map of a record
 * @timeline:	what is shown
 * @duration_ns: how long that was
 * @frame:	where
 * @low:	first bucket of latencies that is shown
 * @high:	last one
 */
struct latency_panel {
	const struct timeline *timeline;
	uint64_t duration_ns;
	struct frame frame;
	int low;
	int high;
};

static double cell_x(const void *arg, size_t column)
{
	const struct latency_panel *panel = arg;

	if (column == panel->timeline->count && column)
		return frame_x(&panel->frame,
			       bucket_end(panel->timeline, column - 1, panel->duration_ns));
	return frame_x(&panel->frame, bucket_begin(panel->timeline, column));
}

/* Latency grows upwards. */
static double cell_y(const void *arg, size_t row)
{
	const struct latency_panel *panel = arg;

	return panel->frame.top + (double)(panel->high - panel->low - (int)row) * ROW;
}

static uint64_t cell_count(const void *arg, size_t column, size_t row)
{
	const struct latency_panel *panel = arg;

	return panel->timeline->buckets[column].latency[panel->low + (int)row];
}

/* The buckets that are in use, and the greatest count, of all records. */
static bool find_bounds(const struct report *report, int *low, int *high, uint64_t *max)
{
	size_t which, i;
	int bucket;

	*low = IOTLB_LATENCY_BUCKETS;
	*high = -1;
	*max = 0;
	for (which = 0; which < report->count; which++) {
		const struct timeline *timeline = &report->inputs[which].record->timeline;

		for (i = 0; i < timeline->count; i++) {
			for (bucket = 0; bucket < IOTLB_LATENCY_BUCKETS; bucket++) {
				const uint64_t count = timeline->buckets[i].latency[bucket];

				if (!count)
					continue;
				if (bucket < *low)
					*low = bucket;
				if (bucket > *high)
					*high = bucket;
				if (count > *max)
					*max = count;
			}
		}
	}
	/* Room for numbers on the axis. */
	while (*high >= 0 && *high - *low < 7) {
		if (*high < IOTLB_LATENCY_BUCKETS - 1)
			++*high;
		if (*low > 0)
			--*low;
	}
	return *high >= 0;
}

static double latency_y(const struct latency_panel *panel, double ns)
{
	return panel->frame.top + (panel->high + 1 - log2(ns)) * ROW;
}

static void draw_axis(const struct latency_panel *panel)
{
	FILE *out = panel->frame.out;
	char text[HTML_SIZE];
	double ns;

	for (ns = 1; log2(ns) <= panel->high + 1; ns *= 10) {
		if (log2(ns) < panel->low)
			continue;
		fprintf(out, "<path class=\"grid\" d=\"M%d %.1fH%d\"/>\n", SVG_LEFT,
			latency_y(panel, ns), SVG_RIGHT);
		svg_text(out, SVG_LEFT - 8, latency_y(panel, ns) + 4, "y", html_time(text, ns));
	}
}

static void draw_percentile(const struct latency_panel *panel, double share, const char *class,
			    const char *name)
{
	const struct timeline *timeline = panel->timeline;
	FILE *out = panel->frame.out;
	bool drawing = false;
	size_t i;

	fprintf(out, "<path class=\"%s\" d=\"", class);
	for (i = 0; i < timeline->count; i++) {
		const double ns = latency_percentile(&timeline->buckets[i], share);

		if (isnan(ns)) {
			drawing = false;
			continue;
		}
		if (drawing)
			fprintf(out, "V%.1f", latency_y(panel, ns));
		else
			fprintf(out, "M%.1f %.1f", cell_x(panel, i), latency_y(panel, ns));
		fprintf(out, "H%.1f", cell_x(panel, i + 1));
		drawing = true;
	}
	fprintf(out, "\"><title>%s</title></path>\n", name);
}

/* For scripts: a row of counts each. */
static void put_data(const struct latency_panel *panel)
{
	FILE *out = panel->frame.out;
	char from[HTML_SIZE], to[HTML_SIZE];
	size_t i;
	int bucket;

	for (bucket = panel->low; bucket <= panel->high; bucket++) {
		fprintf(out,
			"<g class=\"row\" data-y=\"%.1f\" data-h=\"%d\" data-n=\"%s to %s\" "
			"data-b=\"%.9g\" data-v=\"",
			cell_y(panel, (size_t)(bucket - panel->low)), ROW,
			html_time(from, exp2(bucket)), html_time(to, exp2(bucket + 1)),
			bucket_begin(panel->timeline, 1));
		for (i = 0; i < panel->timeline->count; i++)
			if (panel->timeline->buckets[i].latency[bucket])
				fprintf(out, "%zu:%llu ", i,
					(unsigned long long)panel->timeline->buckets[i]
						.latency[bucket]);
		fputs("\"></g>\n", out);
	}
}

static void draw_panel(const struct latency_panel *panel, const struct scale *scale, int last)
{
	const struct cells cells = {
		.columns = panel->timeline->count,
		.rows = (size_t)(panel->high - panel->low + 1),
		.x = cell_x,
		.y = cell_y,
		.height = ROW,
		.count = cell_count,
		.arg = panel,
	};

	draw_axis(panel);
	scale_draw(scale, &cells, panel->frame.out);
	/* On wider lines of the background, which keep them apart from the cells. */
	draw_percentile(panel, 0.50, "halo", "p50");
	draw_percentile(panel, 0.50, "p50", "p50: half of the misses took less");
	draw_percentile(panel, 0.99, "halo", "p99");
	draw_percentile(panel, 0.99, "p99", "p99: 99% of the misses took less");
	frame_time(&panel->frame, last);
	put_data(panel);
}

static void draw_legend(const struct report *report, const struct scale *scale)
{
	scale_legend(scale, "Misses in a cell", report->out);
	fputs("<p class=\"legend\"><span class=\"key\"><svg viewBox=\"0 0 22 14\" "
	      "aria-hidden=\"true\"><path class=\"p50\" d=\"M1 7h20\"/></svg>p50: half took "
	      "less</span> <span class=\"key\"><svg viewBox=\"0 0 22 14\" aria-hidden=\"true\">"
	      "<path class=\"p99\" d=\"M1 7h20\"/></svg>p99</span></p>\n",
	      report->out);
}

void chart_latency(const struct report *report)
{
	struct latency_panel panel;
	struct scale scale;
	double height;
	uint64_t max;
	int low, high;
	size_t i;

	fputs("<h2>How long misses took</h2>\n", report->out);
	if (!find_bounds(report, &low, &high, &max)) {
		fputs("<p>No miss was answered by an update, or that cannot be seen on this "
		      "kernel.</p>\n",
		      report->out);
		return;
	}
	fputs("<p>From the miss to the update that covers it. Misses that are resolved in the "
	      "kernel do not wait, and are not here.</p>\n",
	      report->out);
	scale_init(&scale, max);
	draw_legend(report, &scale);
	height = (high - low + 1) * ROW;
	svg_open(report->out,
		 PANEL_TOP + (double)report->count * (height + PANEL_GAP) - PANEL_GAP + AXIS,
		 "Latency of misses over time",
		 "A heat map: time from left to right, latency upwards on a logarithmic axis, the "
		 "stronger the colour, the more misses. Two lines are the 50th and the 99th "
		 "percentile.");
	for (i = 0; i < report->count; i++) {
		panel = (struct latency_panel){
			.timeline = &report->inputs[i].record->timeline,
			.duration_ns = report->inputs[i].record->duration_ns,
			.frame = {report->out, report->seconds,
				  PANEL_TOP + (double)i * (height + PANEL_GAP), height, 1},
			.low = low,
			.high = high,
		};
		draw_panel(&panel, &scale, i + 1 == report->count);
		if (report->count > 1)
			svg_text(report->out, SVG_RIGHT + 12, panel.frame.top + 16, "letter",
				 report_letter(i));
	}
	svg_close(report->out);
}
