// SPDX-License-Identifier: GPL-2.0
#include "layout.h"

#include <string.h>
#include <linux/vhost_types.h>

#include "map_mode.h"

/*
 * RAM in two pieces, as a PC has it, so that whoever translates a GPA has to
 * look at the memory table. Both are aligned to the largest granule.
 */
#define GPA_LOW 0x40000000ULL
#define GPA_HIGH 0x100000000ULL

/*
 * IOVAs far from any GPA, and the areas in another order. Sweeps start above
 * them and end at what a five-level page table can address.
 */
#define IOVA_AREA(n) (0x200000000000ULL + ((uint64_t)(n) << 41))
#define IOVA_SWEEP 0x400000000000ULL
#define IOVA_END (1ULL << 57)

#define RING_BYTES (2 * SLOT_SIZE) /* descriptor table, available ring */

static const uint64_t area_iova[NR_AREAS] = {
	[AREA_RING] = IOVA_AREA(2),
	[AREA_USED] = IOVA_AREA(0),
	[AREA_TX] = IOVA_AREA(3),
	[AREA_RX] = IOVA_AREA(1),
};

static const uint32_t area_perm[NR_AREAS] = {
	[AREA_RING] = VHOST_ACCESS_RO,
	[AREA_USED] = VHOST_ACCESS_RW,
	[AREA_TX] = VHOST_ACCESS_RO,
	[AREA_RX] = VHOST_ACCESS_WO,
};

static uint64_t round_up(uint64_t value, uint64_t to)
{
	return (value + to - 1) & ~(to - 1);
}

static unsigned int nr_queues(const struct layout_options *o)
{
	return o->has[DIRECTION_RX] + o->has[DIRECTION_TX];
}

static uint64_t sweep_space(const struct layout_options *o)
{
	uint64_t queues = (uint64_t)o->devices * nr_queues(o);
	uint64_t each = (IOVA_END - IOVA_SWEEP) / queues;

	/* Strides are powers of two. */
	return 1ULL << (63 - __builtin_clzll(each));
}

uint64_t layout_most_packets(const struct layout_options *options)
{
	return sweep_space(options) / options->page;
}

static uint64_t stride_for(const struct layout_options *o)
{
	uint64_t stride = o->page;

	while (stride / o->page < o->packets)
		stride *= 2;
	return stride;
}

static void place_areas(struct layout *l)
{
	const struct layout_options *o = &l->o;
	uint64_t bytes[NR_AREAS] = {
		[AREA_RING] = (uint64_t)l->queues_per_device * RING_BYTES,
		[AREA_USED] = (uint64_t)l->queues_per_device * SLOT_SIZE,
		[AREA_TX] = o->has[DIRECTION_TX] * o->in_flight * (uint64_t)SLOT_SIZE,
		[AREA_RX] = o->has[DIRECTION_RX] * o->in_flight * (uint64_t)SLOT_SIZE,
	};
	uint64_t gpa = GPA_LOW;

	for (int i = 0; i < NR_AREAS; i++) {
		struct area_place *area = &l->areas[i];

		if (i == AREA_TX)
			gpa = GPA_HIGH;
		area->per_device = bytes[i];
		area->used = bytes[i] * o->devices;
		area->size = round_up(area->used, o->page);
		area->gpa = gpa;
		area->iova = o->identity ? gpa : area_iova[i];
		area->perm = area_perm[i];
		gpa += area->size;
	}
}

bool layout_init(struct layout *l, const struct layout_options *options)
{
	*l = (struct layout){.o = *options};
	l->queues_per_device = nr_queues(options);
	place_areas(l);
	if (options->map->is_fixed)
		return true;
	if (options->packets > layout_most_packets(options))
		return false;
	l->stride = stride_for(options);
	return true;
}

unsigned int layout_queue(const struct layout *l, unsigned int device, enum direction direction)
{
	unsigned int nth = direction == DIRECTION_TX && l->o.has[DIRECTION_RX];

	return device * l->queues_per_device + nth;
}

void layout_queue_owner(const struct layout *l, unsigned int queue, struct iova_owner *owner)
{
	unsigned int nth = queue % l->queues_per_device;

	owner->device = queue / l->queues_per_device;
	owner->direction = nth || !l->o.has[DIRECTION_RX] ? DIRECTION_TX : DIRECTION_RX;
}

uint64_t layout_sweep_base(const struct layout *l, unsigned int queue)
{
	return IOVA_SWEEP + queue * l->stride;
}

static struct ring_place ring_place(unsigned int queue, uint64_t ring, uint64_t used)
{
	ring += (uint64_t)queue * RING_BYTES;
	return (struct ring_place){
		.desc = ring,
		.avail = ring + SLOT_SIZE,
		.used = used + (uint64_t)queue * SLOT_SIZE,
	};
}

struct ring_place layout_ring_gpa(const struct layout *l, unsigned int device,
				  enum direction direction)
{
	return ring_place(layout_queue(l, device, direction), l->areas[AREA_RING].gpa,
			  l->areas[AREA_USED].gpa);
}

struct ring_place layout_ring_iova(const struct layout *l, unsigned int device,
				   enum direction direction)
{
	return ring_place(layout_queue(l, device, direction), l->areas[AREA_RING].iova,
			  l->areas[AREA_USED].iova);
}

uint64_t layout_slot_gpa(const struct layout *l, unsigned int device, enum direction direction,
			 uint64_t packet)
{
	const struct area_place *area = layout_buffers(l, direction);

	return area->gpa + device * area->per_device + packet % l->o.in_flight * SLOT_SIZE;
}

bool layout_area_translate(const struct layout *l, const struct area_place *area, uint64_t iova,
			   struct mapping *mapping)
{
	uint64_t at = iova - area->iova;

	if (iova < area->iova || at >= area->used)
		return false;
	at &= ~(l->o.page - 1);
	*mapping = (struct mapping){
		.iova = area->iova + at,
		.size = l->o.page,
		.gpa = area->gpa + at,
		.perm = area->perm,
	};
	return true;
}

static bool translate_ring(const struct layout *l, uint64_t iova, struct mapping *mapping,
			   struct iova_owner *owner)
{
	static const struct {
		enum area area;
		unsigned int bytes_per_queue;
	} rings[] = {
		{AREA_RING, RING_BYTES},
		{AREA_USED, SLOT_SIZE},
	};

	for (unsigned int i = 0; i < 2; i++) {
		const struct area_place *area = &l->areas[rings[i].area];

		if (!layout_area_translate(l, area, iova, mapping))
			continue;
		layout_queue_owner(l, (iova - area->iova) / rings[i].bytes_per_queue, owner);
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
	return translate_ring(l, iova, mapping, owner) ||
	       l->o.map->translate(l, iova, mapping, owner);
}

int layout_area_for_each(const struct layout *l, const struct area_place *area, int device,
			 mapping_fn fn, void *arg)
{
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
		layout_area_translate(l, area, area->iova + at, &mapping);
		result = fn(&mapping, arg);
	}
	return result;
}

int layout_for_each(const struct layout *l, int device, bool fixed_only, mapping_fn fn, void *arg)
{
	int result;

	result = layout_area_for_each(l, &l->areas[AREA_RING], device, fn, arg);
	if (!result)
		result = layout_area_for_each(l, &l->areas[AREA_USED], device, fn, arg);
	if (!result && (l->o.map->is_fixed || !fixed_only))
		result = l->o.map->for_each(l, device, fn, arg);
	return result;
}
