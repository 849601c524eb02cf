// SPDX-License-Identifier: GPL-2.0
/* Hit rate, misses and changes over time. */
#include <math.h>

#include "charts.h"
#include "html.h"
#include "top/rates.h"
#include "top/source.h"

#define PANEL 150
#define PANEL_TOP 14
#define PANEL_GAP 30
#define AXIS 24

#define COUNTERS_BUFFER (COUNTER(HIT_BUFFER) | COUNTER(MISS_BUFFER) | COUNTER(RESOLVED_BUFFER))

static double hit_rate(const struct iotlb_counters *counters, double seconds, int which)
{
	(void)seconds;
	(void)which;
	return 100 * counters_buffer_hit_rate(counters);
}

static double per_second(const struct iotlb_counters *counters, double seconds, int which)
{
	return (double)counters->count[which] / seconds;
}

/* Answered by now or not: who was asked. */
enum { ASKED_KERNEL, ASKED_RING, ASKED_FD, ASKED };

static double asked(const struct iotlb_counters *counters, double seconds, int whom)
{
	static const uint32_t whose[] = {
		COUNTER(RESOLVED),
		COUNTER(MISS_RING),
		COUNTER(MISS_FD) | COUNTER(MISS_DROP),
	};

	return (double)counters_sum(counters, whose[whom]) / seconds;
}

static double all_misses(const struct iotlb_counters *counters, double seconds, int which)
{
	(void)which;
	return (double)counters->count[IOTLB_MISS] / seconds;
}

static const struct curve miss_curves[ASKED] = {
	{"resolved in the kernel", "a1", "/s", asked, ASKED_KERNEL},
	{"ring buffer (daemon)", "a2", "/s", asked, ASKED_RING},
	{"vhost fd", "a3", "/s", asked, ASKED_FD},
};

static const struct curve change_curves[] = {
	{"updates", "c1", "/s", per_second, IOTLB_UPDATE},
	{"invalidations", "c2", "/s", per_second, IOTLB_INVALIDATE},
	{"evictions", "c3", "/s", per_second, IOTLB_EVICT},
};

static char *percent_label(char *text, double value)
{
	snprintf(text, HTML_SIZE, "%.0f%%", value);
	return text;
}

static const struct timeline *timeline_of(const struct report *report, size_t which)
{
	return &report->inputs[which].record->timeline;
}

static uint64_t duration_of(const struct report *report, size_t which)
{
	return report->inputs[which].record->duration_ns;
}

/* The greatest value of a curve in any of the records. */
static double greatest(const struct report *report, const struct curve *curve)
{
	double value, max = 0;
	size_t i, which;

	for (which = 0; which < report->count; which++) {
		const struct timeline *timeline = timeline_of(report, which);

		for (i = 0; i < timeline->count; i++) {
			const double begin = bucket_begin(timeline, i);
			const double end = bucket_end(timeline, i, duration_of(report, which));

			value = curve->value(&timeline->buckets[i], end - begin, curve->which);
			if (value > max)
				max = value;
		}
	}
	return max;
}

static void key(FILE *out, const char *class, const char *name, const char *total)
{
	fprintf(out,
		" <span class=\"key\"><svg viewBox=\"0 0 22 14\" aria-hidden=\"true\"><path "
		"class=\"%s\" d=\"M1 %s\"/></svg>",
		class, class[0] == 'a' ? "1h20v12h-20z" : "7h20");
	html_text(out, name);
	if (total)
		fprintf(out, " <b>%s</b>", total);
	fputs("</span>", out);
}

void chart_rate(const struct report *report)
{
	static const struct curve curves[] = {
		{"A", "r1", "%", hit_rate, 0},
		{"B", "r2", "%", hit_rate, 0},
	};
	static const struct curve alone = {"hit rate", "r1", "%", hit_rate, 0};
	struct frame frame = {report->out, report->seconds, PANEL_TOP, PANEL, 100};
	struct timeline deferred;
	char text[HTML_SIZE];
	size_t i;

	fputs("<h3>Hit rate of buffers</h3>\n", report->out);
	if (report->count > 1) {
		fputs("<p class=\"legend\">", report->out);
		for (i = 0; i < report->count; i++)
			key(report->out, curves[i].class, curves[i].name,
			    html_percent(text, counters_buffer_hit_rate(
						       &report->inputs[i].record->total)));
		fputs("</p>\n", report->out);
	}
	svg_open(report->out, PANEL_TOP + PANEL + AXIS, "Hit rate of buffers over time",
		 "Share of the buffers that had a translation when they were first looked up, "
		 "in percent. A gap means that no buffer was looked up.");
	frame_values(&frame, percent_label);
	frame_time(&frame, 1);
	for (i = 0; i < report->count; i++) {
		const struct curve *curve = report->count > 1 ? &curves[i] : &alone;

		if (!report_knows(report, i, COUNTERS_BUFFER))
			continue;
		deferred = *timeline_of(report, i);
		timeline_defer_misses(&deferred);
		curve_draw(&frame, curve, &deferred, duration_of(report, i));
		curve_data(report->out, curve, &deferred, duration_of(report, i));
	}
	svg_close(report->out);
}

/* An area between the sum of the curves before and that with this one. */
static void area_draw(const struct frame *frame, const struct timeline *timeline,
		      uint64_t duration_ns, int whom)
{
	double *edge, below[TIMELINE_BUCKETS + 1] = {}, above[TIMELINE_BUCKETS + 1] = {};
	size_t i;
	int who;

	for (i = 0; i < timeline->count; i++) {
		const double seconds =
			bucket_end(timeline, i, duration_ns) - bucket_begin(timeline, i);

		for (who = 0; who <= whom; who++) {
			edge = who < whom ? &below[i] : &above[i];
			*edge += asked(&timeline->buckets[i], seconds, who);
		}
		above[i] += below[i];
	}
	if (!timeline->count)
		return;
	fprintf(frame->out, "<path class=\"%s\" d=\"M%d %.1f", miss_curves[whom].class, SVG_LEFT,
		frame_y(frame, below[0]));
	for (i = 0; i < timeline->count; i++)
		fprintf(frame->out, "V%.1fH%.1f", frame_y(frame, above[i]),
			frame_x(frame, bucket_end(timeline, i, duration_ns)));
	while (i--)
		fprintf(frame->out, "V%.1fH%.1f", frame_y(frame, below[i]),
			frame_x(frame, bucket_begin(timeline, i)));
	fprintf(frame->out, "z\"><title>%s</title></path>\n", miss_curves[whom].name);
}

static uint64_t asked_in_all(const struct report *report, int whom)
{
	uint64_t sum = 0;
	size_t i;

	for (i = 0; i < report->count; i++)
		sum += (uint64_t)asked(&report->inputs[i].record->total, 1, whom);
	return sum;
}

static double panel_height(const struct report *report)
{
	return PANEL_TOP + (double)report->count * (PANEL + PANEL_GAP) - PANEL_GAP + AXIS;
}

/* The place of a record among those that share an axis of time. */
static struct frame panel(const struct report *report, size_t which, double max)
{
	return (struct frame){
		.out = report->out,
		.seconds = report->seconds,
		.top = PANEL_TOP + (double)which * (PANEL + PANEL_GAP),
		.height = PANEL,
		.max = max,
	};
}

static void panel_begin(const struct report *report, const struct frame *frame, size_t which)
{
	frame_values(frame, html_rate);
	frame_time(frame, which + 1 == report->count);
	if (report->count > 1)
		svg_text(report->out, SVG_RIGHT + 12, frame->top + 16, "letter",
			 report_letter(which));
}

void chart_misses(const struct report *report)
{
	static const struct curve sum = {"misses", "", "/s", all_misses, 0};
	const double max = tick_end(greatest(report, &sum));
	char text[HTML_SIZE];
	struct frame frame;
	size_t i;
	int who;

	fputs("<h3>Misses, by who was asked</h3>\n<p class=\"legend\">", report->out);
	for (who = 0; who < ASKED; who++)
		key(report->out, miss_curves[who].class, miss_curves[who].name,
		    report->count > 1 ? NULL : html_count(text, asked_in_all(report, who)));
	fputs("</p>\n", report->out);
	svg_open(report->out, panel_height(report), "Misses per second over time",
		 "Areas on top of each other: misses that were resolved in the kernel, that a "
		 "daemon took from the ring buffer, and that were read from the vhost fd.");
	for (i = 0; i < report->count; i++) {
		frame = panel(report, i, max);
		panel_begin(report, &frame, i);
		for (who = 0; who < ASKED; who++) {
			if (!asked_in_all(report, who))
				continue;
			area_draw(&frame, timeline_of(report, i), duration_of(report, i), who);
			curve_data(report->out, &miss_curves[who], timeline_of(report, i),
				   duration_of(report, i));
		}
	}
	svg_close(report->out);
}

void chart_changes(const struct report *report)
{
	double max = 0, one;
	char text[HTML_SIZE];
	struct frame frame;
	const struct iotlb_counters *total = &report->inputs[0].record->total;
	size_t i, curve;

	fputs("<h3>Updates, invalidations, evictions</h3>\n<p class=\"legend\">", report->out);
	for (curve = 0; curve < 3; curve++) {
		one = greatest(report, &change_curves[curve]);
		if (one > max)
			max = one;
		key(report->out, change_curves[curve].class, change_curves[curve].name,
		    report->count > 1 ? NULL
				      : html_count(text, total->count[change_curves[curve].which]));
	}
	fputs("</p>\n", report->out);
	svg_open(report->out, panel_height(report), "Changes of the IOTLB per second over time",
		 "Lines: translations put in (updates, solid), ranges dropped on demand "
		 "(invalidations, dashed), translations dropped for want of room (evictions, "
		 "dotted).");
	for (i = 0; i < report->count; i++) {
		frame = panel(report, i, tick_end(max));
		panel_begin(report, &frame, i);
		for (curve = 0; curve < 3; curve++) {
			curve_draw(&frame, &change_curves[curve], timeline_of(report, i),
				   duration_of(report, i));
			curve_data(report->out, &change_curves[curve], timeline_of(report, i),
				   duration_of(report, i));
		}
	}
	svg_close(report->out);
}
