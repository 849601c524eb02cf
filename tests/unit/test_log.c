// SPDX-License-Identifier: GPL-2.0
/* What guests can provoke must not fill the log. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "log.h"

#define SECOND 1000000000ULL
#define START (1000 * SECOND)

static void test_once(void **state)
{
	struct log_limit limit = {.burst = 10, .per_second = 1};
	uint64_t subject = log_subject(1, 2, 3);

	(void)state;
	assert_true(log_limit_allows(&limit, subject, START));
	assert_false(log_limit_allows(&limit, subject, START));
	assert_false(log_limit_allows(&limit, subject, START + 9999 * SECOND));
	assert_true(log_limit_allows(&limit, log_subject(1, 2, 4), START));
	assert_true(log_limit_allows(&limit, log_subject(1, 3, 3), START));
	assert_true(log_limit_allows(&limit, log_subject(2, 2, 3), START));
}

static void test_rate(void **state)
{
	struct log_limit limit = {.burst = 10, .per_second = 2};
	unsigned int i, allowed = 0;

	(void)state;
	for (i = 0; i < 100000; i++)
		allowed += log_limit_allows(&limit, log_subject(1, i, 1), START);
	assert_int_equal(allowed, 10);
	assert_int_equal(limit.held_back, 100000 - 10);

	/* Half a second is too early, then two each second. */
	for (i = 0, allowed = 0; i < 1000; i++)
		allowed += log_limit_allows(&limit, log_subject(2, i, 1), START + SECOND / 2);
	assert_int_equal(allowed, 0);
	for (i = 0; i < 1000; i++)
		allowed += log_limit_allows(&limit, log_subject(3, i, 1), START + 3 * SECOND);
	assert_int_equal(allowed, 6);

	/* Never more than the burst, however long it was quiet. */
	for (i = 0, allowed = 0; i < 1000; i++)
		allowed += log_limit_allows(&limit, log_subject(4, i, 1), UINT64_MAX / 2);
	assert_int_equal(allowed, 10);
}

static void test_held_back_is_not_said(void **state)
{
	struct log_limit limit = {.burst = 1, .per_second = 1};

	(void)state;
	assert_true(log_limit_allows(&limit, log_subject(1, 1, 1), START));
	assert_false(log_limit_allows(&limit, log_subject(1, 2, 1), START));
	assert_true(log_limit_allows(&limit, log_subject(1, 2, 1), START + SECOND));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_once),
		cmocka_unit_test(test_rate),
		cmocka_unit_test(test_held_back_is_not_said),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
