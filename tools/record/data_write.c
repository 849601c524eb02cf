// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <inttypes.h>

#include <json-c/json.h>

#include "data_file.h"
#include "names.h"
#include "top/source.h"

static void add(struct json_object *to, const char *name, struct json_object *what)
{
	json_object_object_add(to, name, what);
}

static void add_count(struct json_object *to, const char *name, uint64_t count)
{
	add(to, name, json_object_new_uint64(count));
}

/* "" is not known. */
static void add_text(struct json_object *to, const char *name, const char *text)
{
	add(to, name, text[0] ? json_object_new_string(text) : NULL);
}

static void add_double(struct json_object *to, const char *name, double number)
{
	char text[40];

	snprintf(text, sizeof(text), "%.3f", number);
	add(to, name, json_object_new_double_s(number, text));
}

static void append_count(struct json_object *array, uint64_t count)
{
	json_object_array_add(array, json_object_new_uint64(count));
}

/* Most cells of a grid are 0: only the others, each with its place. */
static void append_cell(struct json_object *cells, uint64_t column, uint64_t row, uint64_t count)
{
	struct json_object *cell;

	if (!count)
		return;
	cell = json_object_new_array_ext(3);
	append_count(cell, column);
	append_count(cell, row);
	append_count(cell, count);
	json_object_array_add(cells, cell);
}

static struct json_object *make_counters(const struct iotlb_counters *counters)
{
	struct json_object *object = json_object_new_object();
	struct json_object *latency = json_object_new_array();
	int i, used = 0;

	for (i = 0; i < IOTLB_NR_COUNTERS; i++)
		if (counter_names[i])
			add_count(object, counter_names[i], counters->count[i]);
	for (i = 0; i < IOTLB_LATENCY_BUCKETS; i++)
		if (counters->latency[i])
			used = i + 1;
	for (i = 0; i < used; i++)
		append_count(latency, counters->latency[i]);
	add(object, LATENCY_NAME, latency);
	return object;
}

static struct json_object *make_device(const struct record_device *device)
{
	struct json_object *object = json_object_new_object();
	struct json_object *queues = json_object_new_array();
	size_t i;

	add_count(object, "dev", device->id);
	add(object, "pid", device->pid ? json_object_new_uint64(device->pid) : NULL);
	add_text(object, "comm", device->comm);
	add_text(object, "tap", device->tap);
	add(object, "total", make_counters(&device->total));
	for (i = 0; i < device->count; i++) {
		struct json_object *queue = json_object_new_object();

		add_count(queue, "vq", device->queues[i].vq);
		add_count(queue, "pasid", device->queues[i].asid);
		add(queue, "total", make_counters(&device->queues[i].total));
		json_object_array_add(queues, queue);
	}
	add(object, "queues", queues);
	return object;
}

/* NULL if all are 0. */
static struct json_object *make_counts(const struct timeline *timeline, int which)
{
	struct json_object *counts = json_object_new_array_ext(timeline->count);
	uint64_t sum = 0;
	size_t i;

	for (i = 0; i < timeline->count; i++) {
		append_count(counts, timeline->buckets[i].count[which]);
		sum += timeline->buckets[i].count[which];
	}
	if (sum)
		return counts;
	json_object_put(counts);
	return NULL;
}

static struct json_object *make_timeline(const struct timeline *timeline)
{
	struct json_object *object = json_object_new_object();
	struct json_object *latency = json_object_new_array();
	struct json_object *counts;
	size_t i;
	int which;

	add_count(object, "bucket_ns", timeline->bucket_ns);
	add_count(object, "buckets", timeline->count);
	for (which = 0; which < IOTLB_NR_COUNTERS; which++) {
		if (!counter_names[which])
			continue;
		counts = make_counts(timeline, which);
		if (counts)
			add(object, counter_names[which], counts);
	}
	for (i = 0; i < timeline->count; i++)
		for (which = 0; which < IOTLB_LATENCY_BUCKETS; which++)
			append_cell(latency, i, which, timeline->buckets[i].latency[which]);
	add(object, LATENCY_NAME, latency);
	return object;
}

static struct json_object *make_cells(const struct heat *heat, enum iotlb_event_kind kind)
{
	struct json_object *cells = json_object_new_array();
	size_t column, row;

	for (row = 0; row < heat->count; row++)
		for (column = 0; column < heat->columns; column++)
			append_cell(cells, column, row, heat->rows[row].cells[kind][column]);
	return cells;
}

static struct json_object *make_heat(const struct heat *heat)
{
	struct json_object *object = json_object_new_object();
	struct json_object *rows = json_object_new_array();
	char address[24];
	size_t row;
	int kind;

	add_count(object, "bucket_ns", heat->bucket_ns);
	add_count(object, "buckets", heat->columns);
	add_count(object, "granule_log2", heat->shift);
	for (row = 0; row < heat->count; row++) {
		snprintf(address, sizeof(address), "0x%" PRIx64, heat_row_iova(heat, row));
		json_object_array_add(rows, json_object_new_string(address));
	}
	add(object, "rows", rows);
	for (kind = 0; kind < IOTLB_EVENT_KINDS; kind++)
		add(object, event_names[kind], make_cells(heat, kind));
	return object;
}

static struct json_object *make_map(const struct record_map *map)
{
	struct json_object *object = json_object_new_object();

	add(object, "dev", map->dev ? json_object_new_uint64(map->dev) : NULL);
	add_count(object, "pasid", map->asid);
	add_count(object, "since_ns", map->since_ns);
	add(object, "time", make_timeline(&map->timeline));
	add(object, "iova", make_heat(&map->heat));
	return object;
}

static struct json_object *make_machine(const struct record_machine *machine)
{
	struct json_object *object = json_object_new_object();

	add_text(object, "kernel", machine->kernel);
	add_text(object, "cpu", machine->cpu);
	add_count(object, "cpus", machine->cpus);
	add_text(object, "vhost", machine->vhost);
	add_text(object, "toolkit", machine->toolkit);
	return object;
}

static struct json_object *make_unavailable(uint64_t unavailable)
{
	struct json_object *list = json_object_new_array();
	int i;

	for (i = 0; i < IOTLB_NR_COUNTERS; i++)
		if (counter_names[i] && unavailable & 1ULL << i)
			json_object_array_add(list, json_object_new_string(counter_names[i]));
	if (unavailable & UNAVAILABLE_LATENCY)
		json_object_array_add(list, json_object_new_string(LATENCY_NAME));
	return list;
}

static void add_run(struct json_object *object, const struct record *record)
{
	add_text(object, "command", record->command);
	add(object, "end", json_object_new_string(end_names[record->end]));
	add(object, "status", record->command[0] ? json_object_new_int(record->status) : NULL);
	add_double(object, "start", record->start);
	add_count(object, "duration_ns", record->duration_ns);
	add(object, "machine", make_machine(&record->machine));
	add_count(object, "lost_counts", record->lost_counts);
	add_count(object, "lost_events", record->lost_events);
	add(object, "unavailable", make_unavailable(record->unavailable));
}

static struct json_object *make_record(const struct record *record)
{
	struct json_object *object = json_object_new_object();
	struct json_object *devices = json_object_new_array();
	struct json_object *others = json_object_new_object();
	struct json_object *maps = json_object_new_array();
	size_t i;

	add(object, "format", json_object_new_string(DATA_FORMAT));
	add_count(object, "version", DATA_VERSION);
	add_run(object, record);
	add(object, "total", make_counters(&record->total));
	for (i = 0; i < record->nr_devices; i++)
		json_object_array_add(devices, make_device(&record->devices[i]));
	add(object, "devices", devices);
	add_count(others, "count", record->nr_others);
	add(others, "total", make_counters(&record->others));
	add(object, "other_devices", others);
	add(object, "time", make_timeline(&record->timeline));
	for (i = 0; i < record->nr_maps; i++)
		json_object_array_add(maps, make_map(&record->maps[i]));
	add(object, "maps", maps);
	return object;
}

int data_write(const struct record *record, FILE *out)
{
	struct json_object *object = make_record(record);
	const char *text = json_object_to_json_string_ext(
		object, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE);

	if (text)
		fprintf(out, "%s\n", text);
	json_object_put(object);
	return text ? 0 : -ENOMEM;
}
