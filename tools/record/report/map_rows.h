/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The axis of IOVAs: rows that one or two heat maps have in common, with gaps
 * where addresses are left out.
 */
#ifndef REPORT_MAP_ROWS_H
#define REPORT_MAP_ROWS_H

#include <stdbool.h>

#include "record/heat.h"

#define MAP_ROWS_GAP 6

/**
 * struct map_rows - the axis
 * @heats:	what is shown, made as coarse as is needed; NULL where is none
 * @shift:	binary logarithm of the granule
 * @count:	rows
 * @numbers:	of granules, ascending
 * @y:		upper edge of each row, from that of the axis
 * @row_height:	of each
 * @height:	of all
 */
struct map_rows {
	struct heat *heats[2];
	unsigned int shift;
	size_t count;
	uint64_t numbers[HEAT_ROWS];
	double y[HEAT_ROWS];
	double row_height;
	double height;
};

/* @heats: one or two, each may be NULL. False if memory is short. */
bool map_rows_init(struct map_rows *rows, const struct heat *const *heats, size_t count);

void map_rows_free(struct map_rows *rows);

/* Do addresses lie between this row and the one before? */
bool map_rows_gap(const struct map_rows *rows, size_t row);

/* Counts of a row of a heat map, NULL if it has no such row. */
const struct heat_row *map_rows_find(const struct map_rows *rows, size_t which, size_t row);

#endif /* REPORT_MAP_ROWS_H */
