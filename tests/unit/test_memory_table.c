// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "memory_table.h"

static const char fdinfo[] = "pos:\t0\n"
			     "flags:\t02100002\n"
			     "vhost-id:\t7\n"
			     "vhost-iotlb:\t12 2048\n"
			     "vhost-mem:\t0x100000000 0x40000000 0x7f0040000000\n"
			     "vhost-mem:\t0x0 0xa0000 0x7f0000000000\n"
			     "vhost-mem:\t0xc0000 0x1000 0x7f00000c0000\n";

static void test_parse(void **state)
{
	struct memory_table table = {};

	(void)state;
	assert_int_equal(memory_table_parse(&table, fdinfo), 0);
	assert_int_equal(table.count, 3);
	assert_int_equal(table.regions[0].gpa, 0);
	assert_int_equal(table.regions[0].last, 0x9ffff);
	assert_int_equal(table.regions[0].hva, 0x7f0000000000);
	assert_int_equal(table.regions[1].gpa, 0xc0000);
	assert_int_equal(table.regions[2].gpa, 0x100000000);
	assert_int_equal(table.regions[2].last, 0x13fffffff);
	memory_table_clear(&table);
	assert_int_equal(table.count, 0);
}

static void test_no_regions(void **state)
{
	struct memory_table table = {};

	(void)state;
	assert_int_equal(memory_table_parse(&table, fdinfo), 0);
	assert_int_equal(memory_table_parse(&table, "vhost-id:\t7\n"), 0);
	assert_int_equal(table.count, 0);
	assert_null(memory_table_find(&table, 0));
	assert_int_equal(memory_table_parse(&table, ""), 0);
}

static void assert_strange(const char *text)
{
	struct memory_table table = {};

	assert_int_equal(memory_table_parse(&table, fdinfo), 0);
	assert_int_equal(memory_table_parse(&table, text), -EPROTO);
	/* What was there before is still there. */
	assert_int_equal(table.count, 3);
	memory_table_clear(&table);
}

static void test_strange_lines(void **state)
{
	(void)state;
	assert_strange("vhost-mem:\t0x0 0x0 0x0\n");
	assert_strange("vhost-mem:\t0x0 0x1000\n");
	assert_strange("vhost-mem:\t0x0 0x1000 0x0 0x0\n");
	assert_strange("vhost-mem:\t0x0 0x1000 zero\n");
	assert_strange("vhost-mem:\t-1 0x1000 0x0\n");
	assert_strange("vhost-mem:\t0x0 +1 0x0\n");
	assert_strange("vhost-mem:\t0x0x1 0x1000 0x0\n");
	assert_strange("vhost-mem:\t0x0,0x1000,0x0\n");
	assert_strange("vhost-mem:\t0x 0x1000 0x0\n");
	assert_strange("vhost-mem:\n");
	assert_strange("vhost-mem:");
	assert_strange("vhost-mem:\t0x10000000000000000 0x1000 0x0\n");
	assert_strange("vhost-mem:\t0xffffffffffffffff 0x2 0x0\n");
	assert_strange("vhost-mem:\t0x0 0x2 0xffffffffffffffff\n");
	/* One that is good does not help. */
	assert_strange("vhost-mem:\t0x0 0x1000 0x0\nvhost-mem:\t0x1000 0x0 0x0\n");
	/* A line does not go on in the next one. */
	assert_strange("vhost-mem:\t0x0 0x1000\n0x0\n");
}

static void test_ends_of_the_address_space(void **state)
{
	struct memory_table table = {};
	const struct memory_region *region;

	(void)state;
	assert_int_equal(
		memory_table_parse(&table, "vhost-mem:\t0xfffffffffffff000 0x1000 0x5000\n"), 0);
	region = memory_table_find(&table, UINT64_MAX);
	assert_non_null(region);
	assert_int_equal(region->last, UINT64_MAX);
	assert_null(memory_table_find(&table, 0));
	assert_null(memory_table_find(&table, 0xffffffffffffefff));
	memory_table_clear(&table);
}

static void test_find(void **state)
{
	struct memory_table table = {};

	(void)state;
	assert_int_equal(memory_table_parse(&table, fdinfo), 0);
	assert_ptr_equal(memory_table_find(&table, 0), &table.regions[0]);
	assert_ptr_equal(memory_table_find(&table, 0x9ffff), &table.regions[0]);
	assert_null(memory_table_find(&table, 0xa0000));
	assert_null(memory_table_find(&table, 0xbffff));
	assert_ptr_equal(memory_table_find(&table, 0xc0fff), &table.regions[1]);
	assert_null(memory_table_find(&table, 0xc1000));
	assert_null(memory_table_find(&table, UINT64_MAX));
	memory_table_clear(&table);
}

static bool keeps(const char *now, const char *old)
{
	struct memory_table a = {}, b = {};
	bool ret;

	assert_int_equal(memory_table_parse(&a, now), 0);
	assert_int_equal(memory_table_parse(&b, old), 0);
	ret = memory_table_keeps(&a, &b);
	memory_table_clear(&a);
	memory_table_clear(&b);
	return ret;
}

#define LOW "vhost-mem:\t0x0 0x1000 0x10000\n"
#define LOW_LONGER "vhost-mem:\t0x0 0x2000 0x10000\n"
#define LOW_SHORTER "vhost-mem:\t0x0 0x800 0x10000\n"
#define LOW_MOVED "vhost-mem:\t0x0 0x1000 0x20000\n"
#define HIGH "vhost-mem:\t0x8000 0x1000 0x30000\n"

static void test_keeps(void **state)
{
	(void)state;
	assert_true(keeps("", ""));
	assert_true(keeps(LOW, ""));
	assert_true(keeps(LOW, LOW));
	assert_true(keeps(LOW HIGH, LOW));
	assert_true(keeps(LOW HIGH, HIGH));
	assert_true(keeps(HIGH LOW, LOW HIGH));
	assert_true(keeps(LOW_LONGER, LOW));
	assert_false(keeps("", LOW));
	assert_false(keeps(HIGH, LOW));
	assert_false(keeps(LOW, HIGH));
	assert_false(keeps(LOW_SHORTER, LOW));
	assert_false(keeps(LOW_MOVED, LOW));
	assert_false(keeps(LOW_MOVED HIGH, LOW HIGH));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_parse),
		cmocka_unit_test(test_no_regions),
		cmocka_unit_test(test_strange_lines),
		cmocka_unit_test(test_ends_of_the_address_space),
		cmocka_unit_test(test_find),
		cmocka_unit_test(test_keeps),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
