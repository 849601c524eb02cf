// SPDX-License-Identifier: GPL-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "top/rates.h"
#include "top/sort.h"
#include "top/table.h"

static struct top_queue queues[] = {
	{
		.vq = 0,
		.tally.total.count = {[IOTLB_HIT_BUFFER] = 1234567, [IOTLB_MISS] = 7},
	},
	{
		.vq = 1,
		.tally.delta.count =
			{
				[IOTLB_HIT_BUFFER] = 3000,
				[IOTLB_MISS] = 30,
				[IOTLB_MISS_BUFFER] = 30,
				[IOTLB_FALLBACK_TIMEOUT] = 14,
				[IOTLB_FALLBACK_REFUSED] = 6,
				[IOTLB_FALLBACK_DETACHED] = 4,
			},
	},
};

static struct top_device devices[] = {
	{
		.id = 3,
		.state = TOP_HELD,
		.pid = 4194304,
		.comm = "qemu-system-x86",
		.queues = queues,
		.count = 2,
		.tally.delta.count = {[IOTLB_UPDATE] = 20, [IOTLB_UPDATE_STALE] = 34},
		.sum.count = {[IOTLB_MISS] = 30, [IOTLB_UPDATE] = 20},
		.tap = "tap7",
		.has_entries = true,
		.entries = 17,
		.limit = 2048,
	},
	{.id = 4, .state = TOP_GONE, .comm = "?"},
	{.id = 5, .state = TOP_HELD, .pid = 9, .comm = "a", .sum.count[IOTLB_MISS] = 31},
};

static const struct top_device *order[] = {&devices[0], &devices[1], &devices[2]};

static struct top_sample sample = {
	.seconds = 2,
	.devices = order,
	.count = 3,
};

static struct table table;

static void make(const struct table_options *options)
{
	table_free(&table);
	assert_int_equal(table_make(&table, &sample, order, 3, options), 0);
}

static int teardown(void **state)
{
	(void)state;
	table_free(&table);
	return 0;
}

static void counts_are_a_second(void **state)
{
	const struct table_options options = {};

	(void)state;
	make(&options);
	assert_int_equal(table.count, TABLE_HEADINGS + 4);
	assert_non_null(strstr(table.lines[0], "LOOK"));
	assert_non_null(strstr(table.lines[1], "/s"));
	/* 3030 lookups and 30 misses in 2 seconds. */
	assert_non_null(strstr(table.lines[3], "1.5k"));
	assert_non_null(strstr(table.lines[3], " 15 99.0 "));
}

static void nothing_looked_up_is_no_percentage(void **state)
{
	const struct table_options options = {};

	(void)state;
	make(&options);
	assert_non_null(strstr(table.lines[2], "    -    -    - "));
	assert_null(strchr(table.lines[2], '%'));
}

static void a_device_is_counted_on_its_first_line(void **state)
{
	const struct table_options options = {};
	const char *upd;

	(void)state;
	make(&options);
	upd = strstr(table.lines[0], " UPD");
	assert_non_null(upd);
	assert_memory_equal(table.lines[2] + (upd - table.lines[0]), "  10", 4);
	assert_true(strlen(table.lines[3]) < (size_t)(upd - table.lines[0]) + 4);
}

/* The cell below a heading. */
static const char *cell(unsigned int line, const char *heading)
{
	const char *at = strstr(table.lines[0], heading);
	size_t end;
	static char text[16];

	assert_non_null(at);
	end = at - table.lines[0] + strlen(heading);
	text[0] = '\0';
	if (end <= strlen(table.lines[line]))
		snprintf(text, sizeof(text), "%.*s", (int)strlen(heading),
			 table.lines[line] + end - strlen(heading));
	return text + strspn(text, " ");
}

static void misses_that_change_hands_have_a_column(void **state)
{
	const struct table_options options = {};

	(void)state;
	make(&options);
	assert_string_equal(cell(2, "FALLBACK"), "0");
	assert_string_equal(cell(3, "FALLBACK"), "12");
	assert_string_equal(cell(2, "STALE"), "17");
	assert_string_equal(cell(3, "STALE"), "");
	assert_string_equal(cell(2, "FAIL"), "0");

	/* No watchdog is not the same as one that is never needed. */
	sample.unavailable = COUNTERS_FALLBACKS | COUNTER(UPDATE_STALE);
	make(&options);
	sample.unavailable = 0;
	assert_string_equal(cell(3, "FALLBACK"), "-");
	assert_string_equal(cell(2, "STALE"), "-");
	assert_string_equal(cell(3, "STALE"), "");
}

static void accesses_that_fail_have_a_column_once_there_are_any(void **state)
{
	struct table_options options = {.sort = sort_key_find("accfail")};
	unsigned int sorts;

	(void)state;
	make(&options);
	assert_null(strstr(table.lines[0], "ACCFAIL"));
	sorts = table.nr_sorts;
	/* Nothing is hidden by that. */
	assert_int_equal(table.hidden, 0);

	devices[0].sum_total.count[IOTLB_ACCESS_FAILED] = 8;
	queues[1].tally.delta.count[IOTLB_ACCESS_FAILED] = 6;
	make(&options);
	assert_string_equal(cell(2, "ACCFAIL"), "0");
	assert_string_equal(cell(3, "ACCFAIL"), "3");
	assert_int_equal(table.nr_sorts, sorts + 1);
	assert_non_null(strstr(table.lines[1], "v/s"));
	options.width = 80;
	make(&options);
	assert_non_null(strstr(table.lines[0], "ACCFAIL"));
	devices[0].sum_total.count[IOTLB_ACCESS_FAILED] = 0;
	queues[1].tally.delta.count[IOTLB_ACCESS_FAILED] = 0;
}

static void the_new_columns_are_left_out_first(void **state)
{
	struct table_options options = {};

	(void)state;
	make(&options);
	/* Names are cut first. */
	options.width = strlen(table.lines[2]) - strlen("tem-x86") - 1;
	make(&options);
	assert_null(strstr(table.lines[0], "FALLBACK"));
	assert_null(strstr(table.lines[0], "STALE"));
	assert_non_null(strstr(table.lines[0], "META"));
}

static void the_gone_are_in_parentheses(void **state)
{
	const struct table_options options = {};

	(void)state;
	make(&options);
	assert_non_null(strstr(table.lines[4], "(?)"));
}

static void the_gone_are_in_parentheses_when_cut(void **state)
{
	const struct table_options options = {.width = 80};
	struct top_device gone = devices[0], held = devices[0];
	const struct top_device *both[] = {&gone, &held};

	(void)state;
	gone.state = TOP_GONE;
	gone.count = 1;
	held.count = 1;
	strcpy(held.comm, "(sd-pam)-worker");
	table_free(&table);
	assert_int_equal(table_make(&table, &sample, both, 2, &options), 0);
	assert_non_null(strstr(table.lines[2], " (qemu-sys) "));
	assert_non_null(strstr(table.lines[3], " (sd-pam)-w "));
}

static void it_fits_the_terminal(void **state)
{
	struct table_options options = {.timestamps = true};
	unsigned int i;

	(void)state;
	for (options.width = 200; options.width >= 50; options.width--) {
		make(&options);
		for (i = 0; i < table.count; i++)
			assert_in_range(strlen(table.lines[i]), 0, options.width);
	}
	options.timestamps = false;
	options.width = 80;
	make(&options);
	assert_null(strstr(table.lines[0], "META"));
	assert_non_null(strstr(table.lines[0], "EVIC"));
}

static void totals_are_exact_if_there_is_room(void **state)
{
	struct table_options options = {.total = true};

	(void)state;
	make(&options);
	assert_non_null(strstr(table.lines[2], " 1234574 "));
	assert_null(strstr(table.lines[1], "/s"));
	options.width = 80;
	make(&options);
	assert_non_null(strstr(table.lines[2], "1.2M"));
	assert_non_null(strstr(table.lines[0], "EVIC"));
}

static void what_is_left_out_is_told(void **state)
{
	const struct table_options options = {.rows = 1};

	(void)state;
	make(&options);
	assert_int_equal(table.count, TABLE_HEADINGS + 1);
	assert_int_equal(table.left_out, 3);
}

static void devices_are_sorted(void **state)
{
	const struct top_device *sorted[] = {&devices[0], &devices[1], &devices[2]};

	(void)state;
	sort_devices(sorted, 3, sort_key_find("misses"), false, false);
	assert_int_equal(sorted[0]->id, 5);
	assert_int_equal(sorted[1]->id, 3);
	sort_devices(sorted, 3, sort_key_find("comm"), false, false);
	assert_string_equal(sorted[0]->comm, "?");
	/* No difference at all: by id. */
	sort_devices(sorted, 3, sort_key_find("evictions"), false, false);
	assert_int_equal(sorted[0]->id, 3);
	assert_int_equal(sorted[2]->id, 5);
	assert_null(sort_key_find("nonsense"));
}

static void nothing_comes_last_in_either_direction(void **state)
{
	const struct top_device *sorted[] = {&devices[0], &devices[1], &devices[2]};

	(void)state;
	sort_devices(sorted, 3, sort_key_find("pid"), false, false);
	assert_int_equal(sorted[0]->pid, 9);
	assert_int_equal(sorted[2]->pid, 0);
	sort_devices(sorted, 3, sort_key_find("pid"), false, true);
	assert_int_equal(sorted[0]->pid, 4194304);
	assert_int_equal(sorted[2]->pid, 0);
	sort_devices(sorted, 3, sort_key_find("tap"), false, true);
	assert_string_equal(sorted[0]->tap, "tap7");
	assert_string_equal(sorted[1]->tap, "");
}

static void every_column_is_sorted_by_what_it_shows(void **state)
{
	const struct table_options options = {};
	unsigned int i;

	(void)state;
	make(&options);
	/* All but the virtqueue. */
	assert_int_equal(table.nr_sorts, 22);
	for (i = 0; i < table.nr_sorts; i++)
		assert_non_null(table.sorts[i]);
}

static void a_mark_tells_the_order(void **state)
{
	struct table_options options = {.sort = sort_key_find("misses")};

	(void)state;
	make(&options);
	assert_null(strchr(table.lines[1], '^'));
	assert_string_equal(cell(1, "MISS"), "v/s");
	assert_string_equal(cell(1, "LOOK"), "/s");
	options.reverse = true;
	make(&options);
	assert_string_equal(cell(1, "MISS"), "^/s");
}

static void a_line_may_be_a_device(void **state)
{
	const struct table_options options = {.by = TABLE_BY_DEVICE};

	(void)state;
	make(&options);
	assert_int_equal(table.count, TABLE_HEADINGS + 3);
	assert_string_equal(cell(2, "VQ"), "*");
	assert_string_equal(cell(2, "MISS"), "15");
	assert_string_equal(cell(2, "UPD"), "10");
}

static void devices_have_names_and_entries(void **state)
{
	const struct table_options options = {};

	(void)state;
	make(&options);
	assert_non_null(strstr(table.lines[2], " tap7 "));
	assert_string_equal(cell(2, "ENT"), "17");
	assert_string_equal(cell(3, "ENT"), "");
	assert_string_equal(cell(4, "ENT"), "-");
}

static void hidden_columns_are_told(void **state)
{
	struct table_options options = {.width = 80};

	(void)state;
	make(&options);
	/* TAP, META, BUF, FD, FALLBACK, FAIL, STALE, ENT */
	assert_int_equal(table.hidden, 8);
	assert_int_equal(table.nr_sorts, 22 - 8);
	options.width = 0;
	make(&options);
	assert_int_equal(table.hidden, 0);
}

static void address_spaces_have_a_column_if_there_are_any(void **state)
{
	const struct table_options by_queue = {}, by_space = {.by = TABLE_BY_SPACE};
	struct top_space spaces[] = {
		{.state = TOP_HELD, .has_entries = true, .entries = 4},
		{
			.asid = 501,
			.state = TOP_GONE,
			.tally.delta.count = {[IOTLB_UPDATE] = 30},
			.sum.count = {[IOTLB_MISS] = 70, [IOTLB_UPDATE] = 30},
		},
		{.asid = 502, .state = TOP_RETIRED},
	};

	(void)state;
	make(&by_queue);
	assert_null(strstr(table.lines[0], "PASID"));
	/* All the same, each device has a line. */
	make(&by_space);
	assert_int_equal(table.count, TABLE_HEADINGS + 3);
	assert_string_equal(cell(2, "PASID"), "-");

	devices[0].spaces = spaces;
	devices[0].nr_spaces = 3;
	devices[0].queues[1].asid = 501;
	make(&by_queue);
	assert_string_equal(cell(2, "PASID"), "0");
	assert_string_equal(cell(3, "PASID"), "501");
	assert_string_equal(cell(4, "PASID"), "-");

	make(&by_space);
	assert_int_equal(table.count, TABLE_HEADINGS + 2 + 2);
	assert_string_equal(cell(2, "PASID"), "0");
	assert_string_equal(cell(2, "VQ"), "0");
	assert_string_equal(cell(2, "ENT"), "4");
	assert_string_equal(cell(3, "PASID"), "(501)");
	assert_string_equal(cell(3, "VQ"), "1");
	assert_string_equal(cell(3, "MISS"), "35");
	assert_string_equal(cell(3, "UPD"), "15");
	assert_string_equal(cell(3, "ENT"), "-");
	assert_string_equal(cell(4, "PASID"), "-");

	sample.final = true;
	make(&by_space);
	assert_int_equal(table.count, TABLE_HEADINGS + 3 + 2);
	sample.final = false;
	devices[0].nr_spaces = 0;
	devices[0].queues[1].asid = 0;
}

#define TEST(name) cmocka_unit_test_teardown(name, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(counts_are_a_second),
		TEST(nothing_looked_up_is_no_percentage),
		TEST(a_device_is_counted_on_its_first_line),
		TEST(misses_that_change_hands_have_a_column),
		TEST(accesses_that_fail_have_a_column_once_there_are_any),
		TEST(the_new_columns_are_left_out_first),
		TEST(the_gone_are_in_parentheses),
		TEST(the_gone_are_in_parentheses_when_cut),
		TEST(it_fits_the_terminal),
		TEST(totals_are_exact_if_there_is_room),
		TEST(what_is_left_out_is_told),
		TEST(devices_are_sorted),
		TEST(nothing_comes_last_in_either_direction),
		TEST(every_column_is_sorted_by_what_it_shows),
		TEST(a_mark_tells_the_order),
		TEST(a_line_may_be_a_device),
		TEST(devices_have_names_and_entries),
		TEST(hidden_columns_are_told),
		TEST(address_spaces_have_a_column_if_there_are_any),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
