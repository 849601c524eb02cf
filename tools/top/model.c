// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "format.h"
#include "model.h"
#include "rates.h"
#include "spaces.h"
#include "tally.h"

/**
 * struct model - all devices
 * @ops:	what samples come from
 * @source:	its state
 * @pid:	only devices of this process matter; 0: all
 * @devices:	by id
 * @count:	elements of @devices
 * @shown:	as many elements, for struct top_sample
 * @forgotten:	what was counted for retired devices beyond MODEL_RETIRED_MAX
 * @start_ns:	when counting began, CLOCK_MONOTONIC
 * @last_ns:	when the sample before was taken
 * @lost:	events lost up to then
 */
struct model {
	const struct source_ops *ops;
	struct source *source;
	pid_t pid;
	struct top_device **devices;
	size_t count;
	const struct top_device **shown;
	struct iotlb_counters forgotten;
	uint64_t start_ns;
	uint64_t last_ns;
	uint64_t lost;
};

static uint64_t clock_ns(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return now.tv_sec * 1000000000ULL + now.tv_nsec;
}

/* Index of the device, or where it belongs if there is none. */
static size_t device_index(const struct model *model, uint64_t id)
{
	size_t low = 0, high = model->count, middle;

	while (low < high) {
		middle = low + (high - low) / 2;
		if (model->devices[middle]->id < id)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static struct top_device *device_find(const struct model *model, uint64_t id)
{
	size_t index = device_index(model, id);

	if (index < model->count && model->devices[index]->id == id)
		return model->devices[index];
	return NULL;
}

static struct top_device *device_add(struct model *model, uint64_t id)
{
	size_t index = device_index(model, id);
	struct top_device *device, **devices;
	const struct top_device **shown;

	devices = reallocarray(model->devices, model->count + 1, sizeof(*devices));
	if (!devices)
		return NULL;
	model->devices = devices;
	shown = reallocarray(model->shown, model->count + 1, sizeof(*shown));
	if (!shown)
		return NULL;
	model->shown = shown;

	device = calloc(1, sizeof(*device));
	if (!device)
		return NULL;
	device->id = id;
	device->state = TOP_GONE;
	strcpy(device->comm, "?");
	memmove(&devices[index + 1], &devices[index], (model->count - index) * sizeof(*devices));
	devices[index] = device;
	model->count++;
	return device;
}

static struct top_device *device_get(struct model *model, uint64_t id)
{
	struct top_device *device = device_find(model, id);

	return device ? device : device_add(model, id);
}

static void device_free(struct top_device *device)
{
	free(device->queues);
	free(device->spaces);
	free(device);
}

static struct top_queue *queue_get(struct top_device *device, uint32_t vq)
{
	struct top_queue *queues;
	size_t i;

	for (i = 0; i < device->count && device->queues[i].vq < vq; i++)
		;
	if (i < device->count && device->queues[i].vq == vq)
		return &device->queues[i];

	queues = reallocarray(device->queues, device->count + 1, sizeof(*queues));
	if (!queues)
		return NULL;
	device->queues = queues;
	memmove(&queues[i + 1], &queues[i], (device->count - i) * sizeof(*queues));
	queues[i] = (struct top_queue){.vq = vq};
	device->count++;
	return &queues[i];
}

/* NULL if memory is short. What is of an address space is of the device, too. */
static struct tally *tally_get(struct top_device *device, const struct source_reading *reading)
{
	struct top_queue *queue;
	struct top_space *space;

	if (reading->vq == IOTLB_VQ_DEVICE)
		return &device->tally;
	if (reading->vq == IOTLB_VQ_SPACE) {
		space = space_get(device, reading->asid);
		return space ? &space->tally : NULL;
	}
	queue = queue_get(device, reading->vq);
	if (!queue)
		return NULL;
	queue->miss_asid = reading->asid;
	return &queue->tally;
}

static void device_begin(struct top_device *device)
{
	size_t i;

	if (device->state == TOP_HELD)
		device->state = TOP_GONE;
	device->has_entries = false;
	device->tally.now = (struct iotlb_counters){};
	for (i = 0; i < device->count; i++)
		device->queues[i].tally.now = (struct iotlb_counters){};
	spaces_begin(device);
}

static bool is_idle(const struct top_device *device)
{
	static const struct iotlb_counters nothing;

	return !memcmp(&device->sum, &nothing, sizeof(nothing));
}

static int device_end(struct top_device *device)
{
	size_t i;
	int err;

	for (i = 0; i < device->count; i++)
		tally_end(&device->queues[i].tally);
	err = spaces_place(device);
	if (err)
		return err;

	tally_end(&device->tally);
	device->sum = device->tally.delta;
	device->sum_total = device->tally.total;
	for (i = 0; i < device->count; i++) {
		counters_add(&device->sum, &device->queues[i].tally.delta);
		counters_add(&device->sum_total, &device->queues[i].tally.total);
	}

	/* Its fd was on its way in a socket, where nobody can see it. */
	if (device->state == TOP_RETIRED && !is_idle(device))
		device->state = TOP_GONE;
	spaces_end(device);
	return 0;
}

static void device_name(struct top_device *device, pid_t pid, const char *comm)
{
	device->pid = pid;
	snprintf(device->comm, sizeof(device->comm), "%s", comm);
	format_printable(device->comm);
}

/*
 * Several processes may hold one device: its owner, and a daemon that answers
 * for it. If one of them has been seen to work for it, that is the owner.
 */
static int take_owner(const struct vhost_device *held, void *arg)
{
	struct model *model = arg;
	struct top_device *device;

	if (!held->has_id)
		return 0;
	device = device_get(model, held->id);
	if (!device)
		return -ENOMEM;

	if (held->pid == model->pid)
		device->wanted = true;
	if (device->tgid ? (uint32_t)held->pid == device->tgid : device->state != TOP_HELD) {
		device_name(device, held->pid, held->comm);
		snprintf(device->path, sizeof(device->path), "%s", held->path);
	}
	/* What is the same whoever holds it. */
	if (held->tap[0])
		memcpy(device->tap, held->tap, sizeof(device->tap));
	device->has_entries = held->has_iotlb;
	device->entries = held->entries;
	device->limit = held->limit;
	device->state = TOP_HELD;
	if (!held->has_iotlb)
		return 0;
	return spaces_hold(device, held);
}

static int take_reading(const struct source_reading *reading, void *arg)
{
	struct model *model = arg;
	struct top_device *device = device_get(model, reading->dev);
	struct tally *tally = NULL;

	if (device)
		tally = tally_get(device, reading);
	if (!tally)
		return -ENOMEM;

	if (reading->tgid && !device->tgid) {
		device->tgid = reading->tgid;
		device->wanted |= (pid_t)reading->tgid == model->pid;
		/* Until now, any process that holds the device was as good. */
		if (device->pid != (pid_t)reading->tgid)
			device_name(device, reading->tgid, reading->comm);
	}
	counters_add(&tally->now, &reading->counters);
	if (reading->vq == IOTLB_VQ_SPACE)
		counters_add(&device->tally.now, &reading->counters);
	return 0;
}

static int take_last_reading(const struct source_reading *reading, void *arg)
{
	struct top_device *device = device_find(arg, reading->dev);
	struct tally *tally = tally_get(device, reading);

	if (!tally)
		return -ENOMEM;
	counters_add(&tally->base, &reading->counters);
	tally->now = (struct iotlb_counters){};
	if (reading->vq == IOTLB_VQ_SPACE)
		counters_add(&device->tally.base, &reading->counters);
	return 0;
}

static bool is_gone(const struct iotlb_thing *thing, void *arg)
{
	struct top_device *device = device_find(arg, thing->dev);

	if (!device)
		return false;
	return device->state == TOP_GONE ||
	       (thing->vq == IOTLB_VQ_SPACE && space_is_gone(device, thing->asid));
}

/* Ids grow, so the device with the least one is the oldest. */
static void forget_oldest(struct model *model, size_t retired)
{
	struct top_device *device;
	size_t i, kept = 0;

	for (i = 0; i < model->count; i++) {
		device = model->devices[i];
		if (device->state != TOP_RETIRED || retired <= MODEL_RETIRED_MAX) {
			model->devices[kept++] = device;
			continue;
		}
		if (device->wanted || !model->pid)
			counters_add(&model->forgotten, &device->sum_total);
		device_free(device);
		retired--;
	}
	model->count = kept;
}

/* What the sample before has shown as gone is not shown again. */
static int retire(struct model *model)
{
	size_t i, retired = 0;
	bool any = false;
	int err;

	for (i = 0; i < model->count; i++)
		any |= model->devices[i]->state == TOP_GONE || spaces_any_gone(model->devices[i]);
	if (!any)
		return 0;

	err = model->ops->reclaim(model->source, is_gone, take_last_reading, model);
	if (err && err != -EOPNOTSUPP)
		return err;

	for (i = 0; i < model->count; i++) {
		if (model->devices[i]->state == TOP_GONE)
			model->devices[i]->state = TOP_RETIRED;
		retired += model->devices[i]->state == TOP_RETIRED;
		spaces_retire(model->devices[i]);
	}
	forget_oldest(model, retired);
	return 0;
}

static int fill_in(struct model *model, struct top_sample *sample)
{
	struct top_device *device;
	size_t i;
	int err;

	sample->devices = model->shown;
	sample->sum_total = model->forgotten;
	for (i = 0; i < model->count; i++) {
		device = model->devices[i];
		err = device_end(device);
		if (err)
			return err;
		if (model->pid && !device->wanted)
			continue;
		counters_add(&sample->sum, &device->sum);
		counters_add(&sample->sum_total, &device->sum_total);
		if (sample->final || device->state != TOP_RETIRED)
			model->shown[sample->count++] = device;
	}
	return 0;
}

static void fill_in_times(struct model *model, struct top_sample *sample)
{
	uint64_t now = clock_ns(CLOCK_MONOTONIC);

	sample->time = (double)clock_ns(CLOCK_REALTIME) / 1e9;
	sample->elapsed = (double)(now - model->start_ns) / 1e9;
	sample->seconds = (double)(now - model->last_ns) / 1e9;
	model->last_ns = now;
}

int model_sample(struct model *model, bool final, struct top_sample *sample)
{
	const struct source_ops *ops = model->ops;
	size_t i;
	int err;

	*sample = (struct top_sample){
		.final = final,
		.unavailable = ops->unavailable(model->source),
	};

	err = retire(model);
	if (err)
		return err;
	if (final)
		ops->stop(model->source);
	for (i = 0; i < model->count; i++)
		device_begin(model->devices[i]);

	/* In this order, see struct source_ops. */
	err = ops->mark(model->source);
	if (!err)
		err = ops->owners(model->source, take_owner, model);
	fill_in_times(model, sample);
	if (!err)
		err = ops->read(model->source, take_reading, model);
	if (!err)
		err = fill_in(model, sample);
	if (err)
		return err;

	sample->lost_total = ops->lost(model->source);
	sample->lost = sample->lost_total - model->lost;
	model->lost = sample->lost_total;
	return 0;
}

struct model *model_new(const struct source_ops *ops, struct source *source, pid_t pid)
{
	struct model *model = calloc(1, sizeof(*model));

	if (!model)
		return NULL;
	model->ops = ops;
	model->source = source;
	model->pid = pid;
	model->start_ns = clock_ns(CLOCK_MONOTONIC);
	model->last_ns = model->start_ns;
	return model;
}

void model_free(struct model *model)
{
	size_t i;

	if (!model)
		return;
	for (i = 0; i < model->count; i++)
		device_free(model->devices[i]);
	free(model->devices);
	free(model->shown);
	free(model);
}
