// SPDX-License-Identifier: GPL-2.0
#include <string.h>

#include "heat.h"

void heat_init(struct heat *heat, uint64_t bucket_ns)
{
	memset(heat, 0, sizeof(*heat));
	heat->bucket_ns = bucket_ns;
	heat->shift = HEAT_SHIFT_MIN;
}

/* Doubles the width of columns. */
static void widen(struct heat *heat)
{
	const size_t columns = (heat->columns + 1) / 2;
	size_t row, i;
	int kind;

	for (row = 0; row < heat->count; row++) {
		for (kind = 0; kind < IOTLB_EVENT_KINDS; kind++) {
			uint64_t *cells = heat->rows[row].cells[kind];

			/* There is an even number of them; those not in use are 0. */
			for (i = 0; i < columns; i++)
				cells[i] = cells[2 * i] + cells[2 * i + 1];
			memset(&cells[columns], 0, (HEAT_COLUMNS - columns) * sizeof(*cells));
		}
	}
	heat->columns = columns;
	heat->bucket_ns *= 2;
}

static void row_add(struct heat_row *to, const struct heat_row *from)
{
	size_t i;
	int kind;

	for (kind = 0; kind < IOTLB_EVENT_KINDS; kind++)
		for (i = 0; i < HEAT_COLUMNS; i++)
			to->cells[kind][i] += from->cells[kind][i];
}

void heat_coarsen(struct heat *heat)
{
	size_t row, kept = 0;

	for (row = 0; row < heat->count; row++) {
		struct heat_row *from = &heat->rows[row];

		from->number >>= 1;
		if (kept && heat->rows[kept - 1].number == from->number)
			row_add(&heat->rows[kept - 1], from);
		else if (kept++ != row)
			heat->rows[kept - 1] = *from;
	}
	heat->count = kept;
	heat->shift++;
}

/* Index of the row of this number, or where it belongs. */
static size_t row_index(const struct heat *heat, uint64_t number)
{
	size_t low = 0, high = heat->count, middle;

	while (low < high) {
		middle = low + (high - low) / 2;
		if (heat->rows[middle].number < number)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static struct heat_row *row_get(struct heat *heat, uint64_t iova)
{
	uint64_t number = iova >> heat->shift;
	size_t index = row_index(heat, number);

	while (index == heat->count || heat->rows[index].number != number) {
		if (heat->count < HEAT_ROWS) {
			memmove(&heat->rows[index + 1], &heat->rows[index],
				(heat->count - index) * sizeof(heat->rows[0]));
			memset(&heat->rows[index], 0, sizeof(heat->rows[0]));
			heat->rows[index].number = number;
			heat->count++;
			break;
		}
		heat_coarsen(heat);
		number = iova >> heat->shift;
		index = row_index(heat, number);
	}
	return &heat->rows[index];
}

void heat_add(struct heat *heat, uint64_t time, uint64_t iova, enum iotlb_event_kind kind,
	      uint64_t count)
{
	size_t column;

	while ((column = time / heat->bucket_ns) >= HEAT_COLUMNS)
		widen(heat);
	if (column >= heat->columns)
		heat->columns = column + 1;
	row_get(heat, iova)->cells[kind][column] += count;
}

void heat_merge(struct heat *into, const struct heat *from)
{
	size_t row, column;
	int kind;

	while (into->shift < from->shift)
		heat_coarsen(into);
	while (into->bucket_ns < from->bucket_ns)
		widen(into);
	for (row = 0; row < from->count; row++)
		for (kind = 0; kind < IOTLB_EVENT_KINDS; kind++)
			for (column = 0; column < from->columns; column++)
				if (from->rows[row].cells[kind][column])
					heat_add(into, column * from->bucket_ns,
						 heat_row_iova(from, row), kind,
						 from->rows[row].cells[kind][column]);
}

uint64_t heat_row_sum(const struct heat_row *row, enum iotlb_event_kind kind)
{
	uint64_t sum = 0;
	size_t i;

	for (i = 0; i < HEAT_COLUMNS; i++)
		sum += row->cells[kind][i];
	return sum;
}

uint64_t heat_sum(const struct heat *heat, enum iotlb_event_kind kind)
{
	uint64_t sum = 0;
	size_t row;

	for (row = 0; row < heat->count; row++)
		sum += heat_row_sum(&heat->rows[row], kind);
	return sum;
}

uint64_t heat_row_iova(const struct heat *heat, size_t row)
{
	return heat->rows[row].number << heat->shift;
}
