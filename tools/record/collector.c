// SPDX-License-Identifier: GPL-2.0
/*
 * What is in another address space than 0 has nothing to do with what has the same
 * addresses elsewhere: "device" here also means each address space of one.
 *
 * A device gets a map of its own when something is first heard of it, as long
 * as there is room. Later a device that has become much more eventful than the
 * least eventful of those with a map takes that one's place, at most once a
 * sample.
 */
#include <stdlib.h>
#include <string.h>

#include "collector.h"
#include "top/format.h"
#include "top/rates.h"

/* What maps show. */
#define COUNTERS_EVENTS                                                                            \
	(COUNTER(MISS) | COUNTER(UPDATE) | COUNTER(INVALIDATE) | COUNTER(EVICT) |                  \
	 COUNTER(ACCESS_FAILED))

void collector_init(struct collector *collector, struct record *record, uint64_t now_ns)
{
	*collector = (struct collector){
		.record = record,
		.start_ns = now_ns,
	};
}

/**
 * struct part - a device, or an address space of one that has several
 * @dev:	number of the device
 * @asid:	the address space
 * @sum:	what happened since the sample before
 * @sum_total:	in all
 */
struct part {
	uint64_t dev;
	uint32_t asid;
	const struct iotlb_counters *sum;
	const struct iotlb_counters *sum_total;
};

/* The part of this number; false if the device has no more. */
static bool part_at(const struct top_device *device, size_t i, struct part *part)
{
	*part = (struct part){device->id, 0, &device->sum, &device->sum_total};
	if (!device->nr_spaces)
		return !i;
	if (i >= device->nr_spaces)
		return false;
	part->asid = device->spaces[i].asid;
	part->sum = &device->spaces[i].sum;
	part->sum_total = &device->spaces[i].sum_total;
	return true;
}

static void map_init(struct record_map *map, uint64_t dev, uint32_t asid, uint64_t since_ns)
{
	memset(map, 0, sizeof(*map));
	map->dev = dev;
	map->asid = asid;
	map->since_ns = since_ns;
	map->timeline.bucket_ns = RECORD_TIMELINE_NS;
	heat_init(&map->heat, RECORD_HEAT_NS);
}

static struct record_map *map_find(struct record *record, uint64_t dev, uint32_t asid)
{
	size_t i;

	for (i = 0; i < record->nr_maps && i < RECORD_MAPS; i++)
		if (record->maps[i].dev == dev && record->maps[i].asid == asid)
			return &record->maps[i];
	return NULL;
}

static struct record_map *map_of_others(struct record *record)
{
	if (record->nr_maps <= RECORD_MAPS) {
		record->nr_maps = RECORD_MAPS + 1;
		map_init(&record->maps[RECORD_MAPS], 0, 0, 0);
	}
	return &record->maps[RECORD_MAPS];
}

static struct record_map *map_get(struct record *record, uint64_t dev, uint32_t asid)
{
	struct record_map *map = map_find(record, dev, asid);

	if (map)
		return map;
	if (record->nr_maps >= RECORD_MAPS)
		return map_of_others(record);
	map = &record->maps[record->nr_maps++];
	map_init(map, dev, asid, 0);
	return map;
}

void collector_event(struct collector *collector, const struct iotlb_event *event)
{
	uint64_t time = event->time > collector->start_ns ? event->time - collector->start_ns : 0;

	/* What vhost has refused has changed nothing. */
	if (event->kind >= IOTLB_EVENT_KINDS ||
	    (event->kind == IOTLB_EVENT_UPDATE && event->verdict))
		return;
	heat_add(&map_get(collector->record, event->dev, event->asid)->heat, time, event->iova,
		 event->kind, 1);
}

static uint64_t weight(const struct part *part)
{
	return counters_sum(part->sum_total, COUNTERS_EVENTS);
}

/* That with the most events of those that have no map; false if all have. */
static bool find_heaviest(struct record *record, const struct top_sample *sample,
			  struct part *heaviest)
{
	bool found = false;
	struct part part;
	size_t i, j;

	for (i = 0; i < sample->count; i++) {
		for (j = 0; part_at(sample->devices[i], j, &part); j++) {
			if (map_find(record, part.dev, part.asid) ||
			    (found && weight(&part) <= weight(heaviest)))
				continue;
			*heaviest = part;
			found = true;
		}
	}
	return found;
}

static void change_places(struct collector *collector, const struct top_sample *sample,
			  uint64_t now)
{
	struct record *record = collector->record;
	struct record_map *others, *map;
	struct part part;
	size_t i, least = 0;

	if (record->nr_maps < RECORD_MAPS || !find_heaviest(record, sample, &part))
		return;
	for (i = 1; i < RECORD_MAPS; i++)
		if (collector->weights[i] < collector->weights[least])
			least = i;
	/* It must be worth it: what was before stays among the others. */
	if (weight(&part) / 2 <= collector->weights[least])
		return;

	map = &record->maps[least];
	others = map_of_others(record);
	timeline_merge(&others->timeline, &map->timeline);
	heat_merge(&others->heat, &map->heat);
	map_init(map, part.dev, part.asid, now);
	collector->weights[least] = weight(&part);
}

static bool any(const struct iotlb_counters *counters)
{
	return counters_sum(counters, COUNTERS_LOOKUPS | COUNTERS_EVENTS);
}

static int by_misses(const void *a, const void *b)
{
	const struct top_device *one = *(const struct top_device **)a;
	const struct top_device *two = *(const struct top_device **)b;
	const uint64_t misses[] = {
		one->sum_total.count[IOTLB_MISS],
		two->sum_total.count[IOTLB_MISS],
	};

	if (misses[0] != misses[1])
		return misses[0] < misses[1] ? 1 : -1;
	return one->id < two->id ? -1 : 1;
}

static int by_id(const void *a, const void *b)
{
	const struct record_device *one = a, *two = b;

	return one->id < two->id ? -1 : one->id > two->id;
}

static void take_device(struct record_device *to, const struct top_device *device)
{
	size_t i;

	to->id = device->id;
	to->pid = device->pid;
	memcpy(to->comm, device->comm, sizeof(to->comm));
	memcpy(to->tap, device->tap, sizeof(to->tap));
	format_printable(to->comm);
	format_printable(to->tap);
	to->total = device->sum_total;
	to->count = device->count < RECORD_QUEUES ? device->count : RECORD_QUEUES;
	for (i = 0; i < to->count; i++) {
		to->queues[i].vq = device->queues[i].vq;
		to->queues[i].asid = device->queues[i].asid;
		to->queues[i].total = device->queues[i].tally.total;
	}
}

/* Devices of which nothing was heard are left out. */
static void take_totals(struct record *record, const struct top_sample *sample)
{
	const struct top_device **devices = calloc(sample->count + 1, sizeof(*devices));
	size_t i, count = 0;

	record->total = sample->sum_total;
	record->others = sample->sum_total;
	if (!devices)
		return;
	for (i = 0; i < sample->count; i++)
		if (any(&sample->devices[i]->sum_total))
			devices[count++] = sample->devices[i];
	qsort(devices, count, sizeof(*devices), by_misses);
	for (i = 0; i < count && i < RECORD_DEVICES; i++) {
		take_device(&record->devices[i], devices[i]);
		counters_subtract(&record->others, &devices[i]->sum_total);
	}
	record->nr_devices = i;
	record->nr_others = count - i;
	qsort(record->devices, record->nr_devices, sizeof(record->devices[0]), by_id);
	free(devices);
}

/*
 * Samples are a little late. They are taken for those of the edge that they
 * were meant for: if some of a sample went to the next bucket, rounding would
 * change the ratio of misses to hits.
 */
static uint64_t edge_before(const struct timeline *timeline, uint64_t time)
{
	const uint64_t late = time % timeline->bucket_ns;

	return late <= timeline->bucket_ns / 4 ? time - late : time;
}

void collector_sample(struct collector *collector, const struct top_sample *sample, uint64_t now_ns)
{
	struct record *record = collector->record;
	const uint64_t now = now_ns - collector->start_ns;
	const uint64_t from = collector->last;
	uint64_t to = edge_before(&record->timeline, now);
	struct record_map *map;
	struct part part;
	size_t i, j;

	if (to < from || sample->final)
		to = now;
	timeline_add(&record->timeline, from, to, &sample->sum);
	for (i = 0; i < sample->count; i++) {
		for (j = 0; part_at(sample->devices[i], j, &part); j++) {
			if (!any(part.sum))
				continue;
			map = map_get(record, part.dev, part.asid);
			timeline_add(&map->timeline, from, to, part.sum);
			if (map != &record->maps[RECORD_MAPS])
				collector->weights[map - record->maps] = weight(&part);
		}
	}
	change_places(collector, sample, now);
	collector->last = to;
	record->duration_ns = now;
	record->unavailable = sample->unavailable;
	record->lost_counts = sample->lost_total;
	if (sample->final)
		take_totals(record, sample);
}
