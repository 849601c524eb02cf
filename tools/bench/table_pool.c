// SPDX-License-Identifier: GPL-2.0
#include "table_pool.h"

#include <string.h>

uint64_t table_pool_get(struct table_pool *p)
{
	uint64_t gpa = p->free;

	if (gpa) {
		/* Its first word leads to the next one. */
		p->free = table_load(table_at(p, gpa));
		table_store(table_at(p, gpa), 0);
		return gpa;
	}
	if (p->nr_used == p->nr_pages)
		return 0;
	return p->gpa + TABLE_SIZE * p->nr_used++;
}

void table_pool_put(struct table_pool *p, uint64_t gpa)
{
	memset(table_at(p, gpa), 0, TABLE_SIZE);
	/* Whoever still walks it finds nothing: the bit of what is present is 0. */
	table_store(table_at(p, gpa), p->free);
	p->free = gpa;
}
