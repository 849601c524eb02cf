// SPDX-License-Identifier: GPL-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "record/collector.h"
#include "top/rates.h"

#define START 1000000000000ULL
#define STEP RECORD_TIMELINE_NS
#define DEVICES 100

static struct record *record;
static struct collector collector;
static struct top_device devices[DEVICES];
static const struct top_device *shown[DEVICES];
static struct top_sample sample;
static uint64_t now;

static int setup(void **state)
{
	size_t i;

	(void)state;
	record = record_new();
	assert_non_null(record);
	now = START;
	collector_init(&collector, record, now);
	memset(devices, 0, sizeof(devices));
	sample = (struct top_sample){.devices = shown};
	for (i = 0; i < DEVICES; i++) {
		devices[i].id = i + 1;
		shown[i] = &devices[i];
	}
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	free(record);
	return 0;
}

static void miss(size_t device, uint64_t count)
{
	devices[device].sum.count[IOTLB_MISS] += count;
	devices[device].sum_total.count[IOTLB_MISS] += count;
	sample.sum.count[IOTLB_MISS] += count;
	sample.sum_total.count[IOTLB_MISS] += count;
	if (sample.count <= device)
		sample.count = device + 1;
}

static void event(size_t device, uint64_t after_ns, enum iotlb_event_kind kind, int verdict)
{
	collector_event(&collector, &(struct iotlb_event){
					    .time = START + after_ns,
					    .dev = device + 1,
					    .iova = 0x1000,
					    .kind = kind,
					    .verdict = verdict,
				    });
}

/* The deltas are those since the sample before. */
static void take(uint64_t after_ns, bool final)
{
	size_t i;

	sample.final = final;
	collector_sample(&collector, &sample, START + after_ns);
	sample.sum = (struct iotlb_counters){};
	for (i = 0; i < DEVICES; i++)
		devices[i].sum = (struct iotlb_counters){};
}

static uint64_t misses_of(const struct timeline *timeline)
{
	uint64_t sum = 0;
	size_t i;

	for (i = 0; i < timeline->count; i++)
		sum += timeline->buckets[i].count[IOTLB_MISS];
	return sum;
}

static void samples_become_a_timeline(void **state)
{
	(void)state;
	miss(0, 10);
	take(STEP, false);
	miss(0, 20);
	take(2 * STEP + 5, false);
	miss(0, 5);
	take(2 * STEP + STEP / 2, true);
	assert_int_equal(record->duration_ns, 2 * STEP + STEP / 2);
	assert_int_equal(record->timeline.count, 3);
	assert_int_equal(record->timeline.buckets[0].count[IOTLB_MISS], 10);
	/* A little late is not the next bucket. */
	assert_int_equal(record->timeline.buckets[1].count[IOTLB_MISS], 20);
	assert_int_equal(record->timeline.buckets[2].count[IOTLB_MISS], 5);
	assert_int_equal(misses_of(&record->maps[0].timeline), 35);
	assert_int_equal(record->nr_devices, 1);
	assert_int_equal(record->devices[0].total.count[IOTLB_MISS], 35);
}

static void what_vhost_refused_is_no_update(void **state)
{
	(void)state;
	event(0, 0, IOTLB_EVENT_UPDATE, 0);
	event(0, 0, IOTLB_EVENT_UPDATE, -116);
	/* Of a miss it tells who was asked. */
	event(0, 0, IOTLB_EVENT_MISS, 1);
	event(0, 0, IOTLB_EVENT_MISS, -14);
	event(0, 0, IOTLB_EVENT_FAIL, 0);
	event(0, 0, IOTLB_EVENT_KINDS, 0);
	assert_int_equal(heat_sum(&record->maps[0].heat, IOTLB_EVENT_UPDATE), 1);
	assert_int_equal(heat_sum(&record->maps[0].heat, IOTLB_EVENT_MISS), 2);
	assert_int_equal(heat_sum(&record->maps[0].heat, IOTLB_EVENT_FAIL), 1);
	assert_int_equal(record->nr_maps, 1);
}

static void those_beyond_the_maps_are_summed(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < RECORD_MAPS + 3; i++)
		event(i, i * 1000000, IOTLB_EVENT_MISS, 0);
	assert_int_equal(record->nr_maps, RECORD_MAPS + 1);
	assert_int_equal(record->maps[0].dev, 1);
	assert_int_equal(record->maps[RECORD_MAPS].dev, 0);
	assert_int_equal(heat_sum(&record->maps[RECORD_MAPS].heat, IOTLB_EVENT_MISS), 3);
}

static void the_eventful_get_a_map(void **state)
{
	const size_t newcomer = RECORD_MAPS;
	uint64_t sum = 0;
	size_t i;

	(void)state;
	for (i = 0; i < RECORD_MAPS; i++) {
		event(i, 0, IOTLB_EVENT_MISS, 0);
		miss(i, 10 + i);
	}
	take(STEP, false);
	/* Not worth it. */
	miss(newcomer, 20);
	take(2 * STEP, false);
	assert_int_equal(record->maps[0].dev, 1);
	miss(newcomer, 2);
	take(3 * STEP, false);
	assert_int_equal(record->maps[0].dev, newcomer + 1);
	assert_int_equal(record->maps[0].since_ns, 3 * STEP);
	miss(newcomer, 100);
	miss(0, 1);
	take(4 * STEP, false);
	assert_int_equal(misses_of(&record->maps[0].timeline), 100);
	/* The device that was there before, and what the newcomer had before. */
	assert_int_equal(misses_of(&record->maps[RECORD_MAPS].timeline), 10 + 22 + 1);
	assert_int_equal(heat_sum(&record->maps[RECORD_MAPS].heat, IOTLB_EVENT_MISS), 1);
	for (i = 0; i < record->nr_maps; i++)
		sum += misses_of(&record->maps[i].timeline);
	assert_int_equal(sum, misses_of(&record->timeline));
}

static void address_spaces_have_maps_of_their_own(void **state)
{
	struct top_space spaces[] = {
		{.sum.count[IOTLB_MISS] = 3, .sum_total.count[IOTLB_MISS] = 3},
		{.asid = 9, .sum.count[IOTLB_MISS] = 4, .sum_total.count[IOTLB_MISS] = 4},
	};
	struct iotlb_event same = {.time = START, .dev = 1, .iova = 0x1000};

	(void)state;
	collector_event(&collector, &same);
	same.asid = 9;
	collector_event(&collector, &same);
	collector_event(&collector, &same);
	devices[0].spaces = spaces;
	devices[0].nr_spaces = 2;
	miss(0, 7);
	take(STEP, false);
	assert_int_equal(record->nr_maps, 2);
	assert_int_equal(record->maps[0].asid, 0);
	assert_int_equal(heat_sum(&record->maps[0].heat, IOTLB_EVENT_MISS), 1);
	assert_int_equal(misses_of(&record->maps[0].timeline), 3);
	assert_int_equal(record->maps[1].dev, 1);
	assert_int_equal(record->maps[1].asid, 9);
	assert_int_equal(heat_sum(&record->maps[1].heat, IOTLB_EVENT_MISS), 2);
	assert_int_equal(misses_of(&record->maps[1].timeline), 4);
	/* It is one device all the same. */
	assert_int_equal(misses_of(&record->timeline), 7);
}

static void the_table_has_those_with_the_most_misses(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < DEVICES; i++)
		miss(i, i % 2 ? 1000 + i : 1);
	/* One of which nothing was heard. */
	devices[7].sum_total.count[IOTLB_MISS] = 0;
	sample.sum_total.count[IOTLB_MISS] -= 1007;
	take(STEP, true);
	assert_int_equal(record->nr_devices, RECORD_DEVICES);
	assert_int_equal(record->nr_others, DEVICES - 1 - RECORD_DEVICES);
	assert_int_equal(record->others.count[IOTLB_MISS], record->nr_others);
	for (i = 1; i < record->nr_devices; i++)
		assert_true(record->devices[i - 1].id < record->devices[i].id);
	assert_non_null(record_device(record, DEVICES));
	assert_null(record_device(record, 8));
	assert_null(record_device(record, DEVICES - 1));
}

static void names_are_printable(void **state)
{
	(void)state;
	miss(0, 1);
	strcpy(devices[0].comm, "a\033[2Jb\n");
	strcpy(devices[0].tap, "tap0");
	take(STEP, true);
	assert_string_equal(record->devices[0].comm, "a?[2Jb?");
	assert_string_equal(record->devices[0].tap, "tap0");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(samples_become_a_timeline, setup, teardown),
		cmocka_unit_test_setup_teardown(what_vhost_refused_is_no_update, setup, teardown),
		cmocka_unit_test_setup_teardown(those_beyond_the_maps_are_summed, setup, teardown),
		cmocka_unit_test_setup_teardown(the_eventful_get_a_map, setup, teardown),
		cmocka_unit_test_setup_teardown(address_spaces_have_maps_of_their_own, setup,
						teardown),
		cmocka_unit_test_setup_teardown(the_table_has_those_with_the_most_misses, setup,
						teardown),
		cmocka_unit_test_setup_teardown(names_are_printable, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
