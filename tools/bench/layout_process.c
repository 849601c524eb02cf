// SPDX-License-Identifier: GPL-2.0
/* What the processes of a guest have. */
#include "layout.h"
#include "map_mode.h"

static const enum area ring_areas[] = {AREA_RING, AREA_USED, AREA_INDIRECT};

#define NR_RING_AREAS (sizeof(ring_areas) / sizeof(ring_areas[0]))

unsigned int layout_process(const struct layout *l, unsigned int device, enum direction direction)
{
	return layout_per_queue(l) ? layout_queue(l, device, direction) : device;
}

bool layout_process_has(const struct layout *l, unsigned int process, enum direction direction)
{
	struct iova_owner owner;

	if (!l->o.has[direction])
		return false;
	if (!layout_per_queue(l))
		return true;
	layout_queue_owner(l, process, &owner);
	return owner.direction == direction;
}

static int range_for_each(const struct layout *l, enum area which, uint64_t start, uint64_t size,
			  mapping_fn fn, void *arg)
{
	int result = 0;

	for (uint64_t at = start; at < start + size && !result; at += l->o.page) {
		struct place place = {which, at};
		struct mapping mapping = {
			.iova = layout_iova(l, place),
			.size = l->o.page,
			.gpa = layout_gpa(l, place),
			.perm = l->areas[which].perm,
		};

		result = fn(&mapping, arg);
	}
	return result;
}

static int rings_for_each(const struct layout *l, unsigned int home, enum direction direction,
			  mapping_fn fn, void *arg)
{
	int result = 0;

	for (unsigned int i = 0; i < NR_RING_AREAS && !result; i++) {
		uint64_t part = l->areas[ring_areas[i]].per_device / l->queues_per_device;

		result = range_for_each(l, ring_areas[i], layout_queue(l, home, direction) * part,
					part, fn, arg);
	}
	return result;
}

static int buffers_for_each(const struct layout *l, unsigned int home, enum direction direction,
			    mapping_fn fn, void *arg)
{
	uint64_t size = l->areas[layout_buffers(direction)].per_device;

	/* Those that are mapped during the run are not so at first. */
	if (l->o.map->is_dynamic || l->o.paged)
		return 0;
	return range_for_each(l, layout_buffers(direction), home * size, size, fn, arg);
}

int layout_process_for_each(const struct layout *l, unsigned int process, unsigned int home,
			    mapping_fn fn, void *arg)
{
	int result = 0;

	for (int d = 0; d < NR_DIRECTIONS && !result; d++) {
		bool has = layout_process_has(l, process, d);

		if (has || l->o.one_space)
			result = rings_for_each(l, home, d, fn, arg);
		if (has && !result)
			result = buffers_for_each(l, home, d, fn, arg);
	}
	return result;
}

static bool is_in(const struct area_place *area, uint64_t iova)
{
	return iova >= area->iova && iova - area->iova < area->per_process;
}

static bool ring_owner(const struct layout *l, unsigned int process, uint64_t iova,
		       struct iova_owner *owner)
{
	for (unsigned int i = 0; i < NR_RING_AREAS; i++) {
		const struct area_place *area = &l->areas[ring_areas[i]];
		uint64_t nth;

		if (!is_in(area, iova))
			continue;
		nth = (iova - area->iova) / (area->per_device / l->queues_per_device);
		/* If a process has one virtqueue, the area has no other's. */
		if (area->per_process < area->per_device)
			nth = process;
		layout_queue_owner(l, nth, owner);
		owner->is_ring = true;
		return true;
	}
	return false;
}

bool layout_process_buffer(const struct layout *l, unsigned int process, unsigned int home,
			   uint64_t address, struct mapping *mapping, enum direction *direction)
{
	uint64_t page = address & ~(l->o.page - 1);

	for (int d = 0; d < NR_DIRECTIONS && !l->o.map->is_dynamic; d++) {
		const struct area_place *area = &l->areas[layout_buffers(d)];
		struct place place = {
			.area = layout_buffers(d),
			.at = home * area->per_device + page - area->iova,
		};

		if (!layout_process_has(l, process, d) || !is_in(area, address))
			continue;
		*direction = d;
		*mapping = (struct mapping){
			.iova = page,
			.size = l->o.page,
			.gpa = layout_gpa(l, place),
			.perm = area->perm,
		};
		return true;
	}
	return false;
}

bool layout_process_owner(const struct layout *l, unsigned int process, uint64_t iova,
			  struct iova_owner *owner)
{
	struct mapping unused;

	*owner = (struct iova_owner){0};
	if (ring_owner(l, process, iova, owner)) {
		owner->device = layout_process_device(l, process);
		return true;
	}
	owner->device = layout_process_device(l, process);
	/* Wherever its pages are. */
	return layout_process_buffer(l, process, 0, iova, &unused, &owner->direction);
}
