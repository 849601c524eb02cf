// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "record/data_file.h"
#include "record/names.h"
#include "top/source.h"

static struct record *record, *again;
static char error[DATA_ERROR_MAX];

static int setup(void **state)
{
	(void)state;
	record = record_new();
	again = record_new();
	return record && again ? 0 : -1;
}

static int teardown(void **state)
{
	(void)state;
	free(record);
	free(again);
	return 0;
}

static void fill_counters(struct iotlb_counters *counters, uint64_t seed)
{
	int i;

	for (i = 0; i < IOTLB_NR_COUNTERS; i++)
		if (counter_names[i])
			counters->count[i] = seed * 100 + i;
	for (i = 0; i < IOTLB_LATENCY_BUCKETS; i += 3)
		counters->latency[i] = seed + i;
}

static void fill_timeline(struct timeline *timeline, uint64_t seed)
{
	timeline->bucket_ns = 50000000 * seed;
	timeline->count = 3;
	fill_counters(&timeline->buckets[0], seed);
	fill_counters(&timeline->buckets[2], seed + 1);
}

static void fill_map(struct record_map *map, uint64_t dev)
{
	map->dev = dev;
	map->since_ns = dev * 7;
	fill_timeline(&map->timeline, dev + 1);
	heat_init(&map->heat, 1000000);
	heat_add(&map->heat, 0, 0x1000, IOTLB_EVENT_MISS, 1);
	heat_add(&map->heat, 239000000, 0xfffffffffffff000, IOTLB_EVENT_EVICT, 2);
	heat_add(&map->heat, 5000000, 0x200000000000, IOTLB_EVENT_UPDATE, DATA_COUNT_MAX);
}

static void fill(void)
{
	size_t i;

	strcpy(record->command, "iotlb-bench -m sweep '</script>'");
	record->end = RECORD_END_SIGNAL;
	record->status = 130;
	record->start = 1795283521.25;
	record->duration_ns = 123456789012;
	strcpy(record->machine.kernel, "6.12");
	strcpy(record->machine.cpu, "a \"CPU\" & more");
	record->machine.cpus = 2;
	strcpy(record->machine.toolkit, "v1");
	record->lost_counts = 3;
	record->lost_events = 4;
	record->unavailable = UNAVAILABLE_LATENCY | 1 << IOTLB_EVICT;
	fill_counters(&record->total, 1);
	fill_counters(&record->others, 2);
	record->nr_others = 5;
	fill_timeline(&record->timeline, 3);
	record->nr_devices = 2;
	for (i = 0; i < 2; i++) {
		record->devices[i].id = UINT64_MAX - 1 + i;
		strcpy(record->devices[i].comm, "qemu");
		fill_counters(&record->devices[i].total, 10 + i);
		record->devices[i].count = 2;
		record->devices[i].queues[1].vq = 7;
		record->devices[i].queues[1].asid = 1048575;
		fill_counters(&record->devices[i].queues[1].total, 20 + i);
	}
	record->devices[0].pid = 4711;
	strcpy(record->devices[0].tap, "tap0");
	record->nr_maps = RECORD_MAPS + 1;
	for (i = 0; i < RECORD_MAPS; i++)
		fill_map(&record->maps[i], i + 1);
	fill_map(&record->maps[RECORD_MAPS], 0);
	record->maps[1].asid = UINT32_MAX;
}

static char *text_of(const struct record *of)
{
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);

	assert_non_null(out);
	assert_int_equal(data_write(of, out), 0);
	fclose(out);
	return text;
}

static int read_text(const char *text)
{
	FILE *in = fmemopen((void *)text, strlen(text), "r");
	int err;

	assert_non_null(in);
	memset(again, 0, sizeof(*again));
	err = data_read(again, in, error);
	fclose(in);
	assert_int_equal(!err, !error[0]);
	return err;
}

static void what_is_written_is_read(void **state)
{
	char *text;

	(void)state;
	fill();
	text = text_of(record);
	assert_int_equal(read_text(text), 0);
	assert_memory_equal(record, again, sizeof(*record));
	free(text);
}

static void an_empty_record_is_one(void **state)
{
	char *text = text_of(record);

	(void)state;
	assert_int_equal(read_text(text), 0);
	assert_memory_equal(record, again, sizeof(*record));
	free(text);
}

/* All cells that there may be, each with many digits. */
static void the_largest_record_can_be_read(void **state)
{
	size_t i, row, column, bucket;
	char *text;

	(void)state;
	fill();
	for (i = 0; i < RECORD_MAPS + 1; i++) {
		struct record_map *map = &record->maps[i];

		map->timeline.count = TIMELINE_BUCKETS;
		for (bucket = 0; bucket < TIMELINE_BUCKETS; bucket++) {
			fill_counters(&map->timeline.buckets[bucket], 1000000);
			for (row = 0; row < IOTLB_LATENCY_BUCKETS; row++)
				map->timeline.buckets[bucket].latency[row] = 1000000000;
		}
		map->heat.count = HEAT_ROWS;
		map->heat.columns = HEAT_COLUMNS;
		for (row = 0; row < HEAT_ROWS; row++) {
			map->heat.rows[row].number = 0xfffffff000000 + row;
			for (column = 0; column < HEAT_COLUMNS; column++)
				for (int kind = 0; kind < IOTLB_EVENT_KINDS; kind++)
					map->heat.rows[row].cells[kind][column] = 1000000000;
		}
	}
	record->nr_devices = RECORD_DEVICES;
	for (i = 0; i < RECORD_DEVICES; i++) {
		record->devices[i].id = i + 1;
		record->devices[i].count = RECORD_QUEUES;
		for (row = 0; row < RECORD_QUEUES; row++)
			fill_counters(&record->devices[i].queues[row].total, 1000000);
	}
	text = text_of(record);
	assert_true(strlen(text) < DATA_FILE_MAX / 2);
	assert_int_equal(read_text(text), 0);
	assert_memory_equal(record, again, sizeof(*record));
	free(text);
}

/* Replaces the first @old by @new in a good record. */
static void refuses(const char *old, const char *new, const char *why)
{
	char *text, *at, *bad;

	fill();
	text = text_of(record);
	at = strstr(text, old);
	assert_non_null(at);
	assert_true(asprintf(&bad, "%.*s%s%s", (int)(at - text), text, new, at + strlen(old)) > 0);
	assert_int_equal(read_text(bad), -EINVAL);
	if (!strstr(error, why))
		fail_msg("\"%s\" is not in \"%s\"", why, error);
	free(bad);
	free(text);
}

static void nonsense_is_refused(void **state)
{
	static const char *const bad[] = {
		"",
		" ",
		"[]",
		"null",
		"17",
		"{",
		"{}",
		"{} {}",
		"{\"format\":17}",
		"{\"format\":\"iotlb-record\"}",
		"{\"format\":\"iotlb-record\",\"version\":0}",
		"{\"format\":\"iotlb-record\",\"version\":\"1\"}",
		"\xff\xfe",
		"[[[[[[[[[[[[[[[[[[[[[[",
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		FILE *in = fmemopen(NULL, 4096, "w+");

		assert_non_null(in);
		fputs(bad[i], in);
		rewind(in);
		assert_true(data_read(again, in, error) < 0);
		assert_true(error[0]);
		fclose(in);
	}
}

static void what_is_wrong_is_told(void **state)
{
	(void)state;
	refuses("\"version\":1", "\"version\":2", "newer");
	refuses("\"iotlb-record\"", "\"another\"", "is this file a record");
	refuses("\"end\":\"signal\"", "\"end\":\"war\"", "\"end\" must be");
	refuses("\"status\":130", "\"status\":256", "\"status\"");
	refuses("\"status\":130", "\"status\":-1", "\"status\"");
	refuses("\"duration_ns\":123456789012", "\"duration_ns\":1.5", "\"duration_ns\"");
	refuses("\"start\":1795283521.250", "\"start\":-1", "\"start\"");
	refuses("\"start\":1795283521.250", "\"start\":1e300", "\"start\"");
	refuses("\"pid\":4711", "\"pid\":0", "devices[0]: \"pid\"");
	refuses("\"tap0\"", "\"tap\\u001b0\"", "printable");
	refuses("\"tap0\"", "\"tap\\u00000\"", "printable");
	refuses("\"tap0\"", "\"0123456789abcdef\"", "too long");
	refuses("\"misses\":105", "\"misses\":99999999999999999999999", "\"misses\"");
	refuses("\"granule_log2\":12", "\"granule_log2\":11", "maps[0]: \"granule_log2\"");
	refuses("\"granule_log2\":12", "\"granule_log2\":64", "maps[0]: \"granule_log2\"");
	refuses("\"0x1000\"", "\"0x1001\"", "\"rows\"");
	refuses("\"0x1000\"", "\"0x200000000000\"", "ascend");
	refuses("\"0x1000\"", "4096", "\"rows\"");
	refuses("\"misses\":[[0,0,1]]", "\"misses\":[[240,0,1]]", "maps[0]: \"misses\"");
	refuses("\"misses\":[[0,0,1]]", "\"misses\":[[0,3,1]]", "maps[0]: \"misses\"");
	refuses("\"misses\":[[0,0,1]]", "\"misses\":[[0,0]]", "maps[0]: \"misses\"");
	refuses("\"misses\":[[0,0,1]]", "\"misses\":[17]", "maps[0]: \"misses\"");
	refuses("\"misses\":[[0,0,1]]", "\"misses\":{}", "maps[0]: \"misses\"");
	refuses("\"buckets\":3", "\"buckets\":241", "\"buckets\"");
	refuses("\"buckets\":3", "\"buckets\":2", "\"hits_desc\"");
	refuses("\"bucket_ns\":150000000", "\"bucket_ns\":0", "\"bucket_ns\"");
}

/* They have no member of that name. */
static void records_from_before_accesses_could_fail_are_read(void **state)
{
	static const char name[] = "\"accesses_failed\"", no[] = "\"nothing_of_that\"";
	char *text, *at;

	(void)state;
	fill();
	text = text_of(record);
	for (at = text; (at = strstr(at, name));)
		memcpy(at, no, strlen(no));
	assert_int_equal(read_text(text), 0);
	assert_true(again->unavailable & 1ULL << IOTLB_ACCESS_FAILED);
	assert_int_equal(again->total.count[IOTLB_ACCESS_FAILED], 0);
	assert_int_equal(again->total.count[IOTLB_EVICT], record->total.count[IOTLB_EVICT]);
	assert_int_equal(heat_sum(&again->maps[0].heat, IOTLB_EVENT_EVICT), 2);
	free(text);
}

static void what_is_unknown_is_skipped(void **state)
{
	char *text, *more;

	(void)state;
	fill();
	text = text_of(record);
	assert_true(asprintf(&more, "{\"new\":[1,{\"a\":null}],%s", text + 1) > 0);
	assert_int_equal(read_text(more), 0);
	assert_memory_equal(record, again, sizeof(*record));
	free(more);
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(what_is_written_is_read, setup, teardown),
		cmocka_unit_test_setup_teardown(an_empty_record_is_one, setup, teardown),
		cmocka_unit_test_setup_teardown(the_largest_record_can_be_read, setup, teardown),
		cmocka_unit_test_setup_teardown(nonsense_is_refused, setup, teardown),
		cmocka_unit_test_setup_teardown(what_is_wrong_is_told, setup, teardown),
		cmocka_unit_test_setup_teardown(records_from_before_accesses_could_fail_are_read,
						setup, teardown),
		cmocka_unit_test_setup_teardown(what_is_unknown_is_skipped, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
