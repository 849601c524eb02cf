// SPDX-License-Identifier: GPL-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "top/notes.h"

static struct notes notes;

static void nothing_to_say(void **state)
{
	/* None of these is what should not happen. */
	const struct iotlb_counters counters = {
		.count = {[IOTLB_MISS] = 5, [IOTLB_MISS_RING] = 5, [IOTLB_UPDATE] = 5},
	};

	(void)state;
	notes_make(&notes, &counters);
	assert_int_equal(notes.count, 0);
}

static void all_reasons_are_told(void **state)
{
	const struct iotlb_counters counters = {
		.count =
			{
				[IOTLB_FALLBACK_TIMEOUT] = 7,
				[IOTLB_FALLBACK_REFUSED] = 3,
				[IOTLB_FALLBACK_DETACHED] = 2,
				[IOTLB_UPDATE_STALE] = 5,
				[IOTLB_ACCESS_FAILED] = 4,
			},
	};
	unsigned int i;

	(void)state;
	notes_make(&notes, &counters);
	assert_int_equal(notes.count, 4);
	assert_string_equal(notes.lines[0],
			    "watchdog: 7 misses timed out, 3 handed back, 2 of a detached program");
	assert_non_null(strstr(notes.lines[1], "took misses and did not answer them"));
	assert_string_equal(notes.lines[2], "age check: 5 stale answers refused");
	assert_string_equal(notes.lines[3], "no such page: 4 accesses of guests' devices failed");
	for (i = 0; i < notes.count; i++)
		assert_in_range(strlen(notes.lines[i]), 1, 80);
}

static void only_what_happened_is_told(void **state)
{
	const struct iotlb_counters detached = {.count[IOTLB_FALLBACK_DETACHED] = 1};
	const struct iotlb_counters stale = {.count[IOTLB_UPDATE_STALE] = 1};
	const struct iotlb_counters failed = {.count[IOTLB_ACCESS_FAILED] = 1};

	(void)state;
	notes_make(&notes, &detached);
	assert_int_equal(notes.count, 1);
	assert_string_equal(notes.lines[0], "watchdog: 1 miss of a detached program");
	notes_make(&notes, &stale);
	assert_int_equal(notes.count, 1);
	assert_string_equal(notes.lines[0], "age check: 1 stale answer refused");
	notes_make(&notes, &failed);
	assert_int_equal(notes.count, 1);
	assert_string_equal(notes.lines[0], "no such page: 1 access of guests' devices failed");
}

static void numbers_of_any_size_fit(void **state)
{
	struct iotlb_counters counters;

	(void)state;
	memset(&counters, 0xff, sizeof(counters));
	notes_make(&notes, &counters);
	assert_non_null(strstr(notes.lines[0], "18446744073709551615 of a detached program"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_to_say),
		cmocka_unit_test(all_reasons_are_told),
		cmocka_unit_test(only_what_happened_is_told),
		cmocka_unit_test(numbers_of_any_size_fit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
