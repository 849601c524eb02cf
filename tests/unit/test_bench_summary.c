// SPDX-License-Identifier: GPL-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "bench/summary.h"

static void hit_rate_needs_misses_of_our_own(void **state)
{
	static struct summary sum = {.found = 1000};
	double rate;

	(void)state;
	/* Another process serves. */
	assert_false(summary_hit_rate(&sum, &rate));
	/* We serve, but have seen none: perhaps a program took them. */
	sum.knows_misses = true;
	assert_false(summary_hit_rate(&sum, &rate));
	/* Fewer than there must have been: some were taken. */
	sum.misses.buffer = 10;
	sum.compulsory = 11;
	assert_false(summary_hit_rate(&sum, &rate));
	sum.compulsory = 10;
	assert_true(summary_hit_rate(&sum, &rate));
	assert_float_equal(rate, 0.99, 1e-9);
}

static void hit_rate_is_never_negative(void **state)
{
	static struct summary sum = {
		.found = 100,
		.compulsory = 100,
		.knows_misses = true,
		.misses.buffer = 104,
	};
	double rate = 1;

	(void)state;
	assert_true(summary_hit_rate(&sum, &rate));
	assert_float_equal(rate, 0, 1e-9);
	/* Nothing was looked up. */
	sum.found = 0;
	assert_false(summary_hit_rate(&sum, &rate));
}

static void any_trouble_is_not_good(void **state)
{
	static struct summary sum;

	(void)state;
	assert_true(summary_is_good(&sum));
	sum.lost = 1;
	assert_false(summary_is_good(&sum));
	sum.lost = 0;
	sum.counts.corrupted = 1;
	assert_false(summary_is_good(&sum));
	sum.counts.corrupted = 0;
	sum.stuck = 1;
	assert_false(summary_is_good(&sum));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(hit_rate_needs_misses_of_our_own),
		cmocka_unit_test(hit_rate_is_never_negative),
		cmocka_unit_test(any_trouble_is_not_good),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
