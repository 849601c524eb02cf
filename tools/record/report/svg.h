/* SPDX-License-Identifier: GPL-2.0 */
/* What all charts have in common: the frame, its axes, and time. */
#ifndef REPORT_SVG_H
#define REPORT_SVG_H

#include <stdint.h>
#include <stdio.h>

/* All charts have time on the same axis, at the same place. */
#define SVG_WIDTH 960
#define SVG_LEFT 128
#define SVG_PLOT 740
#define SVG_RIGHT (SVG_LEFT + SVG_PLOT)

/**
 * struct frame - where a chart draws
 * @out:	the report
 * @seconds:	time at the right edge; the left is 0
 * @top:	upper edge
 * @height:	of the plot
 * @max:	value at the upper edge; the lower is 0
 */
struct frame {
	FILE *out;
	double seconds;
	double top;
	double height;
	double max;
};

/* Begins a chart. @title and @description are for those who do not see it. */
void svg_open(FILE *out, double height, const char *title, const char *description);
void svg_close(FILE *out);

/* Text; @class is of report.css. */
void svg_text(FILE *out, double x, double y, const char *class, const char *text);

double frame_x(const struct frame *frame, double seconds);
double frame_y(const struct frame *frame, double value);

/* Frame and axis of time below. @last: the lowest of those that share the axis,
 * which has its numbers.
 */
void frame_time(const struct frame *frame, int last);

typedef char *(*format_fn)(char *buffer, double value);

/* Lines for round values, with numbers that @format makes. */
void frame_values(const struct frame *frame, format_fn format);

/* The smallest of 1, 2, 5, 10, 20 ... of which @max has at most @most. */
double tick_step(double max, int most);

/* At which value the axis ends, for values up to this. */
double tick_end(double max);

#endif /* REPORT_SVG_H */
