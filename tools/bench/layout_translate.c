// SPDX-License-Identifier: GPL-2.0
/* What is mapped where, as far as that is known before the run. */
#include "layout.h"
#include "map_mode.h"

/* What counts as a ring. */
static const enum area ring_areas[] = {AREA_RING, AREA_USED, AREA_INDIRECT};

bool layout_area_translate(const struct layout *l, enum area which, uint64_t iova,
			   struct mapping *mapping)
{
	const struct area_place *area = &l->areas[which];
	uint64_t at = iova - area->iova;

	if (iova < area->iova || at >= area->used)
		return false;
	at &= ~(l->o.page - 1);
	*mapping = (struct mapping){
		.iova = area->iova + at,
		.size = l->o.page,
		.gpa = layout_gpa(l, (struct place){which, at}),
		.perm = area->perm,
	};
	return true;
}

static bool translate_ring(const struct layout *l, uint64_t iova, struct mapping *mapping,
			   struct iova_owner *owner)
{
	for (unsigned int i = 0; i < sizeof(ring_areas) / sizeof(ring_areas[0]); i++) {
		const struct area_place *area = &l->areas[ring_areas[i]];
		uint64_t per_queue = area->per_device / l->queues_per_device;

		if (!layout_area_translate(l, ring_areas[i], iova, mapping))
			continue;
		layout_queue_owner(l, (iova - area->iova) / per_queue, owner);
		owner->is_ring = true;
		return true;
	}
	return false;
}

bool layout_translate(const struct layout *l, uint64_t iova, struct mapping *mapping,
		      struct iova_owner *owner)
{
	struct iova_owner unused;

	if (!owner)
		owner = &unused;
	if (translate_ring(l, iova, mapping, owner))
		return true;
	return l->o.map->translate && l->o.map->translate(l, iova, mapping, owner);
}

int layout_area_for_each(const struct layout *l, enum area which, int device, mapping_fn fn,
			 void *arg)
{
	const struct area_place *area = &l->areas[which];
	uint64_t start = 0, end = area->used;
	struct mapping mapping;
	int result = 0;

	if (device != ALL_DEVICES) {
		start = (uint64_t)device * area->per_device;
		end = start + area->per_device;
	}
	/* Devices may share a granule. */
	start &= ~(l->o.page - 1);
	for (uint64_t at = start; at < end && !result; at += l->o.page) {
		layout_area_translate(l, which, area->iova + at, &mapping);
		result = fn(&mapping, arg);
	}
	return result;
}

int layout_for_each(const struct layout *l, int device, bool fixed_only, mapping_fn fn, void *arg)
{
	const struct map_mode *map = l->o.map;
	int result = 0;

	for (unsigned int i = 0; i < sizeof(ring_areas) / sizeof(ring_areas[0]) && !result; i++)
		result = layout_area_for_each(l, ring_areas[i], device, fn, arg);
	if (!result && map->for_each && (map->is_fixed || !fixed_only))
		result = map->for_each(l, device, fn, arg);
	return result;
}
