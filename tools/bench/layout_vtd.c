// SPDX-License-Identifier: GPL-2.0
/* How much room the IOMMU's tables take at most. */
#include "layout.h"
#include "map_mode.h"
#include "sva_tables.h"

/* Address bits below an entry of level 1, and of each level above. */
#define PAGE_BITS 12
#define LEVEL_BITS 9
#define LEVELS 4

/* Pieces of 1 << @bits that something lies in. */
static uint64_t pieces(uint64_t start, uint64_t size, int bits)
{
	return ((start + size - 1) >> bits) - (start >> bits) + 1;
}

/* Tables below the topmost for a range, if it is alone. */
static uint64_t range_tables(const struct layout *l, uint64_t start, uint64_t size)
{
	uint64_t tables = 0, end = start + size, mask = l->o.page - 1;

	if (!size)
		return 0;
	start &= ~mask;
	end = (end + mask) & ~mask;
	for (int level = 1; level < LEVELS; level++) {
		int bits = PAGE_BITS + level * LEVEL_BITS;

		/* No table has entries for more than a granule at once. */
		if (1ULL << bits > l->o.page)
			tables += pieces(start, end - start, bits);
	}
	return tables;
}

static uint64_t area_tables(const struct layout *l, enum area which, unsigned int device)
{
	const struct area_place *area = &l->areas[which];

	return range_tables(l, area->iova + device * area->per_device, area->per_device);
}

static uint64_t buffer_tables(const struct layout *l, unsigned int device)
{
	unsigned int first = device * l->queues_per_device;
	uint64_t tables = 0;

	if (l->o.map->is_dynamic)
		return range_tables(l, layout_dynamic_base(l, device),
				    l->unit * layout_dynamic_units(l));
	if (l->o.map->kind != MAP_KIND_SWEEP)
		return area_tables(l, AREA_TX, device) + area_tables(l, AREA_RX, device);
	for (unsigned int i = 0; i < l->queues_per_device; i++)
		tables += range_tables(l, layout_sweep_base(l, first + i), l->o.packets * l->unit);
	return tables;
}

/* Without processes. */
static uint64_t flat_pages(const struct layout *l)
{
	uint64_t pages = 2; /* root table; context table: one bus has all devices */

	for (unsigned int i = 0; i < l->o.devices; i++)
		pages += 1 + area_tables(l, AREA_RING, i) + area_tables(l, AREA_USED, i) +
			 area_tables(l, AREA_INDIRECT, i) + buffer_tables(l, i);
	return pages;
}

/* Of one process, from the first level's topmost; all have the same addresses. */
static uint64_t process_tables(const struct layout *l)
{
	uint64_t tables = 1;

	for (int i = 0; i < NR_AREAS; i++)
		tables += range_tables(l, l->areas[i].iova, l->areas[i].per_process);
	if (l->o.map->is_dynamic)
		tables += range_tables(l, layout_dynamic_base(l, 0),
				       l->unit * layout_dynamic_units(l));
	return tables;
}

uint64_t layout_vtd_pages(const struct layout *l)
{
	if (l->o.processes)
		return SVA_TABLES_COMMON + (uint64_t)l->o.devices * SVA_TABLES_PER_DEVICE +
		       l->o.processes * process_tables(l);
	return flat_pages(l);
}
