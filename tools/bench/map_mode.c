// SPDX-License-Identifier: GPL-2.0
#include "map_mode.h"

#include <stddef.h>

static uint64_t fixed_buffer(const struct layout *l, unsigned int device, enum direction direction,
			     uint64_t packet, uint64_t nth)
{
	(void)packet;
	return layout_iova(l, layout_buffer(l, device, direction, nth));
}

static bool fixed_translate(const struct layout *l, uint64_t iova, struct mapping *mapping,
			    struct iova_owner *owner)
{
	for (int i = 0; i < NR_DIRECTIONS; i++) {
		const struct area_place *area = &l->areas[layout_buffers(i)];

		if (!layout_area_translate(l, layout_buffers(i), iova, mapping))
			continue;
		*owner = (struct iova_owner){
			.device = (iova - area->iova) / area->per_device,
			.direction = i,
		};
		return true;
	}
	return false;
}

static int fixed_for_each(const struct layout *l, int device, mapping_fn fn, void *arg)
{
	int result = 0;

	for (int i = 0; i < NR_DIRECTIONS && !result; i++)
		if (l->o.has[i])
			result = layout_area_for_each(l, layout_buffers(i), device, fn, arg);
	return result;
}

static const struct map_mode map_fixed = {
	.name = "fixed",
	.kind = MAP_KIND_FIXED,
	.is_fixed = true,
	.buffer = fixed_buffer,
	.translate = fixed_translate,
	.for_each = fixed_for_each,
};

/*
 * A unit of IOVA space for each packet, mapped to the granules of guest memory
 * in which the packet's buffer lies.
 */
static uint64_t sweep_start(const struct layout *l, unsigned int device, enum direction direction,
			    uint64_t packet)
{
	return layout_sweep_base(l, layout_queue(l, device, direction)) + packet * l->unit;
}

static uint64_t sweep_buffer(const struct layout *l, unsigned int device, enum direction direction,
			     uint64_t packet, uint64_t nth)
{
	struct place place = layout_buffer(l, device, direction, nth);

	return sweep_start(l, device, direction, packet) + (place.at & (l->o.page - 1));
}

/* The @nth granule of a packet's unit. */
static void sweep_mapping(const struct layout *l, const struct iova_owner *owner, uint64_t packet,
			  unsigned int nth, struct mapping *mapping)
{
	struct place place =
		layout_buffer(l, owner->device, owner->direction, layout_nth_buffer(l, packet));

	place.at = (place.at & ~(l->o.page - 1)) + nth * l->o.page;
	*mapping = (struct mapping){
		.iova = sweep_start(l, owner->device, owner->direction, packet) + nth * l->o.page,
		.size = l->o.page,
		.gpa = layout_gpa(l, place),
		.perm = l->areas[place.area].perm,
	};
}

static bool sweep_translate(const struct layout *l, uint64_t iova, struct mapping *mapping,
			    struct iova_owner *owner)
{
	uint64_t start = layout_sweep_base(l, 0);
	uint64_t queue, packet, at;

	if (iova < start)
		return false;
	queue = (iova - start) / l->stride;
	at = (iova - start) % l->stride;
	packet = at / l->unit;
	if (queue >= (uint64_t)l->o.devices * l->queues_per_device || packet >= l->o.packets)
		return false;
	*owner = (struct iova_owner){0};
	layout_queue_owner(l, queue, owner);
	sweep_mapping(l, owner, packet, at % l->unit / l->o.page, mapping);
	return true;
}

static int sweep_queue_for_each(const struct layout *l, unsigned int queue, mapping_fn fn,
				void *arg)
{
	struct iova_owner owner;
	struct mapping mapping;
	int result = 0;

	layout_queue_owner(l, queue, &owner);
	for (uint64_t i = 0; i < l->o.packets * l->pages && !result; i++) {
		sweep_mapping(l, &owner, i / l->pages, i % l->pages, &mapping);
		result = fn(&mapping, arg);
	}
	return result;
}

static int sweep_for_each(const struct layout *l, int device, mapping_fn fn, void *arg)
{
	unsigned int first = 0, end = l->o.devices * l->queues_per_device;
	int result = 0;

	if (device != ALL_DEVICES) {
		first = (unsigned int)device * l->queues_per_device;
		end = first + l->queues_per_device;
	}
	for (unsigned int queue = first; queue < end && !result; queue++)
		result = sweep_queue_for_each(l, queue, fn, arg);
	return result;
}

static const struct map_mode map_sweep = {
	.name = "sweep",
	.kind = MAP_KIND_SWEEP,
	.buffer = sweep_buffer,
	.translate = sweep_translate,
	.for_each = sweep_for_each,
};

static const struct map_mode map_strict = {
	.name = "strict",
	.kind = MAP_KIND_STRICT,
	.is_dynamic = true,
};

static const struct map_mode map_lazy = {
	.name = "lazy",
	.kind = MAP_KIND_LAZY,
	.is_dynamic = true,
};

/* As fixed, but with more buffers than the IOTLB has room for. */
static const struct map_mode map_random = {
	.name = "random",
	.kind = MAP_KIND_RANDOM,
	.buffer = fixed_buffer,
	.translate = fixed_translate,
	.for_each = fixed_for_each,
};

static const struct map_mode map_remap = {
	.name = "remap",
	.kind = MAP_KIND_REMAP,
	.is_dynamic = true,
};

const struct map_mode *const map_modes[] = {
	&map_fixed, &map_sweep, &map_strict, &map_lazy, &map_random, &map_remap, NULL,
};
