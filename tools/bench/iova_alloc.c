// SPDX-License-Identifier: GPL-2.0
#include "iova_alloc.h"

#include <stdlib.h>

int iova_alloc_init(struct iova_alloc *a, uint64_t base, uint64_t unit, uint64_t units)
{
	*a = (struct iova_alloc){
		.bottom = base,
		.next = base + units * unit,
		.unit = unit,
		.free = calloc(units, sizeof(*a->free)),
	};
	return a->free ? 0 : -1;
}

void iova_alloc_reset(struct iova_alloc *a, uint64_t base, uint64_t units)
{
	a->next = base + units * a->unit;
	a->nr_free = 0;
}

void iova_alloc_free(struct iova_alloc *a)
{
	free(a->free);
	*a = (struct iova_alloc){0};
}

uint64_t iova_alloc_get(struct iova_alloc *a)
{
	if (a->nr_free)
		return a->free[--a->nr_free];
	if (a->next == a->bottom)
		return IOVA_NONE;
	a->next -= a->unit;
	return a->next;
}

void iova_alloc_put(struct iova_alloc *a, uint64_t iova)
{
	a->free[a->nr_free++] = iova;
}
