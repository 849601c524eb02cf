// SPDX-License-Identifier: GPL-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "bench/frame.h"

#define LARGEST 4084

static void built_frames_pass(void **state)
{
	uint8_t frame[LARGEST];

	(void)state;
	for (size_t size = FRAME_MIN; size <= LARGEST; size++) {
		struct frame_id id = {DIRECTION_TX, size % 64, size * 7919};
		struct frame_id found = {DIRECTION_TX, size % 64, 0};

		frame_build(frame, size, &id);
		assert_int_equal(frame_check(frame, size, size, &found), FRAME_GOOD);
		assert_true(found.sequence == id.sequence);
	}
}

static void every_byte_counts(void **state)
{
	const struct frame_id id = {DIRECTION_RX, 3, 12345678901ULL};
	uint8_t frame[FRAME_MIN + 9];

	(void)state;
	for (size_t size = FRAME_MIN; size <= sizeof(frame); size++)
		for (size_t at = 0; at < size; at++) {
			struct frame_id found = id;

			frame_build(frame, size, &id);
			frame[at] ^= 1 << at % 8;
			if (frame_check(frame, size, size, &found) == FRAME_GOOD)
				fail_msg("change of byte %zu of %zu not seen", at, size);
		}
}

static void frames_of_others_are_told_apart(void **state)
{
	const struct frame_id id = {DIRECTION_TX, 3, 5};
	struct frame_id other_device = {DIRECTION_TX, 4, 5};
	struct frame_id other_way = {DIRECTION_RX, 3, 5};
	uint8_t frame[FRAME_MIN];

	(void)state;
	frame_build(frame, sizeof(frame), &id);
	assert_int_equal(frame_check(frame, sizeof(frame), sizeof(frame), &other_device),
			 FRAME_CORRUPT);
	assert_int_equal(frame_check(frame, sizeof(frame), sizeof(frame), &other_way),
			 FRAME_CORRUPT);
	/* IPv6 */
	frame[12] = 0x86;
	frame[13] = 0xdd;
	assert_int_equal(frame_check(frame, sizeof(frame), sizeof(frame), &other_device),
			 FRAME_FOREIGN);
}

static void length_matters(void **state)
{
	struct frame_id id = {DIRECTION_TX, 0, 0};
	uint8_t frame[FRAME_MIN + 1];

	(void)state;
	frame_build(frame, sizeof(frame), &id);
	assert_int_equal(frame_check(frame, FRAME_MIN, FRAME_MIN + 1, &id), FRAME_CORRUPT);
	assert_int_equal(frame_check(frame, FRAME_MIN + 1, FRAME_MIN, &id), FRAME_CORRUPT);
	assert_int_equal(frame_check(frame, 0, FRAME_MIN, &id), FRAME_FOREIGN);
	assert_int_equal(frame_check(frame, 13, FRAME_MIN, &id), FRAME_FOREIGN);
}

static void an_old_frame_does_not_pass(void **state)
{
	struct frame_id id = {DIRECTION_RX, 0, 77};
	uint8_t frame[FRAME_MIN];

	(void)state;
	frame_build(frame, sizeof(frame), &id);
	frame_poison(frame);
	assert_int_equal(frame_check(frame, sizeof(frame), sizeof(frame), &id), FRAME_POISONED);
	/* Nor does memory that was never used. */
	memset(frame, 0, sizeof(frame));
	frame_poison(frame);
	assert_int_equal(frame_check(frame, sizeof(frame), sizeof(frame), &id), FRAME_POISONED);
	assert_int_equal(frame_check(frame, sizeof(frame) - 1, sizeof(frame), &id), FRAME_CORRUPT);
}

static void poison_leaves_nothing(void **state)
{
	struct frame_id id = {DIRECTION_TX, 3, 78};
	uint8_t frame[FRAME_MIN + 1], old[FRAME_MIN + 1];

	(void)state;
	frame_build(frame, sizeof(frame), &id);
	memcpy(old, frame, sizeof(frame));
	frame_poison_all(frame, FRAME_MIN);
	assert_int_equal(frame_check(frame, FRAME_MIN, FRAME_MIN, &id), FRAME_POISONED);
	for (int i = FRAME_TAG_END; i < FRAME_MIN; i++)
		assert_int_equal(frame[i], frame[FRAME_TAG_END]);
	assert_int_equal(frame[FRAME_MIN], old[FRAME_MIN]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(built_frames_pass),
		cmocka_unit_test(every_byte_counts),
		cmocka_unit_test(frames_of_others_are_told_apart),
		cmocka_unit_test(length_matters),
		cmocka_unit_test(an_old_frame_does_not_pass),
		cmocka_unit_test(poison_leaves_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
