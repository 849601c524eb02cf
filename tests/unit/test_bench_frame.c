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
		struct frame_id id = {DIRECTION_TX, size % 64, size * 7919, NULL};
		struct frame_id found = {DIRECTION_TX, size % 64, 0, NULL};

		frame_build(frame, size, &id);
		assert_int_equal(frame_check(frame, size, size, &found), FRAME_GOOD);
		assert_true(found.sequence == id.sequence);
	}
}

static void every_byte_counts(void **state)
{
	const struct frame_id id = {DIRECTION_RX, 3, 12345678901ULL, NULL};
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
	const struct frame_id id = {DIRECTION_TX, 3, 5, NULL};
	struct frame_id other_device = {DIRECTION_TX, 4, 5, NULL};
	struct frame_id other_way = {DIRECTION_RX, 3, 5, NULL};
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
	struct frame_id id = {DIRECTION_TX, 0, 0, NULL};
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
	struct frame_id id = {DIRECTION_RX, 0, 77, NULL};
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
	struct frame_id id = {DIRECTION_TX, 3, 78, NULL};
	uint8_t frame[FRAME_MIN + 1], old[FRAME_MIN + 1];

	(void)state;
	frame_build(frame, sizeof(frame), &id);
	memcpy(old, frame, sizeof(frame));
	frame_poison_all(frame, FRAME_MIN, 0);
	assert_int_equal(frame_check(frame, FRAME_MIN, FRAME_MIN, &id), FRAME_POISONED);
	for (int i = FRAME_TAG_END; i < FRAME_MIN; i++)
		assert_int_equal(frame[i], frame[FRAME_TAG_END]);
	assert_int_equal(frame[FRAME_MIN], old[FRAME_MIN]);
}

/* From what is another's to the end of the word; half a word has the mark, too. */
static void bytes_of_another_process_are_counted(void **state)
{
	const struct frame_marks first = {.now = frame_mark(5)}, second = {.now = frame_mark(6)};
	const struct frame_id own = {DIRECTION_TX, 0, 9, &first};
	const struct frame_id other = {DIRECTION_TX, 0, 9, &second};
	const struct frame_id nobody = {DIRECTION_TX, 0, 9, NULL};
	uint8_t frame[FRAME_MIN], strange[FRAME_MIN];
	struct frame_id found = own;

	(void)state;
	frame_build(frame, FRAME_MIN, &own);
	frame_build(strange, FRAME_MIN, &other);
	assert_int_equal(frame_check(frame, FRAME_MIN, FRAME_MIN, &found), FRAME_GOOD);
	assert_int_equal(frame_crossed(frame, FRAME_MIN, &own), 0);
	assert_int_equal(frame_check(strange, FRAME_MIN, FRAME_MIN, &found), FRAME_CORRUPT);
	assert_int_equal(frame_crossed(strange, FRAME_MIN, &own), FRAME_MIN - FRAME_TAG_END);
	assert_int_equal(frame_crossed(strange, FRAME_MIN, &nobody), 0);

	memcpy(frame + FRAME_TAG_END + 8, strange + FRAME_TAG_END + 8, 8);
	assert_int_equal(frame_check(frame, FRAME_MIN, FRAME_MIN, &found), FRAME_CORRUPT);
	assert_int_equal(frame_crossed(frame, FRAME_MIN, &own), 8);

	frame_poison_all(frame, FRAME_MIN, first.now);
	assert_int_equal(frame_crossed(frame, FRAME_MIN, &own), 0);
	assert_int_equal(frame_crossed(frame, FRAME_MIN, &other), FRAME_MIN - FRAME_TAG_END);
}

static void frames_before_are_those_of_the_process_before(void **state)
{
	const struct frame_marks old = {.now = frame_mark(5)};
	const struct frame_marks new = {.now = frame_mark(6), .before = frame_mark(5), .from = 100};
	struct frame_id id = {DIRECTION_RX, 1, 0, &new};
	uint8_t frame[FRAME_MIN];

	(void)state;
	for (uint64_t i = 98; i < 102; i++) {
		const struct frame_id sent = {DIRECTION_RX, 1, i, &old};

		frame_build(frame, FRAME_MIN, &sent);
		assert_int_equal(frame_check(frame, FRAME_MIN, FRAME_MIN, &id),
				 i < 100 ? FRAME_GOOD : FRAME_CORRUPT);
		assert_int_equal(frame_crossed(frame, FRAME_MIN, &id),
				 i < 100 ? 0 : FRAME_MIN - FRAME_TAG_END);
	}
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
		cmocka_unit_test(bytes_of_another_process_are_counted),
		cmocka_unit_test(frames_before_are_those_of_the_process_before),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
