// SPDX-License-Identifier: GPL-2.0
#include <stdlib.h>
#include <string.h>

#include "map_rows.h"

/* Return: whether there was room. */
static bool take_rows(struct map_rows *rows, const struct heat *heat)
{
	size_t i, at;

	for (i = 0; i < heat->count; i++) {
		const uint64_t number = heat->rows[i].number;

		for (at = 0; at < rows->count && rows->numbers[at] < number; at++)
			;
		if (at < rows->count && rows->numbers[at] == number)
			continue;
		if (rows->count == HEAT_ROWS)
			return false;
		memmove(&rows->numbers[at + 1], &rows->numbers[at],
			(rows->count - at) * sizeof(rows->numbers[0]));
		rows->numbers[at] = number;
		rows->count++;
	}
	return true;
}

static bool take_all(struct map_rows *rows)
{
	size_t which;

	rows->count = 0;
	for (which = 0; which < 2; which++)
		if (rows->heats[which] && !take_rows(rows, rows->heats[which]))
			return false;
	return true;
}

static void coarsen_to(struct map_rows *rows, unsigned int shift)
{
	size_t which;

	for (which = 0; which < 2; which++)
		while (rows->heats[which] && rows->heats[which]->shift < shift)
			heat_coarsen(rows->heats[which]);
	rows->shift = shift;
}

static void place(struct map_rows *rows)
{
	double y = 0;
	size_t i;

	rows->row_height = rows->count <= 8 ? 18 : rows->count <= 16 ? 14 : 11;
	for (i = 0; i < rows->count; i++) {
		if (map_rows_gap(rows, i))
			y += MAP_ROWS_GAP;
		rows->y[i] = y;
		y += rows->row_height;
	}
	rows->height = y;
}

bool map_rows_init(struct map_rows *rows, const struct heat *const *heats, size_t count)
{
	unsigned int shift = HEAT_SHIFT_MIN;
	size_t i;

	*rows = (struct map_rows){};
	for (i = 0; i < count; i++) {
		if (!heats[i])
			continue;
		rows->heats[i] = malloc(sizeof(*heats[i]));
		if (!rows->heats[i]) {
			map_rows_free(rows);
			return false;
		}
		*rows->heats[i] = *heats[i];
		if (heats[i]->shift > shift)
			shift = heats[i]->shift;
	}
	do
		coarsen_to(rows, shift++);
	while (!take_all(rows));
	place(rows);
	return true;
}

void map_rows_free(struct map_rows *rows)
{
	free(rows->heats[0]);
	free(rows->heats[1]);
}

bool map_rows_gap(const struct map_rows *rows, size_t row)
{
	return row && rows->numbers[row] != rows->numbers[row - 1] + 1;
}

const struct heat_row *map_rows_find(const struct map_rows *rows, size_t which, size_t row)
{
	const struct heat *heat = rows->heats[which];
	size_t i;

	for (i = 0; heat && i < heat->count; i++)
		if (heat->rows[i].number == rows->numbers[row])
			return &heat->rows[i];
	return NULL;
}
