// SPDX-License-Identifier: GPL-2.0
#include <math.h>

#include "charts.h"
#include "clock.h"
#include "html.h"

double bucket_begin(const struct timeline *timeline, size_t i)
{
	return (double)i * (double)timeline->bucket_ns / NS_PER_SECOND;
}

double bucket_end(const struct timeline *timeline, size_t i, uint64_t duration_ns)
{
	const double end = bucket_begin(timeline, i + 1);
	const double all = (double)duration_ns / NS_PER_SECOND;

	return end > all && bucket_begin(timeline, i) < all ? all : end;
}

static double value_at(const struct curve *curve, const struct timeline *timeline, size_t i,
		       uint64_t duration_ns)
{
	return curve->value(&timeline->buckets[i],
			    bucket_end(timeline, i, duration_ns) - bucket_begin(timeline, i),
			    curve->which);
}

void curve_draw(const struct frame *frame, const struct curve *curve,
		const struct timeline *timeline, uint64_t duration_ns)
{
	bool drawing = false;
	size_t i;

	fprintf(frame->out, "<path class=\"%s\" d=\"", curve->class);
	for (i = 0; i < timeline->count; i++) {
		const double value = value_at(curve, timeline, i, duration_ns);

		if (isnan(value)) {
			drawing = false;
			continue;
		}
		if (drawing)
			fprintf(frame->out, "V%.1f", frame_y(frame, value));
		else
			fprintf(frame->out, "M%.1f %.1f", frame_x(frame, bucket_begin(timeline, i)),
				frame_y(frame, value));
		fprintf(frame->out, "H%.1f", frame_x(frame, bucket_end(timeline, i, duration_ns)));
		drawing = true;
	}
	fputs("\"><title>", frame->out);
	html_text(frame->out, curve->name);
	fputs("</title></path>\n", frame->out);
}

void curve_data(FILE *out, const struct curve *curve, const struct timeline *timeline,
		uint64_t duration_ns)
{
	size_t i;

	fprintf(out, "<g class=\"values\" data-n=\"%s\" data-u=\"%s\" data-b=\"%.9g\" data-v=\"",
		curve->name, curve->unit, (double)timeline->bucket_ns / NS_PER_SECOND);
	for (i = 0; i < timeline->count; i++) {
		const double value = value_at(curve, timeline, i, duration_ns);

		if (i)
			putc(',', out);
		if (!isnan(value))
			fprintf(out, "%.4g", value);
	}
	fputs("\"></g>\n", out);
}
