// SPDX-License-Identifier: GPL-2.0
#include <math.h>

#include "html.h"
#include "svg.h"

void svg_open(FILE *out, double height, const char *title, const char *description)
{
	static unsigned int number;

	number++;
	fprintf(out,
		"<div class=\"chart\"><svg viewBox=\"0 0 %d %.0f\" role=\"img\" "
		"aria-labelledby=\"t%u d%u\">\n<title id=\"t%u\">",
		SVG_WIDTH, height, number, number, number);
	html_text(out, title);
	fprintf(out, "</title>\n<desc id=\"d%u\">", number);
	html_text(out, description);
	fputs("</desc>\n", out);
}

void svg_close(FILE *out)
{
	fputs("</svg></div>\n", out);
}

void svg_text(FILE *out, double x, double y, const char *class, const char *text)
{
	fprintf(out, "<text x=\"%.1f\" y=\"%.1f\" class=\"%s\">", x, y, class);
	html_text(out, text);
	fputs("</text>\n", out);
}

double frame_x(const struct frame *frame, double seconds)
{
	if (seconds > frame->seconds)
		seconds = frame->seconds;
	return SVG_LEFT + SVG_PLOT * seconds / frame->seconds;
}

double frame_y(const struct frame *frame, double value)
{
	return frame->top + frame->height * (1 - value / frame->max);
}

double tick_step(double max, int most)
{
	double step = pow(10, floor(log10(max / most)));

	if (step * most >= max)
		return step;
	if (step * 2 * most >= max)
		return step * 2;
	if (step * 5 * most >= max)
		return step * 5;
	return step * 10;
}

double tick_end(double max)
{
	double step;

	if (!(max > 0))
		return 1;
	step = tick_step(max, 4);
	return step * ceil(max / step);
}

static void time_label(const struct frame *frame, double seconds)
{
	double unit = 1;
	const char *name = "s";
	char text[HTML_SIZE];

	if (frame->seconds > 2 * 86400) {
		unit = 3600;
		name = "h";
	} else if (frame->seconds > 300) {
		unit = 60;
		name = "min";
	}
	snprintf(text, sizeof(text), "%.6g %s", seconds / unit, name);
	svg_text(frame->out, frame_x(frame, seconds), frame->top + frame->height + 16, "x", text);
}

/* Round numbers of seconds, minutes or hours. */
static double time_step(double seconds)
{
	if (seconds > 2 * 86400)
		return 3600 * tick_step(seconds / 3600, 10);
	if (seconds > 300)
		return 60 * tick_step(seconds / 60, 10);
	return tick_step(seconds, 10);
}

void frame_time(const struct frame *frame, int last)
{
	const double bottom = frame->top + frame->height;
	const double step = time_step(frame->seconds);
	int i;

	fprintf(frame->out,
		"<g class=\"plot\" data-t=\"%.9g\" data-x=\"%d\" data-w=\"%d\" data-y=\"%.1f\" "
		"data-h=\"%.1f\"></g>\n",
		frame->seconds, SVG_LEFT, SVG_PLOT, frame->top, frame->height);
	fprintf(frame->out, "<path class=\"axis\" d=\"M%d %.1fH%d\"/>\n", SVG_LEFT, bottom,
		SVG_RIGHT);
	for (i = 0; i * step <= frame->seconds * 1.0001; i++) {
		fprintf(frame->out, "<path class=\"axis\" d=\"M%.1f %.1fv4\"/>\n",
			frame_x(frame, i * step), bottom);
		if (last)
			time_label(frame, i * step);
	}
}

void frame_values(const struct frame *frame, format_fn format)
{
	const double step = tick_step(frame->max, 4);
	char text[HTML_SIZE];
	int i;

	for (i = 0; i * step <= frame->max * 1.0001; i++) {
		const double y = frame_y(frame, i * step);

		if (i)
			fprintf(frame->out, "<path class=\"grid\" d=\"M%d %.1fH%d\"/>\n", SVG_LEFT,
				y, SVG_RIGHT);
		svg_text(frame->out, SVG_LEFT - 8, y + 4, "y", format(text, i * step));
	}
}
