/* SPDX-License-Identifier: GPL-2.0 */
/* How much is how dark: levels of a heat map, the same for all it is compared
 * with.
 */
#ifndef REPORT_SCALE_H
#define REPORT_SCALE_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define SCALE_LEVELS 6

/**
 * struct scale - bounds of the levels
 * @levels:	how many there are
 * @from:	the least count of each
 * @max:	the greatest count of all
 */
struct scale {
	size_t levels;
	uint64_t from[SCALE_LEVELS];
	uint64_t max;
};

/* Levels for counts from 1 to @max, each the same factor above the one before. */
void scale_init(struct scale *scale, uint64_t max);

/* Level of a count that is not 0. */
size_t scale_level(const struct scale *scale, uint64_t count);

/* What the levels mean, beside the text @what. */
void scale_legend(const struct scale *scale, const char *what, FILE *out);

/**
 * struct cells - a grid of counts to be drawn
 * @columns:	its size
 * @rows:	0 is drawn where @y says
 * @x:		left edge of a column; that of @columns is the right edge of all
 * @y:		upper edge of a row
 * @height:	of a row
 * @count:	of a cell
 * @arg:	for these functions
 */
struct cells {
	size_t columns;
	size_t rows;
	double (*x)(const void *arg, size_t column);
	double (*y)(const void *arg, size_t row);
	double height;
	uint64_t (*count)(const void *arg, size_t column, size_t row);
	const void *arg;
};

/* All cells of a level are one path, and neighbours are one rectangle. */
void scale_draw(const struct scale *scale, const struct cells *cells, FILE *out);

#endif /* REPORT_SCALE_H */
