// SPDX-License-Identifier: GPL-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "iotlb_record.h"
#include "once_more.h"

#define NOW 5000000000ULL

static struct once_more all;

static bool take(uint32_t vq, uint64_t iova, uint32_t asid, uint64_t now_ns)
{
	const struct iotlb_record miss = {.vq = vq, .iova = iova, .asid = asid};

	return once_more_take(&all, &miss, now_ns);
}

static int set_up(void **state)
{
	(void)state;
	all = (struct once_more){};
	return 0;
}

static void test_once(void **state)
{
	(void)state;
	assert_true(take(0, 0, 0, NOW));
	assert_false(take(0, 0, 0, NOW + 1));
	/* That was the end of it; this is a new miss. */
	assert_true(take(0, 0, 0, NOW + 2));
}

static void test_another(void **state)
{
	(void)state;
	assert_true(take(1, 0x1000, 5, NOW));
	assert_true(take(1, 0x1000, 6, NOW));
	assert_true(take(1, 0x2000, 6, NOW));
	assert_false(take(1, 0x2000, 6, NOW));
}

static void test_queues(void **state)
{
	uint32_t vq;

	(void)state;
	for (vq = 0; vq < ONCE_MORE_QUEUES; vq++)
		assert_true(take(vq, 0x1000, 0, NOW));
	for (vq = 0; vq < ONCE_MORE_QUEUES; vq++)
		assert_false(take(vq, 0x1000, 0, NOW));
}

/* Two that want the same place do not go on for ever. */
static void test_same_place(void **state)
{
	const uint32_t other = 3 + ONCE_MORE_QUEUES;

	(void)state;
	assert_true(take(3, 0x1000, 0, NOW));
	assert_false(take(other, 0x1000, 0, NOW));
	assert_false(take(3, 0x1000, 0, NOW));
	assert_true(take(other, 0x1000, 0, NOW));
	assert_false(take(3, 0x1000, 0, NOW));
	assert_false(take(other, 0x1000, 0, NOW));
	set_up(NULL);
	assert_true(take(3, 0x1000, 0, NOW));
	assert_false(take(other, 0x1000, 0, NOW + ONCE_MORE_NS - 1));
	assert_true(take(other, 0x1000, 0, NOW + ONCE_MORE_NS));
}

static void test_long_ago(void **state)
{
	(void)state;
	assert_true(take(0, 0x1000, 0, NOW));
	assert_true(take(0, 0x1000, 0, NOW + ONCE_MORE_NS));
	assert_false(take(0, 0x1000, 0, NOW + ONCE_MORE_NS));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_once, set_up),
		cmocka_unit_test_setup(test_another, set_up),
		cmocka_unit_test_setup(test_queues, set_up),
		cmocka_unit_test_setup(test_same_place, set_up),
		cmocka_unit_test_setup(test_long_ago, set_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
