// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "fdinfo.h"
#include "memory_table.h"

#define FIRST_REGIONS 8

static int table_add(struct memory_table *table, size_t *room, const struct memory_region *region)
{
	struct memory_region *more;

	if (table->count == *room) {
		*room = *room ? *room * 2 : FIRST_REGIONS;
		more = reallocarray(table->regions, *room, sizeof(*more));
		if (!more)
			return -ENOMEM;
		table->regions = more;
	}
	table->regions[table->count++] = *region;
	return 0;
}

static int parse_region(const char *value, struct memory_region *region)
{
	uint64_t numbers[3];

	if (fdinfo_numbers(value, numbers, 3))
		return -EPROTO;

	/* numbers[]: GPA, size, HVA */
	if (!numbers[1] || __builtin_add_overflow(numbers[0], numbers[1] - 1, &region->last))
		return -EPROTO;
	if (numbers[2] + (numbers[1] - 1) < numbers[2])
		return -EPROTO;

	region->gpa = numbers[0];
	region->hva = numbers[2];
	return 0;
}

static int by_gpa(const void *a, const void *b)
{
	const struct memory_region *x = a, *y = b;

	return (x->gpa > y->gpa) - (x->gpa < y->gpa);
}

int memory_table_parse(struct memory_table *table, const char *text)
{
	struct memory_table fresh = {};
	const char *value = text;
	size_t room = 0;
	int err = 0;

	while (!err && (value = fdinfo_next(value, "vhost-mem"))) {
		struct memory_region region;

		err = parse_region(value, &region);
		if (!err)
			err = table_add(&fresh, &room, &region);
	}
	if (err) {
		memory_table_clear(&fresh);
		return err;
	}

	if (fresh.count)
		qsort(fresh.regions, fresh.count, sizeof(*fresh.regions), by_gpa);
	memory_table_move(table, &fresh);
	return 0;
}

void memory_table_clear(struct memory_table *table)
{
	free(table->regions);
	*table = (struct memory_table){};
}

void memory_table_move(struct memory_table *to, struct memory_table *from)
{
	memory_table_clear(to);
	*to = *from;
	*from = (struct memory_table){};
}

bool memory_table_keeps(const struct memory_table *now, const struct memory_table *old)
{
	size_t i, j = 0;

	/* Both are in order, so one pass through @now is enough. */
	for (i = 0; i < old->count; i++) {
		const struct memory_region *region = &old->regions[i];

		while (j < now->count && now->regions[j].gpa < region->gpa)
			j++;
		if (j == now->count || now->regions[j].gpa != region->gpa ||
		    now->regions[j].hva != region->hva || now->regions[j].last < region->last)
			return false;
	}
	return true;
}

const struct memory_region *memory_table_find(const struct memory_table *table, uint64_t gpa)
{
	size_t i;

	/* A handful of regions, 64 unless vhost is told otherwise. */
	for (i = 0; i < table->count; i++) {
		const struct memory_region *region = &table->regions[i];

		if (region->gpa > gpa)
			break;
		if (region->last >= gpa)
			return region;
	}
	return NULL;
}
