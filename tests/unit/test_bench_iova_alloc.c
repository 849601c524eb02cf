// SPDX-License-Identifier: GPL-2.0
/* Addresses for what is mapped during the run, and buffers by chance. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "bench/iova_alloc.h"
#include "bench/working_set.h"

static void from_the_top_and_then_none(void **state)
{
	struct iova_alloc a;

	(void)state;
	assert_int_equal(iova_alloc_init(&a, 0x10000, 0x2000, 3), 0);
	assert_true(iova_alloc_get(&a) == 0x14000);
	assert_true(iova_alloc_get(&a) == 0x12000);
	assert_true(iova_alloc_get(&a) == 0x10000);
	assert_true(iova_alloc_get(&a) == IOVA_NONE);
	iova_alloc_put(&a, 0x12000);
	assert_true(iova_alloc_get(&a) == 0x12000);
	assert_true(iova_alloc_get(&a) == IOVA_NONE);
	iova_alloc_free(&a);
}

static void what_came_back_last_goes_first(void **state)
{
	struct iova_alloc a;

	(void)state;
	assert_int_equal(iova_alloc_init(&a, 0, 0x1000, 16), 0);
	for (int i = 0; i < 4; i++)
		iova_alloc_get(&a);
	iova_alloc_put(&a, 0xf000);
	iova_alloc_put(&a, 0xd000);
	assert_true(iova_alloc_get(&a) == 0xd000);
	assert_true(iova_alloc_get(&a) == 0xf000);
	assert_true(iova_alloc_get(&a) == 0xb000);
	iova_alloc_free(&a);
}

static void none_is_handed_out_twice(void **state)
{
	static bool is_out[64];
	uint64_t held[64], n = 0;
	struct iova_alloc a;

	(void)state;
	srandom(2);
	assert_int_equal(iova_alloc_init(&a, 0x400000000000, 0x1000, 64), 0);
	for (int i = 0; i < 10000; i++) {
		uint64_t which, number;

		if (n < 64 && random() % 2) {
			held[n] = iova_alloc_get(&a);
			number = (held[n++] - 0x400000000000) / 0x1000;
			assert_in_range(number, 0, 63);
			assert_false(is_out[number]);
			is_out[number] = true;
		} else if (n) {
			which = random() % n;
			is_out[(held[which] - 0x400000000000) / 0x1000] = false;
			iova_alloc_put(&a, held[which]);
			held[which] = held[--n];
		}
	}
	iova_alloc_free(&a);
}

static void choices_are_random_and_the_same_again(void **state)
{
	struct working_set a, b, other;
	uint64_t held[8] = {0}, seen[100] = {0}, differ = 0;

	(void)state;
	assert_int_equal(working_set_init(&a, 100, 1, 0), 0);
	assert_int_equal(working_set_init(&b, 100, 1, 0), 0);
	assert_int_equal(working_set_init(&other, 100, 1, 1), 0);
	for (int i = 0; i < 100000; i++) {
		uint64_t nth = working_set_take(&a), mine = working_set_take(&other);

		assert_in_range(nth, 0, 99);
		assert_int_equal(nth, working_set_take(&b));
		differ += nth != mine;
		working_set_put(&other, mine);
		/* Eight are taken at a time. */
		if (i >= 8) {
			working_set_put(&a, held[i % 8]);
			working_set_put(&b, held[i % 8]);
		}
		for (int k = 0; k < 8 && k < i; k++)
			assert_true(k == i % 8 || held[k] != nth);
		held[i % 8] = nth;
		seen[nth]++;
	}
	assert_true(differ > 90000);
	for (int i = 0; i < 100; i++)
		assert_in_range(seen[i], 800, 1200);
	working_set_free(&a);
	working_set_free(&b);
	working_set_free(&other);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(from_the_top_and_then_none),
		cmocka_unit_test(what_came_back_last_goes_first),
		cmocka_unit_test(none_is_handed_out_twice),
		cmocka_unit_test(choices_are_random_and_the_same_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
