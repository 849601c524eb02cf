// SPDX-License-Identifier: GPL-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "record/timeline.h"

#define WIDTH 100

static struct timeline timeline;

static int setup(void **state)
{
	(void)state;
	memset(&timeline, 0, sizeof(timeline));
	timeline.bucket_ns = WIDTH;
	return 0;
}

static void add(uint64_t from, uint64_t to, uint64_t misses)
{
	const struct iotlb_counters counters = {
		.count[IOTLB_MISS] = misses,
		.latency[7] = misses * 3,
	};

	timeline_add(&timeline, from, to, &counters);
}

static uint64_t misses(size_t bucket)
{
	assert_int_equal(timeline.buckets[bucket].latency[7],
			 timeline.buckets[bucket].count[IOTLB_MISS] * 3);
	return timeline.buckets[bucket].count[IOTLB_MISS];
}

static uint64_t sum(void)
{
	uint64_t all = 0;
	size_t i;

	for (i = 0; i < TIMELINE_BUCKETS; i++)
		all += timeline.buckets[i].count[IOTLB_MISS];
	return all;
}

static void goes_into_its_bucket(void **state)
{
	(void)state;
	add(0, WIDTH, 5);
	add(WIDTH, 2 * WIDTH, 7);
	assert_int_equal(timeline.count, 2);
	assert_int_equal(misses(0), 5);
	assert_int_equal(misses(1), 7);
}

static void is_spread_over_its_stretch(void **state)
{
	(void)state;
	/* Half of the first, all of the second, a quarter of the third. */
	add(50, 225, 700);
	assert_int_equal(timeline.count, 3);
	assert_int_equal(misses(0), 200);
	assert_int_equal(misses(1), 400);
	assert_int_equal(misses(2), 100);
}

static void nothing_is_lost_by_rounding(void **state)
{
	uint64_t all = 0, i;

	(void)state;
	for (i = 0; i < 100; i++) {
		timeline_add(&timeline, i * 37, (i + 1) * 37,
			     &(struct iotlb_counters){.count[IOTLB_MISS] = i});
		all += i;
	}
	timeline_add(&timeline, 3700, 17777, &(struct iotlb_counters){.count[IOTLB_MISS] = 1});
	assert_int_equal(sum(), all + 1);
}

static void a_moment_counts(void **state)
{
	(void)state;
	add(0, 0, 3);
	add(WIDTH, WIDTH, 4);
	assert_int_equal(misses(0), 3);
	assert_int_equal(misses(1), 4);
}

static void great_counts_do_not_overflow(void **state)
{
	(void)state;
	timeline_add(&timeline, 0, 1000000000000ULL,
		     &(struct iotlb_counters){.count[IOTLB_MISS] = UINT64_MAX});
	assert_int_equal(sum(), UINT64_MAX);
}

static void becomes_wider_when_full(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < TIMELINE_BUCKETS; i++)
		add(i * WIDTH, (i + 1) * WIDTH, i);
	assert_int_equal(timeline.bucket_ns, WIDTH);
	assert_int_equal(timeline.count, TIMELINE_BUCKETS);

	add(TIMELINE_BUCKETS * WIDTH, TIMELINE_BUCKETS * WIDTH + 1, 9);
	assert_int_equal(timeline.bucket_ns, 2 * WIDTH);
	assert_int_equal(timeline.count, TIMELINE_BUCKETS / 2 + 1);
	assert_int_equal(misses(0), 0 + 1);
	assert_int_equal(misses(1), 2 + 3);
	assert_int_equal(misses(TIMELINE_BUCKETS / 2 - 1), 2 * TIMELINE_BUCKETS - 3);
	assert_int_equal(misses(TIMELINE_BUCKETS / 2), 9);
	/* What is not in use is empty. */
	assert_int_equal(misses(TIMELINE_BUCKETS / 2 + 1), 0);
}

static void an_odd_bucket_stays_alone(void **state)
{
	(void)state;
	add(0, WIDTH, 1);
	add(WIDTH, 2 * WIDTH, 2);
	add(2 * WIDTH, 3 * WIDTH, 4);
	timeline_widen(&timeline);
	assert_int_equal(timeline.count, 2);
	assert_int_equal(misses(0), 3);
	assert_int_equal(misses(1), 4);
}

static void a_year_fits(void **state)
{
	const uint64_t day = 86400000000000ULL;
	uint64_t i;

	(void)state;
	timeline.bucket_ns = 50000000;
	for (i = 0; i < 366; i++)
		add(i * day, (i + 1) * day, 11);
	assert_int_equal(sum(), 366 * 11);
	assert_true(timeline.count > TIMELINE_BUCKETS / 2 - 1);
}

static void merging_adds_all(void **state)
{
	static struct timeline other;

	(void)state;
	other.bucket_ns = 4 * WIDTH;
	timeline_add(&other, 0, 4 * WIDTH, &(struct iotlb_counters){.count[IOTLB_MISS] = 5});
	timeline_add(&other, 4 * WIDTH, 8 * WIDTH,
		     &(struct iotlb_counters){.count[IOTLB_MISS] = 6});
	timeline_add(&timeline, 0, 100, &(struct iotlb_counters){.count[IOTLB_MISS] = 1});

	timeline_merge(&timeline, &other);
	assert_int_equal(timeline.bucket_ns, 4 * WIDTH);
	assert_int_equal(timeline.buckets[0].count[IOTLB_MISS], 6);
	assert_int_equal(timeline.buckets[1].count[IOTLB_MISS], 6);
	assert_int_equal(timeline.count, 2);
}

/* Hits, misses and resolved ones of a bucket. */
static void buffers(size_t bucket, uint64_t hits, uint64_t missed, uint64_t resolved)
{
	__u64 *count = timeline.buckets[bucket].count;

	count[IOTLB_HIT_BUFFER] = hits;
	count[IOTLB_MISS_BUFFER] = missed;
	count[IOTLB_RESOLVED_BUFFER] = resolved;
	if (timeline.count <= bucket)
		timeline.count = bucket + 1;
}

static void misses_wait_for_their_retries(void **state)
{
	static const uint64_t want[] = {0, 4, 0, 1, 2, 3, 0, 2};
	size_t i;

	(void)state;
	buffers(0, 0, 1, 0);
	buffers(1, 4, 4, 0);
	/* Nothing is looked up; then the retry. */
	buffers(2, 0, 0, 0);
	buffers(3, 1, 0, 0);
	buffers(4, 10, 2, 0);
	/* No retry follows these. */
	buffers(5, 0, 3, 3);
	buffers(6, 5, 0, 0);
	/* Nor these. */
	buffers(7, 1, 2, 0);
	timeline.buckets[7].count[IOTLB_ACCESS_FAILED] = 2;
	timeline_defer_misses(&timeline);
	for (i = 0; i < sizeof(want) / sizeof(want[0]); i++)
		assert_int_equal(timeline.buckets[i].count[IOTLB_MISS_BUFFER], want[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(goes_into_its_bucket, setup),
		cmocka_unit_test_setup(is_spread_over_its_stretch, setup),
		cmocka_unit_test_setup(nothing_is_lost_by_rounding, setup),
		cmocka_unit_test_setup(a_moment_counts, setup),
		cmocka_unit_test_setup(great_counts_do_not_overflow, setup),
		cmocka_unit_test_setup(becomes_wider_when_full, setup),
		cmocka_unit_test_setup(an_odd_bucket_stays_alone, setup),
		cmocka_unit_test_setup(a_year_fits, setup),
		cmocka_unit_test_setup(merging_adds_all, setup),
		cmocka_unit_test_setup(misses_wait_for_their_retries, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
