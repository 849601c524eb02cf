// SPDX-License-Identifier: GPL-2.0
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "top/rates.h"

static void no_hit_rate_without_lookups(void **state)
{
	struct iotlb_counters counters = {};

	(void)state;
	assert_true(isnan(counters_hit_rate(&counters)));
	assert_true(isnan(counters_buffer_hit_rate(&counters)));
	/* A miss that nobody has answered yet has not been tried again. */
	counters.count[IOTLB_MISS] = 1;
	assert_true(isnan(counters_hit_rate(&counters)));
}

static void retries_are_no_merit(void **state)
{
	struct iotlb_counters counters = {
		.count[IOTLB_HIT_BUFFER] = 1000,
		.count[IOTLB_MISS] = 1000,
		.count[IOTLB_MISS_BUFFER] = 1000,
	};

	(void)state;
	/* Raw hits would make it one half. */
	assert_float_equal(counters_hit_rate(&counters), 0, 0);
	counters.count[IOTLB_MISS] = 250;
	assert_float_equal(counters_hit_rate(&counters), 0.75, 1e-9);
	counters.count[IOTLB_MISS] = 0;
	assert_float_equal(counters_hit_rate(&counters), 1, 0);
}

static void resolved_misses_have_no_retry(void **state)
{
	const struct iotlb_counters counters = {
		.count[IOTLB_HIT_DESC] = 100,
		.count[IOTLB_HIT_BUFFER] = 100,
		.count[IOTLB_MISS] = 300,
		.count[IOTLB_MISS_BUFFER] = 300,
		.count[IOTLB_RESOLVED] = 300,
		.count[IOTLB_RESOLVED_BUFFER] = 300,
	};

	(void)state;
	/* A hit for each three misses. */
	assert_float_equal(counters_buffer_hit_rate(&counters), 0.25, 1e-9);
	assert_float_equal(counters_hit_rate(&counters), 0.4, 1e-9);
}

static void failed_accesses_have_no_retry(void **state)
{
	const struct iotlb_counters counters = {
		.count[IOTLB_HIT_DESC] = 100,
		.count[IOTLB_HIT_BUFFER] = 100,
		.count[IOTLB_MISS] = 100,
		.count[IOTLB_MISS_BUFFER] = 100,
		.count[IOTLB_ACCESS_FAILED] = 100,
	};

	(void)state;
	/* As many as hit. */
	assert_float_equal(counters_buffer_hit_rate(&counters), 0.5, 1e-9);
	assert_float_equal(counters_hit_rate(&counters), 2.0 / 3, 1e-9);
}

static void rings_do_not_flatter_buffers(void **state)
{
	const struct iotlb_counters counters = {
		.count[IOTLB_HIT_DESC] = 100,
		.count[IOTLB_HIT_AVAIL] = 100,
		.count[IOTLB_HIT_USED] = 100,
		.count[IOTLB_HIT_BUFFER] = 100,
		.count[IOTLB_MISS] = 100,
		.count[IOTLB_MISS_BUFFER] = 100,
	};

	(void)state;
	assert_float_equal(counters_hit_rate(&counters), 0.75, 1e-9);
	assert_float_equal(counters_buffer_hit_rate(&counters), 0, 0);
}

static void hit_rate_is_never_negative(void **state)
{
	const struct iotlb_counters counters = {
		.count[IOTLB_HIT_BUFFER] = 10,
		.count[IOTLB_MISS] = 12,
	};

	(void)state;
	assert_float_equal(counters_hit_rate(&counters), 0, 0);
}

static void no_percentile_without_answers(void **state)
{
	const struct iotlb_counters counters = {.count[IOTLB_MISS] = 3};

	(void)state;
	assert_true(isnan(latency_percentile(&counters, 0.5)));
}

static void percentile_is_spread_over_its_bucket(void **state)
{
	struct iotlb_counters counters = {.latency[10] = 4};

	(void)state;
	/* 1024 to 2048: a quarter each. */
	assert_float_equal(latency_percentile(&counters, 0.25), 1280, 1e-6);
	assert_float_equal(latency_percentile(&counters, 0.5), 1536, 1e-6);
	assert_float_equal(latency_percentile(&counters, 0.99), 2048, 1e-6);

	/* Between two that are far apart. */
	counters = (struct iotlb_counters){.latency[10] = 99, .latency[20] = 1};
	assert_float_equal(latency_percentile(&counters, 0.99), 2048, 1e-6);
	assert_float_equal(latency_percentile(&counters, 0.995), 2097152, 1e-6);
}

static void first_and_last_bucket_have_percentiles(void **state)
{
	struct iotlb_counters counters = {.latency[0] = 1};

	(void)state;
	assert_float_equal(latency_percentile(&counters, 0.5), 2, 1e-6);
	counters = (struct iotlb_counters){.latency[IOTLB_LATENCY_BUCKETS - 1] = 1};
	assert_float_equal(latency_percentile(&counters, 0.5),
			   (double)(1ULL << IOTLB_LATENCY_BUCKETS), 1);
}

static void sums_choose_counters(void **state)
{
	const struct iotlb_counters counters = {
		.count =
			{
				[IOTLB_HIT_DESC] = 1,
				[IOTLB_HIT_AVAIL] = 2,
				[IOTLB_HIT_USED] = 4,
				[IOTLB_HIT_BUFFER] = 8,
				[IOTLB_MISS] = 16,
				[IOTLB_EVICT] = 2048,
			},
	};

	(void)state;
	assert_int_equal(counters_sum(&counters, COUNTERS_HITS_META), 7);
	assert_int_equal(counters_sum(&counters, COUNTERS_LOOKUPS), 31);
	assert_int_equal(counters_sum(&counters, COUNTER(EVICT)), 2048);
}

static void difference_undoes_sum(void **state)
{
	struct iotlb_counters sum = {.count[IOTLB_MISS] = 5, .latency[3] = 7};
	const struct iotlb_counters other = {.count[IOTLB_MISS] = 2, .latency[3] = 1};

	(void)state;
	counters_add(&sum, &other);
	assert_int_equal(sum.count[IOTLB_MISS], 7);
	assert_int_equal(sum.latency[3], 8);
	counters_subtract(&sum, &other);
	assert_int_equal(sum.count[IOTLB_MISS], 5);
	assert_int_equal(sum.latency[3], 7);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_hit_rate_without_lookups),
		cmocka_unit_test(retries_are_no_merit),
		cmocka_unit_test(resolved_misses_have_no_retry),
		cmocka_unit_test(failed_accesses_have_no_retry),
		cmocka_unit_test(rings_do_not_flatter_buffers),
		cmocka_unit_test(hit_rate_is_never_negative),
		cmocka_unit_test(no_percentile_without_answers),
		cmocka_unit_test(percentile_is_spread_over_its_bucket),
		cmocka_unit_test(first_and_last_bucket_have_percentiles),
		cmocka_unit_test(sums_choose_counters),
		cmocka_unit_test(difference_undoes_sum),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
