// SPDX-License-Identifier: GPL-2.0
#include "map_mode.h"

#include <stddef.h>

static uint64_t fixed_buffer(const struct layout *l, unsigned int device, enum direction direction,
			     uint64_t packet)
{
	const struct area_place *area = layout_buffers(l, direction);

	return area->iova + (layout_slot_gpa(l, device, direction, packet) - area->gpa);
}

static bool fixed_translate(const struct layout *l, uint64_t iova, struct mapping *mapping,
			    struct iova_owner *owner)
{
	for (int i = 0; i < NR_DIRECTIONS; i++) {
		const struct area_place *area = layout_buffers(l, i);

		if (!layout_area_translate(l, area, iova, mapping))
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
			result = layout_area_for_each(l, layout_buffers(l, i), device, fn, arg);
	return result;
}

static const struct map_mode map_fixed = {
	.name = "fixed",
	.help = "every buffer keeps its IOVA",
	.is_fixed = true,
	.buffer = fixed_buffer,
	.translate = fixed_translate,
	.for_each = fixed_for_each,
};

/*
 * A granule of IOVA space for each packet, mapped to the granule of guest
 * memory in which the packet's buffer lies.
 */
static uint64_t sweep_buffer(const struct layout *l, unsigned int device, enum direction direction,
			     uint64_t packet)
{
	uint64_t gpa = layout_slot_gpa(l, device, direction, packet);

	return layout_sweep_base(l, layout_queue(l, device, direction)) + packet * l->o.page +
	       (gpa & (l->o.page - 1));
}

static void sweep_mapping(const struct layout *l, unsigned int device, enum direction direction,
			  uint64_t packet, struct mapping *mapping)
{
	uint64_t mask = ~(l->o.page - 1);

	*mapping = (struct mapping){
		.iova = sweep_buffer(l, device, direction, packet) & mask,
		.size = l->o.page,
		.gpa = layout_slot_gpa(l, device, direction, packet) & mask,
		.perm = layout_buffers(l, direction)->perm,
	};
}

static bool sweep_translate(const struct layout *l, uint64_t iova, struct mapping *mapping,
			    struct iova_owner *owner)
{
	uint64_t start = layout_sweep_base(l, 0);
	uint64_t queue, packet;

	if (iova < start)
		return false;
	queue = (iova - start) / l->stride;
	packet = (iova - start) % l->stride / l->o.page;
	if (queue >= (uint64_t)l->o.devices * l->queues_per_device || packet >= l->o.packets)
		return false;
	*owner = (struct iova_owner){0};
	layout_queue_owner(l, queue, owner);
	sweep_mapping(l, owner->device, owner->direction, packet, mapping);
	return true;
}

static int sweep_queue_for_each(const struct layout *l, unsigned int queue, mapping_fn fn,
				void *arg)
{
	struct iova_owner owner;
	struct mapping mapping;
	int result = 0;

	layout_queue_owner(l, queue, &owner);
	for (uint64_t packet = 0; packet < l->o.packets && !result; packet++) {
		sweep_mapping(l, owner.device, owner.direction, packet, &mapping);
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
	.help = "every packet at an IOVA that was never used before",
	.buffer = sweep_buffer,
	.translate = sweep_translate,
	.for_each = sweep_for_each,
};

const struct map_mode *const map_modes[] = {&map_fixed, &map_sweep, NULL};
