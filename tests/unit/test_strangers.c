// SPDX-License-Identifier: GPL-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "strangers.h"

static struct strangers strangers;

static int prepare(void **state)
{
	(void)state;
	strangers = (struct strangers){};
	return 0;
}

static void test_ignored(void **state)
{
	(void)state;
	assert_false(strangers_know(&strangers, 7, 1));
	strangers_ignore(&strangers, 7, 100);
	assert_true(strangers_know(&strangers, 7, 99));
	assert_false(strangers_want(&strangers, 7));
	assert_false(strangers_know(&strangers, 7, 100));
	assert_false(strangers_know(&strangers, 8, 99));
	assert_int_equal(strangers.wanted, 0);
}

static void test_wanted(void **state)
{
	size_t slot = 0;

	(void)state;
	strangers_add(&strangers, 9);
	strangers_add(&strangers, 7);
	strangers_add(&strangers, 7);
	assert_int_equal(strangers.wanted, 2);
	assert_true(strangers_know(&strangers, 7, 1));
	assert_true(strangers_want(&strangers, 7));
	assert_false(strangers_want(&strangers, 8));

	assert_int_equal(strangers_next_wanted(&strangers, &slot), 7);
	strangers_ignore(&strangers, 7, 100);
	assert_int_equal(strangers.wanted, 1);
	assert_int_equal(strangers_next_wanted(&strangers, &slot), 9);
	strangers_ignore(&strangers, 9, 0);
	assert_int_equal(strangers.wanted, 0);
	assert_false(strangers_know(&strangers, 9, 0));
}

/* One takes the slot of the other, and the count stays right. */
static void test_same_slot(void **state)
{
	const uint64_t other = 7 + STRANGERS_SLOTS;

	(void)state;
	strangers_add(&strangers, 7);
	strangers_add(&strangers, other);
	assert_int_equal(strangers.wanted, 1);
	assert_false(strangers_want(&strangers, 7));
	assert_true(strangers_want(&strangers, other));
	strangers_ignore(&strangers, 7, 100);
	assert_int_equal(strangers.wanted, 0);
	assert_false(strangers_know(&strangers, other, 1));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_ignored, prepare),
		cmocka_unit_test_setup(test_wanted, prepare),
		cmocka_unit_test_setup(test_same_slot, prepare),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
