/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Where and when: counts of events by IOVA and time, in a grid of bounded size.
 *
 * A row is a range of addresses, a granule, aligned to its size, which is a
 * power of two and the same for all. Only granules in which something has
 * happened have a row. When there are more than fit, the granule becomes twice
 * as large. Columns become twice as wide when time goes beyond the last.
 */
#ifndef RECORD_HEAT_H
#define RECORD_HEAT_H

#include <stddef.h>
#include <stdint.h>

#include "iotlb_event.h"

#define HEAT_COLUMNS 240
#define HEAT_ROWS 32
#define HEAT_SHIFT_MIN 12
#define HEAT_SHIFT_MAX 59 /* there are no more granules then than rows */

/**
 * struct heat_row - a granule of IOVAs
 * @number:	its address, divided by the granule
 * @cells:	events that begin in it, by kind and time
 */
struct heat_row {
	uint64_t number;
	uint64_t cells[IOTLB_EVENT_KINDS][HEAT_COLUMNS];
};

/**
 * struct heat - the grid
 * @bucket_ns:	how much time a column stands for; the first begins at 0
 * @shift:	binary logarithm of the granule, at most HEAT_SHIFT_MAX
 * @columns:	in use
 * @count:	rows in use
 * @rows:	by address
 */
struct heat {
	uint64_t bucket_ns;
	unsigned int shift;
	size_t columns;
	size_t count;
	struct heat_row rows[HEAT_ROWS];
};

/* A granule of a page, a column of @bucket_ns. */
void heat_init(struct heat *heat, uint64_t bucket_ns);

/**
 * heat_add() - count events
 * @heat:	the grid
 * @time:	nanoseconds since the start of all
 * @iova:	where they begin
 * @kind:	what they are
 * @count:	how many
 */
void heat_add(struct heat *heat, uint64_t time, uint64_t iova, enum iotlb_event_kind kind,
	      uint64_t count);

/* Doubles the granule. */
void heat_coarsen(struct heat *heat);

/* Adds all of @from to @into, which becomes as coarse as need be. */
void heat_merge(struct heat *into, const struct heat *from);

/* Sum of a row of this kind. */
uint64_t heat_row_sum(const struct heat_row *row, enum iotlb_event_kind kind);

/* Sum of all of this kind. */
uint64_t heat_sum(const struct heat *heat, enum iotlb_event_kind kind);

/* Address at which a row begins. */
uint64_t heat_row_iova(const struct heat *heat, size_t row);

#endif /* RECORD_HEAT_H */
