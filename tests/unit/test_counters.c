// SPDX-License-Identifier: GPL-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "iotlb_counters.h"

static void a_key_tells_what_it_is_of(void **state)
{
	static const uint32_t vqs[] = {0, 1, 9, 10, 11, 1025, 0xffff, IOTLB_VQ_DEVICE};
	static const uint64_t devs[] = {1, 2, 4096, 1ULL << 40};
	size_t d, v;
	uint64_t key;

	(void)state;
	for (d = 0; d < sizeof(devs) / sizeof(devs[0]); d++) {
		for (v = 0; v < sizeof(vqs) / sizeof(vqs[0]); v++) {
			key = iotlb_key(devs[d], vqs[v]);
			assert_true(key);
			assert_true(iotlb_key_dev(key) == devs[d]);
			assert_int_equal(iotlb_key_vq(key), vqs[v]);
		}
	}
}

static void a_key_of_an_address_space_is_no_virtqueues(void **state)
{
	static const uint32_t asids[] = {1, 9, 0xfffff, 0xffffffff};
	static const uint64_t devs[] = {1, 4096, IOTLB_KEY_SPACE_DEVS - 1};
	size_t d, a;
	uint64_t key;

	(void)state;
	for (d = 0; d < sizeof(devs) / sizeof(devs[0]); d++) {
		for (a = 0; a < sizeof(asids) / sizeof(asids[0]); a++) {
			key = iotlb_key_space(devs[d], asids[a]);
			assert_true(key & IOTLB_KEY_SPACE);
			assert_true(iotlb_key_dev(key) == devs[d]);
			assert_int_equal(iotlb_key_vq(key), IOTLB_VQ_SPACE);
			assert_int_equal(iotlb_key_asid(key), asids[a]);
		}
	}
	assert_false(iotlb_key(1ULL << 40, IOTLB_VQ_DEVICE) & IOTLB_KEY_SPACE);
	assert_int_equal(iotlb_key_asid(iotlb_key(1ULL << 40, 3)), 0);
}

/* Of a device: ten virtqueues, and itself. */
static void things_of_devices_in_a_row_have_a_home_each(void **state)
{
	static unsigned char used[IOTLB_SLOTS];
	uint64_t dev;
	uint32_t vq;

	(void)state;
	memset(used, 0, sizeof(used));
	for (dev = 5; dev < 5 + IOTLB_SLOTS / 11; dev++) {
		for (vq = 0; vq < 10; vq++)
			assert_int_equal(used[iotlb_slot_home(iotlb_key(dev, vq))]++, 0);
		assert_int_equal(used[iotlb_slot_home(iotlb_key(dev, IOTLB_VQ_DEVICE))]++, 0);
	}
}

static void a_search_sees_as_many_slots_as_it_looks_at(void **state)
{
	static unsigned char seen[IOTLB_SLOTS];
	uint32_t probe;

	(void)state;
	memset(seen, 0, sizeof(seen));
	for (probe = 0; probe < IOTLB_SLOT_PROBES; probe++)
		assert_int_equal(seen[iotlb_slot_next(iotlb_key(3, 1), probe)]++, 0);
}

#define TEST(name) cmocka_unit_test(name)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_key_tells_what_it_is_of),
		TEST(a_key_of_an_address_space_is_no_virtqueues),
		TEST(things_of_devices_in_a_row_have_a_home_each),
		TEST(a_search_sees_as_many_slots_as_it_looks_at),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
