// SPDX-License-Identifier: GPL-2.0
#include <math.h>

#include "html.h"
#include "scale.h"

void scale_init(struct scale *scale, uint64_t max)
{
	uint64_t from;
	size_t i;

	*scale = (struct scale){.max = max};
	if (!max)
		return;
	for (i = 0; i < SCALE_LEVELS; i++) {
		from = (uint64_t)ceil(pow((double)max, (double)i / SCALE_LEVELS));
		if (!i)
			from = 1;
		/* Few counts need few levels. */
		if (from > max || (i && from <= scale->from[scale->levels - 1]))
			continue;
		scale->from[scale->levels++] = from;
	}
}

size_t scale_level(const struct scale *scale, uint64_t count)
{
	size_t level = 0;

	while (level + 1 < scale->levels && count >= scale->from[level + 1])
		level++;
	return level;
}

/* The darkest is the last, however many there are. */
static unsigned int shade(const struct scale *scale, size_t level)
{
	return (unsigned int)(SCALE_LEVELS - scale->levels + level);
}

static void put_range(const struct scale *scale, size_t level, FILE *out)
{
	const uint64_t last = level + 1 < scale->levels ? scale->from[level + 1] - 1 : scale->max;
	char text[HTML_SIZE];

	fputs(html_count(text, scale->from[level]), out);
	if (last != scale->from[level])
		fprintf(out, "–%s", html_count(text, last));
}

void scale_legend(const struct scale *scale, const char *what, FILE *out)
{
	size_t i;

	fprintf(out, "<p class=\"legend\"><span>%s:</span>", what);
	for (i = 0; i < scale->levels; i++) {
		fprintf(out,
			" <span class=\"key\"><svg viewBox=\"0 0 14 14\" "
			"aria-hidden=\"true\"><rect "
			"width=\"14\" height=\"14\" class=\"l%u\"/></svg>",
			shade(scale, i));
		put_range(scale, i, out);
		fputs("</span>", out);
	}
	fputs("</p>\n", out);
}

static size_t level_at(const struct scale *scale, const struct cells *cells, size_t column,
		       size_t row)
{
	const uint64_t count = cells->count(cells->arg, column, row);

	return count ? scale_level(scale, count) : SCALE_LEVELS;
}

/* Returns whether there was any. */
static int draw_row(const struct scale *scale, const struct cells *cells, size_t level, size_t row,
		    int any, FILE *out)
{
	size_t column, end;
	double left;

	for (column = 0; column < cells->columns; column = end) {
		end = column + 1;
		if (level_at(scale, cells, column, row) != level)
			continue;
		while (end < cells->columns && level_at(scale, cells, end, row) == level)
			end++;
		if (!any)
			fprintf(out, "<path class=\"l%u\" d=\"", shade(scale, level));
		any = 1;
		left = cells->x(cells->arg, column);
		fprintf(out, "M%.1f %.1fh%.1fv%.1fh%.1fz", left, cells->y(cells->arg, row),
			cells->x(cells->arg, end) - left, cells->height,
			left - cells->x(cells->arg, end));
	}
	return any;
}

void scale_draw(const struct scale *scale, const struct cells *cells, FILE *out)
{
	size_t level, row;
	int any;

	for (level = 0; level < scale->levels; level++) {
		any = 0;
		for (row = 0; row < cells->rows; row++)
			any = draw_row(scale, cells, level, row, any, out);
		if (any) {
			fputs("\"><title>", out);
			put_range(scale, level, out);
			fputs(" in a cell</title></path>\n", out);
		}
	}
}
