// SPDX-License-Identifier: GPL-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "rate.h"

static void test_rate(void **state)
{
	struct rate rate = {.max = 3, .period_ns = 100};
	unsigned int i;

	(void)state;
	/* The first period begins with the first event, at whatever time. */
	assert_int_equal(rate_wait_ns(&rate, 7), 0);
	for (i = 0; i < 3; i++)
		assert_true(rate_take(&rate, 7 + i));
	assert_false(rate_take(&rate, 10));
	assert_int_equal(rate_wait_ns(&rate, 10), 97);
	assert_false(rate_take(&rate, 106));
	assert_int_equal(rate_wait_ns(&rate, 107), 0);

	/* So does the next. */
	for (i = 0; i < 3; i++)
		assert_true(rate_take(&rate, 150));
	assert_false(rate_take(&rate, 249));
	assert_true(rate_take(&rate, 250));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rate),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
