// SPDX-License-Identifier: GPL-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "top/screen.h"

#define NR_DEVICES 40

static struct top_queue queues[NR_DEVICES];
static struct top_device devices[NR_DEVICES];
static const struct top_device *order[NR_DEVICES];
static struct top_sample sample;
static struct screen screen;
static struct screen_lines lines;

/* Device n has n misses and process 1000 + n. */
static int setup(void **state)
{
	size_t i;

	(void)state;
	sample = (struct top_sample){.seconds = 1, .elapsed = 1, .devices = order};
	sample.count = NR_DEVICES;
	for (i = 0; i < NR_DEVICES; i++) {
		queues[i] = (struct top_queue){.vq = 1};
		queues[i].tally.delta.count[IOTLB_MISS] = i;
		queues[i].tally.delta.latency[10] = i;
		devices[i] = (struct top_device){
			.id = i,
			.state = TOP_HELD,
			.pid = 1000 + (pid_t)i,
			.queues = &queues[i],
			.count = 1,
			.sum = queues[i].tally.delta,
		};
		strcpy(devices[i].comm, i % 2 ? "qemu" : "bench");
		snprintf(devices[i].tap, sizeof(devices[i].tap), "tap%zu", i);
		order[i] = &devices[i];
		sample.sum.count[IOTLB_MISS] += i;
		sample.sum.latency[10] += i;
	}
	screen = (struct screen){.sort = sort_key_find("misses"), .interval = 7};
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	screen_lines_free(&lines);
	return 0;
}

static void make_of(const struct top_sample *of, unsigned int width, unsigned int height)
{
	screen_lines_free(&lines);
	lines.width = width;
	lines.height = height;
	assert_int_equal(screen_make(&screen, of, &lines), 0);
}

static void make(unsigned int width, unsigned int height)
{
	make_of(&sample, width, height);
}

/* Number of the line that has this text, -1 if there is none. */
static int find(const char *text)
{
	unsigned int i;

	for (i = 0; i < lines.count; i++)
		if (strstr(lines.lines[i].text, text))
			return (int)i;
	return -1;
}

static void press(const char *keys)
{
	for (; *keys; keys++)
		assert_int_equal(screen_key(&screen, *keys), VIEW_GO_ON);
}

static void it_fills_any_terminal(void **state)
{
	unsigned int width, height, i;

	(void)state;
	screen.latency = true;
	screen_sample(&screen, &sample);
	for (width = 20; width <= 250; width += 23) {
		for (height = 1; height <= 60; height++) {
			make(width, height);
			assert_int_equal(lines.count, height);
			for (i = 0; i < lines.count; i++)
				/* A table has columns that are never left out. */
				assert_in_range(strlen(lines.lines[i].text), 0, width);
		}
	}
}

static void before_the_first_sample_nothing_is_claimed(void **state)
{
	(void)state;
	make_of(NULL, 80, 24);
	assert_int_equal(lines.count, 24);
	assert_int_equal(find("counting; the first sample comes after 7 s"), 0);
	assert_int_equal(find("MISS"), -1);
	assert_int_equal(find("q quit"), 23);
}

static void keys_are_shown_in_80_columns(void **state)
{
	(void)state;
	make(80, 24);
	assert_string_equal(lines.lines[23].text, "q quit h help <> sort r reverse v devices "
						  "t totals l latency / filter spc freeze");
	assert_int_equal(lines.lines[23].style, SCREEN_HEADING);
}

static void a_table_that_is_too_long_is_scrolled(void **state)
{
	(void)state;
	make(80, 24);
	/* The most misses first, as many as fit. */
	assert_int_equal(find(" 1039 qemu"), 6);
	assert_int_equal(find("(0 above, 24 below)"), 22);
	screen_key(&screen, SCREEN_PAGE_DOWN);
	screen_key(&screen, SCREEN_DOWN);
	make(80, 24);
	assert_int_equal(find("(17 above, 7 below)"), 22);
	assert_int_equal(find(" 1022 bench"), 6);
	screen_key(&screen, SCREEN_PAGE_DOWN);
	make(80, 24);
	/* Not beyond the end. */
	assert_int_equal(find("(24 above, 0 below)"), 22);
	screen_key(&screen, SCREEN_PAGE_UP);
	screen_key(&screen, SCREEN_UP);
	make(80, 24);
	assert_int_equal(find("(7 above, 17 below)"), 22);
	screen_key(&screen, SCREEN_HOME);
	make(80, 24);
	assert_int_equal(find("(0 above"), 22);
}

static void the_sort_column_moves(void **state)
{
	(void)state;
	make(80, 24);
	press("<");
	make(80, 24);
	assert_int_equal(find("by lookups"), 1);
	press(">>");
	make(80, 24);
	assert_int_equal(find("by hit"), 1);
	/* To the left of the first is the last. */
	for (int i = 0; i < 6; i++)
		screen_key(&screen, SCREEN_LEFT);
	make(80, 24);
	assert_int_equal(find("by evictions"), 1);
}

static void the_order_is_reversed(void **state)
{
	(void)state;
	press("r");
	make(80, 24);
	assert_int_equal(find("by misses, reverse"), 1);
	assert_int_equal(find(" 1000 bench"), 6);
	assert_non_null(strstr(lines.lines[5].text, "^/s"));
}

static void a_filter_chooses_devices(void **state)
{
	(void)state;
	screen_sample(&screen, &sample);
	press("/tap39");
	make(80, 24);
	assert_int_equal(find("Only command, pid or tap: tap39_"), 23);
	assert_int_equal(find("  1 device "), 0);
	/* The history was of other devices. */
	assert_int_equal(screen.history.count, 0);
	screen_sample(&screen, &sample);
	assert_float_equal(screen.history.misses[0], 39, 0);

	assert_int_equal(screen_key(&screen, SCREEN_BACKSPACE), VIEW_GO_ON);
	screen_key(&screen, SCREEN_ENTER);
	make(80, 24);
	assert_int_equal(find("; only tap3"), 1);
	/* tap3 and tap30 to tap39 */
	assert_int_equal(find("  11 devices "), 0);

	screen_key(&screen, SCREEN_ESCAPE);
	press("/1007");
	make(80, 24);
	assert_int_equal(find("  1 device "), 0);
	screen_key(&screen, SCREEN_ESCAPE);
	press("/QEMU");
	make(80, 24);
	assert_int_equal(find("  20 devices "), 0);
	screen_key(&screen, SCREEN_ESCAPE);
	make(80, 24);
	assert_int_equal(find("  40 devices "), 0);
}

/* While a filter is typed, letters are no commands. */
static void letters_of_a_filter_are_letters(void **state)
{
	(void)state;
	press("/q");
	assert_int_equal(screen_key(&screen, ' '), VIEW_GO_ON);
	press("0123456789012345678901234567890123456789");
	assert_false(screen.frozen);
	assert_int_equal(strlen(screen.filter), sizeof(screen.filter) - 1);
}

static void a_frozen_screen_wants_a_sample_when_it_goes_on(void **state)
{
	(void)state;
	assert_int_equal(screen_key(&screen, ' '), VIEW_GO_ON);
	assert_true(screen.frozen);
	make(80, 24);
	assert_int_equal(find("FROZEN"), 0);
	assert_int_equal(screen_key(&screen, ' '), VIEW_SAMPLE);
	assert_false(screen.frozen);
}

static void latencies_have_a_pane(void **state)
{
	(void)state;
	press("l");
	make(80, 24);
	assert_int_equal(find("FROM MISS TO ANSWER"), 13);
	assert_int_equal(find("  <  2.0 us              780  ####"), 14);
	sample.unavailable = UNAVAILABLE_LATENCY;
	make(80, 24);
	assert_int_equal(find("this kernel does not tell"), 14);
	press("l");
	make(80, 24);
	assert_int_equal(find("FROM MISS"), -1);
}

static void totals_are_of_all_time(void **state)
{
	(void)state;
	sample.elapsed = 12.5;
	queues[39].tally.total.count[IOTLB_MISS] = 12345;
	devices[39].sum_total = queues[39].tally.total;
	press("tv");
	make(200, 24);
	assert_int_equal(find("in all 12.5 s"), 1);
	press("v");
	make(200, 24);
	assert_true(find(" 12345 ") > 0);
}

static void lines_are_pasids_when_p_is_pressed(void **state)
{
	(void)state;
	make(200, 24);
	assert_int_equal(find(" PASID"), -1);
	press("p");
	make(200, 24);
	assert_true(find(" PASID") >= 0);
	/* Another key chooses anew, and the same one goes back. */
	press("v");
	assert_int_equal(screen.by, TABLE_BY_DEVICE);
	press("pp");
	assert_int_equal(screen.by, TABLE_BY_QUEUE);
	make(200, 24);
	assert_int_equal(find(" PASID"), -1);
}

static void help_hides_all_else(void **state)
{
	(void)state;
	press("?");
	make(80, 24);
	assert_int_equal(find("  q  Ctrl-C        quit"), 12);
	assert_int_equal(find("1039"), -1);
	/* That key is used up. */
	press("r");
	assert_false(screen.reverse);
	make(80, 24);
	assert_true(find("1039") > 0);
}

static void q_quits(void **state)
{
	(void)state;
	assert_int_equal(screen_key(&screen, 'q'), VIEW_QUIT);
	press("h");
	assert_int_equal(screen_key(&screen, 'q'), VIEW_QUIT);
}

static void history_is_of_what_is_known(void **state)
{
	(void)state;
	screen_sample(&screen, &sample);
	make(80, 24);
	/* Nothing was looked up. */
	assert_string_equal(lines.lines[2].text, "hit %      -   ");
	assert_string_equal(lines.lines[3].text, "miss/s   780  #");
	screen.utf8 = true;
	sample.sum.count[IOTLB_MISS] = 390;
	sample.sum.count[IOTLB_HIT_BUFFER] = 10;
	screen_sample(&screen, &sample);
	make(80, 24);
	assert_string_equal(lines.lines[2].text, "hit %    100   █");
	assert_string_equal(lines.lines[3].text, "miss/s   390  █▅");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(it_fills_any_terminal),
		TEST(before_the_first_sample_nothing_is_claimed),
		TEST(keys_are_shown_in_80_columns),
		TEST(a_table_that_is_too_long_is_scrolled),
		TEST(the_sort_column_moves),
		TEST(the_order_is_reversed),
		TEST(a_filter_chooses_devices),
		TEST(letters_of_a_filter_are_letters),
		TEST(a_frozen_screen_wants_a_sample_when_it_goes_on),
		TEST(latencies_have_a_pane),
		TEST(totals_are_of_all_time),
		TEST(lines_are_pasids_when_p_is_pressed),
		TEST(help_hides_all_else),
		TEST(q_quits),
		TEST(history_is_of_what_is_known),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
