/* SPDX-License-Identifier: GPL-2.0 */
/* What layout.c lends to the map modes. */
#ifndef BENCH_MAP_MODE_H
#define BENCH_MAP_MODE_H

#include "layout.h"

/* Queues of all devices, numbered from 0. */
unsigned int layout_queue(const struct layout *l, unsigned int device, enum direction direction);
void layout_queue_owner(const struct layout *l, unsigned int queue, struct iova_owner *owner);

/* First IOVA of l->stride bytes that belong to the packets of one queue. */
uint64_t layout_sweep_base(const struct layout *l, unsigned int queue);

static inline enum area layout_buffers(enum direction direction)
{
	return direction == DIRECTION_TX ? AREA_TX : AREA_RX;
}

/* layout_translate() and layout_for_each() for one area. */
bool layout_area_translate(const struct layout *l, enum area area, uint64_t iova,
			   struct mapping *mapping);
int layout_area_for_each(const struct layout *l, enum area area, int device, mapping_fn fn,
			 void *arg);

#endif /* BENCH_MAP_MODE_H */
