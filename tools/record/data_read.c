// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "data_file.h"
#include "json_file.h"
#include "json_get.h"
#include "names.h"
#include "parse.h"
#include "top/rates.h"
#include "top/source.h"

/* Objects within objects: no record has more. */
#define DEPTH_MAX 8

/* A year is at most 9999. */
#define START_MAX 253402300799.0

/* Records from before accesses could fail do not have it. */
static bool is_missing(struct json_object *counters, int which)
{
	return which == IOTLB_ACCESS_FAILED && !json_has(counters, counter_names[which]);
}

static void read_counters(struct json_reader *reader, struct json_object *object,
			  struct iotlb_counters *counters)
{
	struct json_object *total = json_get_object(reader, object, "total");
	struct json_object *latency;
	size_t i, count;

	for (i = 0; i < IOTLB_NR_COUNTERS; i++)
		if (counter_names[i] && !is_missing(total, i))
			counters->count[i] =
				json_get_count(reader, total, counter_names[i], 0, DATA_COUNT_MAX);
	latency = json_get_array(reader, total, LATENCY_NAME, IOTLB_LATENCY_BUCKETS, &count);
	for (i = 0; i < count; i++)
		counters->latency[i] =
			json_get_element(reader, latency, i, LATENCY_NAME, DATA_COUNT_MAX);
}

struct cell {
	size_t column;
	size_t row;
	uint64_t count;
};

/* Element @index of an array of [column, row, count]. */
static bool read_cell(struct json_reader *reader, struct json_object *cells, size_t index,
		      const char *name, size_t columns, size_t rows, struct cell *cell)
{
	struct json_object *triple = json_object_array_get_idx(cells, index);

	if (!columns || !rows) {
		json_bad(reader, name, "has a cell outside the grid");
		return false;
	}
	cell->column = json_get_element(reader, triple, 0, name, columns - 1);
	cell->row = json_get_element(reader, triple, 1, name, rows - 1);
	cell->count = json_get_element(reader, triple, 2, name, DATA_COUNT_MAX);
	return json_good(reader);
}

static void read_counts(struct json_reader *reader, struct json_object *object,
			struct timeline *timeline, int which)
{
	const char *name = counter_names[which];
	struct json_object *counts;
	size_t i, count;

	counts = json_get_array(reader, object, name, timeline->count, &count);
	for (i = 0; i < count; i++)
		timeline->buckets[i].count[which] =
			json_get_element(reader, counts, i, name, DATA_COUNT_MAX);
}

static void read_timeline(struct json_reader *reader, struct json_object *object,
			  struct timeline *timeline)
{
	struct json_object *latency, *time = json_get_object(reader, object, "time");
	struct cell cell;
	size_t i, count;

	timeline->bucket_ns = json_get_count(reader, time, "bucket_ns", 1, DATA_BUCKET_NS_MAX);
	timeline->count = json_get_count(reader, time, "buckets", 0, TIMELINE_BUCKETS);
	for (i = 0; i < IOTLB_NR_COUNTERS; i++)
		if (counter_names[i] && json_has(time, counter_names[i]))
			read_counts(reader, time, timeline, i);
	latency = json_get_array(reader, time, LATENCY_NAME,
				 TIMELINE_BUCKETS * IOTLB_LATENCY_BUCKETS, &count);
	for (i = 0; i < count && read_cell(reader, latency, i, LATENCY_NAME, timeline->count,
					   IOTLB_LATENCY_BUCKETS, &cell);
	     i++)
		timeline->buckets[cell.column].latency[cell.row] = cell.count;
}

static void read_rows(struct json_reader *reader, struct json_object *object, struct heat *heat)
{
	const uint64_t mask = (1ULL << heat->shift) - 1;
	struct json_object *rows, *row;
	const char *text;
	uint64_t iova;
	size_t i, count;

	rows = json_get_array(reader, object, "rows", HEAT_ROWS, &count);
	for (i = 0; i < count && json_good(reader); i++) {
		row = json_object_array_get_idx(rows, i);
		text = json_object_is_type(row, json_type_string) ? json_object_get_string(row)
								  : "";
		if (!parse_number(text, 0, UINT64_MAX, &iova) || iova & mask)
			json_bad(reader, "rows", "must be addresses, multiples of the granule");
		heat->rows[i].number = iova >> heat->shift;
		if (i && heat->rows[i].number <= heat->rows[i - 1].number)
			json_bad(reader, "rows", "must ascend");
	}
	heat->count = count;
}

static void read_heat(struct json_reader *reader, struct json_object *object, struct heat *heat)
{
	struct json_object *cells, *iova = json_get_object(reader, object, "iova");
	struct cell cell;
	size_t i, count;
	int kind;

	heat->bucket_ns = json_get_count(reader, iova, "bucket_ns", 1, DATA_BUCKET_NS_MAX);
	heat->columns = json_get_count(reader, iova, "buckets", 0, HEAT_COLUMNS);
	heat->shift = json_get_count(reader, iova, "granule_log2", HEAT_SHIFT_MIN, HEAT_SHIFT_MAX);
	if (json_good(reader))
		read_rows(reader, iova, heat);
	for (kind = 0; kind < IOTLB_EVENT_KINDS; kind++) {
		const char *name = event_names[kind];

		/* Nor do the records from before that have these. */
		if (kind == IOTLB_EVENT_FAIL && !json_has(iova, name))
			continue;
		cells = json_get_array(reader, iova, name, HEAT_ROWS * HEAT_COLUMNS, &count);
		for (i = 0; i < count &&
			    read_cell(reader, cells, i, name, heat->columns, heat->count, &cell);
		     i++)
			heat->rows[cell.row].cells[kind][cell.column] = cell.count;
	}
}

/* Of records from before there were address spaces, there is none but 0. */
static uint32_t read_pasid(struct json_reader *reader, struct json_object *object)
{
	return json_has(object, "pasid") ? json_get_count(reader, object, "pasid", 0, UINT32_MAX)
					 : 0;
}

static void read_maps(struct json_reader *reader, struct json_object *object, struct record *record)
{
	struct json_object *maps, *map;
	size_t i, count;

	maps = json_get_array(reader, object, "maps", RECORD_MAPS + 1, &count);
	for (i = 0; i < count && json_good(reader); i++) {
		snprintf(reader->place, sizeof(reader->place), "maps[%zu]", i);
		map = json_object_array_get_idx(maps, i);
		if (json_has(map, "dev"))
			record->maps[i].dev = json_get_count(reader, map, "dev", 1, UINT64_MAX);
		record->maps[i].asid = read_pasid(reader, map);
		record->maps[i].since_ns =
			json_get_count(reader, map, "since_ns", 0, DATA_COUNT_MAX);
		read_timeline(reader, map, &record->maps[i].timeline);
		read_heat(reader, map, &record->maps[i].heat);
	}
	reader->place[0] = '\0';
	record->nr_maps = count;
}

static void read_device(struct json_reader *reader, struct json_object *object,
			struct record_device *device)
{
	struct json_object *queues, *queue;
	size_t i, count;

	device->id = json_get_count(reader, object, "dev", 1, UINT64_MAX);
	if (json_has(object, "pid"))
		device->pid = json_get_count(reader, object, "pid", 1, INT32_MAX);
	json_get_text(reader, object, "comm", device->comm, sizeof(device->comm));
	json_get_text(reader, object, "tap", device->tap, sizeof(device->tap));
	read_counters(reader, object, &device->total);
	queues = json_get_array(reader, object, "queues", RECORD_QUEUES, &count);
	for (i = 0; i < count && json_good(reader); i++) {
		queue = json_object_array_get_idx(queues, i);
		device->queues[i].vq = json_get_count(reader, queue, "vq", 0, UINT32_MAX);
		device->queues[i].asid = read_pasid(reader, queue);
		read_counters(reader, queue, &device->queues[i].total);
	}
	device->count = count;
}

static void read_devices(struct json_reader *reader, struct json_object *object,
			 struct record *record)
{
	struct json_object *devices, *others;
	size_t i, count;

	devices = json_get_array(reader, object, "devices", RECORD_DEVICES, &count);
	for (i = 0; i < count && json_good(reader); i++) {
		snprintf(reader->place, sizeof(reader->place), "devices[%zu]", i);
		read_device(reader, json_object_array_get_idx(devices, i), &record->devices[i]);
	}
	reader->place[0] = '\0';
	record->nr_devices = count;
	others = json_get_object(reader, object, "other_devices");
	record->nr_others = json_get_count(reader, others, "count", 0, DATA_COUNT_MAX);
	read_counters(reader, others, &record->others);
}

static void read_machine(struct json_reader *reader, struct json_object *object,
			 struct record_machine *machine)
{
	struct json_object *from = json_get_object(reader, object, "machine");

	json_get_text(reader, from, "kernel", machine->kernel, sizeof(machine->kernel));
	json_get_text(reader, from, "cpu", machine->cpu, sizeof(machine->cpu));
	machine->cpus = json_get_count(reader, from, "cpus", 0, INT32_MAX);
	json_get_text(reader, from, "vhost", machine->vhost, sizeof(machine->vhost));
	json_get_text(reader, from, "toolkit", machine->toolkit, sizeof(machine->toolkit));
}

static void read_unavailable(struct json_reader *reader, struct json_object *object,
			     struct record *record)
{
	struct json_object *list;
	const char *name;
	size_t i, count;
	int which;

	list = json_get_array(reader, object, "unavailable", IOTLB_NR_COUNTERS, &count);
	for (i = 0; i < count; i++) {
		struct json_object *text = json_object_array_get_idx(list, i);

		name = json_object_is_type(text, json_type_string) ? json_object_get_string(text)
								   : "";
		for (which = 0; which < IOTLB_NR_COUNTERS; which++)
			if (counter_names[which] && !strcmp(name, counter_names[which]))
				record->unavailable |= 1ULL << which;
		if (!strcmp(name, LATENCY_NAME))
			record->unavailable |= UNAVAILABLE_LATENCY;
	}
}

static void read_run(struct json_reader *reader, struct json_object *object, struct record *record)
{
	struct json_object *start = NULL;
	char word[16];
	int end;

	json_get_text(reader, object, "command", record->command, sizeof(record->command));
	json_get_text(reader, object, "end", word, sizeof(word));
	end = parse_word(word, end_names);
	if (end < 0)
		json_bad(reader, "end", "must be \"command\", \"signal\" or \"duration\"");
	else
		record->end = end;
	if (record->command[0])
		record->status = json_get_count(reader, object, "status", 0, 255);
	json_object_object_get_ex(object, "start", &start);
	record->start = json_object_get_double(start);
	/* Also false if it is no number. */
	if (!(record->start >= 0 && record->start <= START_MAX))
		json_bad(reader, "start", "must be seconds since 1970");
	record->duration_ns = json_get_count(reader, object, "duration_ns", 0, DATA_COUNT_MAX);
	read_machine(reader, object, &record->machine);
	record->lost_counts = json_get_count(reader, object, "lost_counts", 0, DATA_COUNT_MAX);
	record->lost_events = json_get_count(reader, object, "lost_events", 0, DATA_COUNT_MAX);
	read_unavailable(reader, object, record);
}

static void read_record(struct json_reader *reader, struct json_object *object,
			struct record *record)
{
	char format[32];

	json_get_text(reader, object, "format", format, sizeof(format));
	if (strcmp(format, DATA_FORMAT))
		json_bad(reader, "format", "must be \"" DATA_FORMAT "\": is this file a record?");
	else if (json_get_count(reader, object, "version", 1, INT32_MAX) > DATA_VERSION)
		json_bad(reader, "version", "is newer than this iotlb-record: use the newer one");
	read_run(reader, object, record);
	read_counters(reader, object, &record->total);
	if (is_missing(json_get_object(reader, object, "total"), IOTLB_ACCESS_FAILED))
		record->unavailable |= COUNTER(ACCESS_FAILED);
	read_devices(reader, object, record);
	read_timeline(reader, object, &record->timeline);
	read_maps(reader, object, record);
}

int data_read(struct record *record, FILE *in, char error[DATA_ERROR_MAX])
{
	struct json_reader reader = {.error = error, .size = DATA_ERROR_MAX};
	struct json_object *object;
	int err;

	error[0] = '\0';
	err = json_file_read(in, DATA_FILE_MAX, DEPTH_MAX, &object, error, DATA_ERROR_MAX);
	if (err)
		return err;
	read_record(&reader, object, record);
	json_object_put(object);
	return error[0] ? -EINVAL : 0;
}
