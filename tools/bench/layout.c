// SPDX-License-Identifier: GPL-2.0
#include "layout.h"

#include <string.h>
#include <linux/vhost_types.h>

#include "map_mode.h"

/*
 * RAM in pieces, as a PC has it, so that whoever translates a GPA has to look
 * at the memory table. All are aligned to the largest granule, but for what no
 * device maps.
 */
#define GPA_VTD 0x10000000ULL
#define GPA_LOW 0x40000000ULL
#define GPA_HIGH 0x100000000ULL
#define GPA_MOST (1ULL << 46) /* half of what a process can have */
#define VTD_MOST (512ULL << 20)

/*
 * IOVAs far from any GPA, and the areas in another order. Sweeps start above
 * them and end at what a page table of five levels can address, four for VT-d;
 * so does what is mapped during the run.
 */
#define IOVA_AREA(n) (0x200000000000ULL + ((uint64_t)(n) << 41))
#define IOVA_SWEEP 0x400000000000ULL
#define IOVA_END (1ULL << 57)
#define IOVA_END_VTD (1ULL << 48)

#define IOVA_END_PROCESS (1ULL << 47) /* the lower half of four levels */

/*
 * Where rings, tables and buffers begin if memory is fragmented: so that the
 * end of a page is within each of them. A used element lies across it, too.
 */
#define DESC_START 2048
#define AVAIL_START (SLOT_SIZE - 256)
#define USED_START (SLOT_SIZE - 1024)
#define TABLE_START (SLOT_SIZE - 16)
#define BUFFER_START (SLOT_SIZE - 36)

static const uint64_t area_iova[NR_AREAS] = {
	[AREA_RING] = IOVA_AREA(2), [AREA_USED] = IOVA_AREA(0), [AREA_INDIRECT] = IOVA_AREA(4),
	[AREA_TX] = IOVA_AREA(3),   [AREA_RX] = IOVA_AREA(1),
};

static const uint32_t area_perm[NR_AREAS] = {
	[AREA_RING] = VHOST_ACCESS_RO,	   [AREA_USED] = VHOST_ACCESS_RW,
	[AREA_INDIRECT] = VHOST_ACCESS_RO, [AREA_TX] = VHOST_ACCESS_RO,
	[AREA_RX] = VHOST_ACCESS_WO,
};

static uint64_t round_up(uint64_t value, uint64_t to)
{
	return (value + to - 1) & ~(to - 1);
}

static uint64_t power_of_two(uint64_t least)
{
	uint64_t power = 1;

	while (power < least)
		power *= 2;
	return power;
}

static unsigned int nr_queues(const struct layout_options *o)
{
	return o->has[DIRECTION_RX] + o->has[DIRECTION_TX];
}

static unsigned int nr_pages(const struct layout_options *o)
{
	return o->fragments ? MOST_PAGES : 1;
}

/* Bytes of a ring part or table. */
static uint64_t part_size(const struct layout *l)
{
	return (uint64_t)l->pages * SLOT_SIZE;
}

static uint64_t iova_end(const struct layout_options *o)
{
	if (o->processes)
		return IOVA_END_PROCESS;
	return o->vtd ? IOVA_END_VTD : IOVA_END;
}

uint64_t layout_most_packets(const struct layout_options *options)
{
	uint64_t queues = (uint64_t)options->devices * nr_queues(options);
	uint64_t each = (iova_end(options) - IOVA_SWEEP) / queues;

	/* Strides are powers of two. */
	each = 1ULL << (63 - __builtin_clzll(each));
	return each / (options->page * nr_pages(options));
}

/*
 * A page that is mapped anew is not one that the address was mapped to just
 * now: else nobody would see that a translation is stale.
 */
static uint64_t nr_buffers(const struct layout *l)
{
	const struct layout_options *o = &l->o;

	if (o->map->is_dynamic)
		return 2 * (uint64_t)o->in_flight + 1;
	if (o->map->kind == MAP_KIND_RANDOM)
		return o->working_set / ((uint64_t)l->queues_per_device * l->pages);
	return o->in_flight;
}

static uint64_t slot_stride(const struct layout *l)
{
	/* One that has a granule of its own can be unmapped on its own. */
	if (l->o.map->is_dynamic && l->o.page > SLOT_SIZE)
		return l->o.page;
	return part_size(l);
}

/* All processes have their buffers at the same addresses. */
static uint64_t iova_of(const struct layout *l, enum area which)
{
	return area_iova[which == AREA_RX && layout_per_queue(l) ? AREA_TX : which];
}

/* Buffers of a direction are those of one virtqueue, other areas have parts for all. */
static uint64_t per_process(const struct layout *l, enum area which, uint64_t per_device)
{
	if (!l->o.processes)
		return 0;
	if (which == AREA_TX || which == AREA_RX || !layout_per_queue(l) || l->o.one_space)
		return per_device;
	return per_device / l->queues_per_device;
}

/* Return: where the area ends. */
static uint64_t place_area(struct layout *l, enum area which, uint64_t gpa, uint64_t per_device)
{
	struct area_place *area = &l->areas[which];

	area->per_device = per_device;
	area->per_process = per_process(l, which, per_device);
	area->used = per_device * l->homes;
	area->size = round_up(area->used, l->o.page);
	area->gpa = gpa;
	area->iova = l->o.identity ? gpa : iova_of(l, which);
	area->perm = area_perm[which];
	return gpa + area->size;
}

static uint64_t buffer_bytes(const struct layout *l, enum direction direction)
{
	return l->o.has[direction] * l->buffers * l->slot_stride;
}

static enum layout_result place_areas(struct layout *l)
{
	uint64_t part = part_size(l) * l->queues_per_device, gpa;

	gpa = place_area(l, AREA_RING, GPA_LOW, 2 * part);
	gpa = place_area(l, AREA_USED, gpa, part);
	gpa = place_area(l, AREA_INDIRECT, gpa, l->o.indirect ? part * l->o.in_flight : 0);
	if (gpa > GPA_HIGH)
		return LAYOUT_NO_MEMORY;
	gpa = place_area(l, AREA_TX, GPA_HIGH, buffer_bytes(l, DIRECTION_TX));
	gpa = place_area(l, AREA_RX, gpa, buffer_bytes(l, DIRECTION_RX));
	return gpa > (l->o.processes ? PROCESSES_GPA_END : GPA_MOST) ? LAYOUT_NO_MEMORY
								     : LAYOUT_GOOD;
}

static enum layout_result place_tables(struct layout *l)
{
	struct area_place *area = &l->areas[AREA_VTD];

	if (!l->o.vtd)
		return LAYOUT_GOOD;
	area->gpa = GPA_VTD;
	area->used = layout_vtd_pages(l) * SLOT_SIZE;
	area->size = area->used;
	return area->size > VTD_MOST ? LAYOUT_NO_TABLES : LAYOUT_GOOD;
}

static bool place_iovas(struct layout *l)
{
	const struct layout_options *o = &l->o;
	uint64_t shares = o->processes ? 1 : o->devices;

	if (o->map->is_dynamic) {
		l->stride = l->unit * power_of_two(layout_dynamic_units(l));
	} else if (o->map->kind == MAP_KIND_SWEEP) {
		if (o->packets > layout_most_packets(o))
			return false;
		l->stride = l->unit * power_of_two(o->packets);
		shares *= l->queues_per_device;
	}
	return l->stride * shares <= iova_end(o) - IOVA_SWEEP;
}

enum layout_result layout_init(struct layout *l, const struct layout_options *options)
{
	enum layout_result result;

	*l = (struct layout){.o = *options};
	l->queues_per_device = nr_queues(options);
	l->homes = options->devices * (options->mortal ? 2 : 1);
	l->pages = nr_pages(options);
	l->unit = options->page * l->pages;
	l->slot_stride = slot_stride(l);
	l->buffers = nr_buffers(l);
	if (options->map->kind == MAP_KIND_RANDOM && l->buffers < 2 * (uint64_t)options->in_flight)
		return LAYOUT_NO_SET;
	result = place_areas(l);
	if (result != LAYOUT_GOOD)
		return result;
	if (!place_iovas(l))
		return LAYOUT_NO_IOVA;
	return place_tables(l);
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

uint64_t layout_dynamic_base(const struct layout *l, unsigned int device)
{
	return IOVA_SWEEP + (l->o.processes ? 0 : device * l->stride);
}

uint64_t layout_dynamic_units(const struct layout *l)
{
	return (uint64_t)l->queues_per_device * l->o.in_flight + FLUSH_BATCH;
}

struct ring_parts layout_ring_parts(const struct layout *l, unsigned int device,
				    enum direction direction)
{
	uint64_t used = layout_queue(l, device, direction) * part_size(l), ring = 2 * used;
	struct ring_parts parts = {
		.desc = {AREA_RING, ring},
		.avail = {AREA_RING, ring + part_size(l)},
		.used = {AREA_USED, used},
	};

	if (l->o.fragments) {
		parts.desc.at += DESC_START;
		parts.avail.at += AVAIL_START;
		parts.used.at += USED_START;
	}
	return parts;
}

struct ring_place layout_ring_iova(const struct layout *l, unsigned int device,
				   enum direction direction)
{
	struct ring_parts parts = layout_ring_parts(l, device, direction);

	return (struct ring_place){
		.desc = layout_iova(l, parts.desc),
		.avail = layout_iova(l, parts.avail),
		.used = layout_iova(l, parts.used),
	};
}

struct place layout_table(const struct layout *l, unsigned int device, enum direction direction,
			  unsigned int nth)
{
	uint64_t number = (uint64_t)layout_queue(l, device, direction) * l->o.in_flight + nth;

	return (struct place){
		.area = AREA_INDIRECT,
		.at = number * part_size(l) + (l->o.fragments ? TABLE_START : 0),
	};
}

struct place layout_buffer(const struct layout *l, unsigned int device, enum direction direction,
			   uint64_t nth)
{
	enum area area = direction == DIRECTION_TX ? AREA_TX : AREA_RX;

	return (struct place){
		.area = area,
		.at = device * l->areas[area].per_device + nth * l->slot_stride +
		      (l->o.fragments ? BUFFER_START : 0),
	};
}

/*
 * The first half of the area has the pages with an odd number, the second the
 * others. So no page lies behind the one before it, even if there are but two.
 */
static uint64_t scattered(const struct area_place *area, uint64_t at)
{
	uint64_t page = at / SLOT_SIZE, half = area->used / SLOT_SIZE / 2;

	page = page / 2 + (page % 2 ? 0 : half);
	return page * SLOT_SIZE + at % SLOT_SIZE;
}

uint64_t layout_gpa(const struct layout *l, struct place place)
{
	const struct area_place *area = &l->areas[place.area];

	return area->gpa + (l->o.fragments ? scattered(area, place.at) : place.at);
}
