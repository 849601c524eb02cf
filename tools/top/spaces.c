// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "spaces.h"
#include "tally.h"

static struct top_space *space_find(const struct top_device *device, uint32_t asid)
{
	size_t i;

	for (i = 0; i < device->nr_spaces; i++)
		if (device->spaces[i].asid == asid)
			return &device->spaces[i];
	return NULL;
}

static struct top_space *space_add(struct top_device *device, uint32_t asid)
{
	struct top_space *spaces;
	size_t i;

	spaces = reallocarray(device->spaces, device->nr_spaces + 1, sizeof(*spaces));
	if (!spaces)
		return NULL;
	device->spaces = spaces;
	for (i = 0; i < device->nr_spaces && spaces[i].asid < asid; i++)
		;
	memmove(&spaces[i + 1], &spaces[i], (device->nr_spaces - i) * sizeof(*spaces));
	spaces[i] = (struct top_space){.asid = asid, .state = TOP_GONE};
	device->nr_spaces++;
	return &spaces[i];
}

/* Until there was another one, all was in 0. */
static bool add_first(struct top_device *device)
{
	struct top_space *first = space_add(device, 0);

	if (!first)
		return false;
	first->tally.total = device->tally.total;
	first->sum_total = device->sum_total;
	return true;
}

struct top_space *space_get(struct top_device *device, uint32_t asid)
{
	struct top_space *space;

	if (!device->nr_spaces && !add_first(device))
		return NULL;
	space = space_find(device, asid);
	return space ? space : space_add(device, asid);
}

void spaces_begin(struct top_device *device)
{
	size_t i;

	device->nr_held = 0;
	for (i = 0; i < device->nr_spaces; i++) {
		if (device->spaces[i].state == TOP_HELD)
			device->spaces[i].state = TOP_GONE;
		device->spaces[i].has_entries = false;
		device->spaces[i].tally.now = (struct iotlb_counters){};
	}
}

static void hold(struct top_space *space, uint64_t entries, uint64_t limit)
{
	space->state = TOP_HELD;
	space->has_entries = true;
	space->entries = entries;
	space->limit = limit;
}

int spaces_hold(struct top_device *device, const struct vhost_device *held)
{
	struct top_space *space;
	size_t i;

	device->nr_held = held->nr_spaces;
	for (i = 0; i < held->nr_spaces; i++) {
		device->held[i] = held->spaces[i];
		space = space_get(device, held->spaces[i].asid);
		if (!space)
			return -ENOMEM;
		hold(space, held->spaces[i].entries, held->spaces[i].limit);
	}
	if (device->nr_spaces)
		hold(space_find(device, 0), held->entries, held->limit);
	return 0;
}

/*
 * The kernel knows. When it tells no more, since the device is gone, a miss may have
 * told; and else the virtqueue is where it was.
 */
static void place_queue(const struct top_device *device, struct top_queue *queue)
{
	if (device->state == TOP_HELD)
		queue->asid = vhost_spaces_find(device->held, device->nr_held, queue->vq);
	else if (queue->tally.delta.count[IOTLB_MISS])
		queue->asid = queue->miss_asid;
}

/* What of a device's counts is about no other address space than 0. */
static void tally_rest(const struct top_device *device, struct tally *rest)
{
	struct iotlb_counters before = rest->total;
	size_t i;

	rest->total = device->tally.total;
	counters_subtract(&rest->total, &device->other_spaces);
	for (i = 1; i < device->nr_spaces; i++)
		counters_subtract(&rest->total, &device->spaces[i].tally.total);
	rest->delta = rest->total;
	counters_subtract(&rest->delta, &before);
}

static bool is_idle(const struct top_space *space)
{
	static const struct iotlb_counters nothing;

	return !memcmp(&space->sum, &nothing, sizeof(nothing));
}

int spaces_place(struct top_device *device)
{
	size_t i;

	for (i = 0; i < device->count; i++) {
		place_queue(device, &device->queues[i]);
		if (device->queues[i].asid && !space_get(device, device->queues[i].asid))
			return -ENOMEM;
	}
	return 0;
}

void spaces_end(struct top_device *device)
{
	struct top_space *space;
	size_t i;

	if (!device->nr_spaces)
		return;
	for (i = 1; i < device->nr_spaces; i++)
		tally_end(&device->spaces[i].tally);
	tally_rest(device, &device->spaces[0].tally);
	for (i = 0; i < device->nr_spaces; i++)
		device->spaces[i].sum = device->spaces[i].tally.delta;
	for (i = 0; i < device->count; i++)
		counters_add(&space_find(device, device->queues[i].asid)->sum,
			     &device->queues[i].tally.delta);
	for (i = 0; i < device->nr_spaces; i++) {
		space = &device->spaces[i];
		counters_add(&space->sum_total, &space->sum);
		if (space->state == TOP_RETIRED && !is_idle(space))
			space->state = TOP_GONE;
	}
}

bool space_is_gone(const struct top_device *device, uint32_t asid)
{
	const struct top_space *space = space_find(device, asid);

	return space && space->state == TOP_GONE;
}

bool spaces_any_gone(const struct top_device *device)
{
	size_t i;

	for (i = 0; i < device->nr_spaces; i++)
		if (device->spaces[i].state == TOP_GONE)
			return true;
	return false;
}

/* Is a virtqueue there, as far as is known? */
static bool has_queue(const struct top_device *device, uint32_t asid)
{
	size_t i;

	for (i = 0; i < device->count; i++)
		if (device->queues[i].asid == asid)
			return true;
	return false;
}

void spaces_retire(struct top_device *device)
{
	size_t i, kept = 0, retired = 0;

	for (i = 0; i < device->nr_spaces; i++) {
		if (device->spaces[i].state == TOP_GONE)
			device->spaces[i].state = TOP_RETIRED;
		retired += device->spaces[i].state == TOP_RETIRED;
	}
	for (i = 0; i < device->nr_spaces; i++) {
		const struct top_space *space = &device->spaces[i];

		if (retired > SPACES_RETIRED_MAX && space->asid && space->state == TOP_RETIRED &&
		    !has_queue(device, space->asid)) {
			counters_add(&device->other_spaces, &space->tally.total);
			retired--;
		} else if (kept++ != i) {
			device->spaces[kept - 1] = *space;
		}
	}
	device->nr_spaces = kept;
}
