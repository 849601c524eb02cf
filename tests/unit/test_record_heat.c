// SPDX-License-Identifier: GPL-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "record/heat.h"
#include "record/report/map_rows.h"

#define WIDTH 1000

static struct heat heat, other;

static int setup(void **state)
{
	(void)state;
	heat_init(&heat, WIDTH);
	heat_init(&other, WIDTH);
	return 0;
}

static void a_page_is_a_row(void **state)
{
	(void)state;
	heat_add(&heat, 0, 0x5123, IOTLB_EVENT_MISS, 1);
	heat_add(&heat, WIDTH, 0x5fff, IOTLB_EVENT_MISS, 2);
	heat_add(&heat, WIDTH, 0x1000, IOTLB_EVENT_UPDATE, 4);
	heat_add(&heat, 5 * WIDTH, 0xfffffffffffff000, IOTLB_EVENT_INVALIDATE, 8);

	assert_int_equal(heat.count, 3);
	assert_int_equal(heat.columns, 6);
	assert_int_equal(heat_row_iova(&heat, 0), 0x1000);
	assert_int_equal(heat_row_iova(&heat, 1), 0x5000);
	assert_int_equal(heat_row_iova(&heat, 2), 0xfffffffffffff000);
	assert_int_equal(heat.rows[1].cells[IOTLB_EVENT_MISS][0], 1);
	assert_int_equal(heat.rows[1].cells[IOTLB_EVENT_MISS][1], 2);
	assert_int_equal(heat.rows[0].cells[IOTLB_EVENT_UPDATE][1], 4);
	assert_int_equal(heat.rows[2].cells[IOTLB_EVENT_INVALIDATE][5], 8);
	assert_int_equal(heat.rows[0].cells[IOTLB_EVENT_MISS][1], 0);
}

static void rows_become_larger_when_too_many(void **state)
{
	uint64_t i;

	(void)state;
	for (i = 0; i < HEAT_ROWS; i++)
		heat_add(&heat, 0, i << 12, IOTLB_EVENT_MISS, i);
	assert_int_equal(heat.shift, 12);
	assert_int_equal(heat.count, HEAT_ROWS);

	heat_add(&heat, 0, HEAT_ROWS << 12, IOTLB_EVENT_MISS, 100);
	assert_int_equal(heat.shift, 13);
	assert_int_equal(heat.count, HEAT_ROWS / 2 + 1);
	assert_int_equal(heat_row_sum(&heat.rows[1], IOTLB_EVENT_MISS), 2 + 3);
	assert_int_equal(heat_row_sum(&heat.rows[HEAT_ROWS / 2], IOTLB_EVENT_MISS), 100);
	assert_int_equal(heat_row_iova(&heat, 3), 3 << 13);
}

static void far_rows_stay_apart(void **state)
{
	uint64_t i;

	(void)state;
	heat_add(&heat, 0, 0x1000, IOTLB_EVENT_MISS, 7);
	for (i = 0; i < 1000; i++)
		heat_add(&heat, 0, 0x400000000000 + (i << 12), IOTLB_EVENT_MISS, 1);
	assert_int_equal(heat_row_iova(&heat, 0), 0);
	assert_int_equal(heat_row_sum(&heat.rows[0], IOTLB_EVENT_MISS), 7);
	assert_int_equal(heat_row_iova(&heat, 1), 0x400000000000);
	assert_int_equal(heat_sum(&heat, IOTLB_EVENT_MISS), 1007);
}

static void any_addresses_fit(void **state)
{
	uint64_t i, iova = 1, last = 0;

	(void)state;
	for (i = 0; i < 10007; i++) {
		iova = iova * 6364136223846793005ULL + 1442695040888963407ULL;
		heat_add(&heat, i * 17, iova, i % IOTLB_EVENT_KINDS, 1);
	}
	assert_true(heat.shift <= HEAT_SHIFT_MAX);
	assert_true(heat.count <= HEAT_ROWS);
	for (i = 0; i < heat.count; i++) {
		assert_true(!i || heat.rows[i].number > last);
		last = heat.rows[i].number;
	}
	assert_int_equal(heat_sum(&heat, IOTLB_EVENT_MISS) + heat_sum(&heat, IOTLB_EVENT_UPDATE) +
				 heat_sum(&heat, IOTLB_EVENT_INVALIDATE) +
				 heat_sum(&heat, IOTLB_EVENT_EVICT) +
				 heat_sum(&heat, IOTLB_EVENT_FAIL),
			 10007);
}

static void columns_become_wider_when_too_many(void **state)
{
	uint64_t i;

	(void)state;
	for (i = 0; i < HEAT_COLUMNS; i++)
		heat_add(&heat, i * WIDTH, 0, IOTLB_EVENT_EVICT, i);
	assert_int_equal(heat.bucket_ns, WIDTH);
	heat_add(&heat, HEAT_COLUMNS * WIDTH, 0, IOTLB_EVENT_EVICT, 1000);
	assert_int_equal(heat.bucket_ns, 2 * WIDTH);
	assert_int_equal(heat.columns, HEAT_COLUMNS / 2 + 1);
	assert_int_equal(heat.rows[0].cells[IOTLB_EVENT_EVICT][1], 2 + 3);
	assert_int_equal(heat.rows[0].cells[IOTLB_EVENT_EVICT][HEAT_COLUMNS / 2], 1000);
	assert_int_equal(heat.rows[0].cells[IOTLB_EVENT_EVICT][HEAT_COLUMNS - 1], 0);
	/* Years later. */
	heat_add(&heat, UINT64_MAX / 2, 0, IOTLB_EVENT_EVICT, 1);
	assert_true(heat.columns <= HEAT_COLUMNS);
}

static void merging_adds_all(void **state)
{
	uint64_t i;

	(void)state;
	for (i = 0; i < 100; i++)
		heat_add(&other, i * 7 * WIDTH, i << 14, IOTLB_EVENT_MISS, i);
	heat_add(&heat, 3 * WIDTH, 0x3000, IOTLB_EVENT_MISS, 3);
	heat_add(&heat, 3 * WIDTH, 0x123456789000, IOTLB_EVENT_UPDATE, 5);
	heat_merge(&heat, &other);
	assert_int_equal(heat_sum(&heat, IOTLB_EVENT_MISS), 4950 + 3);
	assert_int_equal(heat_sum(&heat, IOTLB_EVENT_UPDATE), 5);
	assert_true(heat.shift >= other.shift && heat.bucket_ns >= other.bucket_ns);
}

static void an_axis_for_two(void **state)
{
	const struct heat *const both[] = {&heat, &other};
	struct map_rows rows;
	size_t i;

	(void)state;
	for (i = 0; i < 20; i++) {
		heat_add(&heat, 0, i << 12, IOTLB_EVENT_MISS, 1);
		heat_add(&other, 0, (i + 100) << 13, IOTLB_EVENT_MISS, 1);
	}
	assert_true(map_rows_init(&rows, both, 2));
	/* 10 rows of two pages of the first, 20 of the second. */
	assert_int_equal(rows.shift, 13);
	assert_int_equal(rows.count, 30);
	assert_true(map_rows_gap(&rows, 10));
	assert_false(map_rows_gap(&rows, 0) || map_rows_gap(&rows, 11));
	assert_null(map_rows_find(&rows, 1, 0));
	assert_int_equal(heat_row_sum(map_rows_find(&rows, 0, 0), IOTLB_EVENT_MISS), 2);
	assert_int_equal(heat_row_sum(map_rows_find(&rows, 1, 10), IOTLB_EVENT_MISS), 1);
	map_rows_free(&rows);

	/* One of them missing. */
	assert_true(map_rows_init(&rows, (const struct heat *[]){NULL, &other}, 2));
	assert_int_equal(rows.count, 20);
	assert_null(map_rows_find(&rows, 0, 0));
	map_rows_free(&rows);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(a_page_is_a_row, setup),
		cmocka_unit_test_setup(rows_become_larger_when_too_many, setup),
		cmocka_unit_test_setup(far_rows_stay_apart, setup),
		cmocka_unit_test_setup(any_addresses_fit, setup),
		cmocka_unit_test_setup(columns_become_wider_when_too_many, setup),
		cmocka_unit_test_setup(merging_adds_all, setup),
		cmocka_unit_test_setup(an_axis_for_two, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
