// SPDX-License-Identifier: GPL-2.0
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "top/history.h"
#include "top/latency_lines.h"
#include "top/spark.h"

static void bars_are_as_high_as_values(void **state)
{
	const double values[] = {0, 0.001, 0.5, 1, NAN, 2};
	char text[SPARK_SIZE(6)];

	(void)state;
	assert_string_equal(spark_make(text, values, 6, 1, true), "▁▂▅█ █");
	assert_string_equal(spark_make(text, values, 6, 1, false), "_.=# #");
}

static void the_greatest_is_the_highest(void **state)
{
	const double values[] = {0, 300, 700};
	char text[SPARK_SIZE(3)];

	(void)state;
	assert_string_equal(spark_make(text, values, 3, 0, true), "▁▄█");
}

static void nothing_is_low(void **state)
{
	const double values[] = {0, 0, NAN};
	char text[SPARK_SIZE(3)];

	(void)state;
	assert_string_equal(spark_make(text, values, 3, 0, true), "▁▁ ");
	assert_string_equal(spark_make(text, values, 0, 0, true), "");
}

static void the_oldest_is_forgotten(void **state)
{
	static struct history history;
	int i;

	(void)state;
	for (i = 0; i < HISTORY_MAX + 3; i++)
		history_add(&history, i, 2 * i);
	assert_int_equal(history.count, HISTORY_MAX);
	assert_float_equal(history.hit_rate[0], 3, 0);
	assert_float_equal(history.misses[HISTORY_MAX - 1], 2 * (HISTORY_MAX + 2), 0);
	assert_int_equal(history_skip(&history, 80), HISTORY_MAX - 80);
	history_clear(&history);
	assert_int_equal(history_skip(&history, 80), 0);
}

static struct latency_lines lines;

static void a_line_is_a_bucket(void **state)
{
	const struct iotlb_counters counters = {.latency = {[9] = 97, [11] = 1}};

	(void)state;
	latency_lines_make(&lines, &counters, 60, 20);
	assert_int_equal(lines.count, 3);
	assert_memory_equal(lines.lines[0], "  <  1.0 us               97  ####", 34);
	assert_int_equal(strlen(lines.lines[0]), 60);
	assert_string_equal(lines.lines[1], "  <  2.0 us                0  ");
	/* However few they are, they are seen. */
	assert_string_equal(lines.lines[2], "  <  4.1 us                1  #");
}

static void the_fastest_share_a_line(void **state)
{
	const struct iotlb_counters counters = {.latency = {[3] = 5, [9] = 6, [10] = 7, [11] = 8}};

	(void)state;
	latency_lines_make(&lines, &counters, 80, 2);
	assert_int_equal(lines.count, 2);
	assert_memory_equal(lines.lines[0], "  <  2.0 us               18  #", 31);
	assert_memory_equal(lines.lines[1], "  <  4.1 us                8  #", 31);
}

static void the_last_bucket_has_no_end(void **state)
{
	const struct iotlb_counters counters = {.latency[IOTLB_LATENCY_BUCKETS - 1] = 3};

	(void)state;
	latency_lines_make(&lines, &counters, 80, 5);
	assert_int_equal(lines.count, 1);
	assert_memory_equal(lines.lines[0], " >=  17M us                3  #", 31);
}

static void without_answers_there_is_no_line(void **state)
{
	const struct iotlb_counters counters = {};

	(void)state;
	latency_lines_make(&lines, &counters, 80, 5);
	assert_int_equal(lines.count, 0);
}

static void any_width_will_do(void **state)
{
	const struct iotlb_counters counters = {.latency[10] = UINT64_MAX};
	unsigned int width;

	(void)state;
	for (width = 1; width < 2 * LATENCY_LINE_SIZE; width++) {
		latency_lines_make(&lines, &counters, width, 1);
		assert_in_range(strlen(lines.lines[0]), 1, width);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bars_are_as_high_as_values),
		cmocka_unit_test(the_greatest_is_the_highest),
		cmocka_unit_test(nothing_is_low),
		cmocka_unit_test(the_oldest_is_forgotten),
		cmocka_unit_test(a_line_is_a_bucket),
		cmocka_unit_test(the_fastest_share_a_line),
		cmocka_unit_test(the_last_bucket_has_no_end),
		cmocka_unit_test(without_answers_there_is_no_line),
		cmocka_unit_test(any_width_will_do),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
