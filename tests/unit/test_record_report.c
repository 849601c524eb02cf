// SPDX-License-Identifier: GPL-2.0
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "record/report/html.h"
#include "record/report/report.h"
#include "record/report/scale.h"
#include "record/report/svg.h"
#include "top/source.h"

static struct record *record;
static char *text;

static int setup(void **state)
{
	(void)state;
	record = record_new();
	return record ? 0 : -1;
}

static int teardown(void **state)
{
	(void)state;
	free(record);
	free(text);
	text = NULL;
	return 0;
}

static const char *report_of(const struct report_input *inputs, size_t count)
{
	size_t size = 0;
	FILE *out;

	free(text);
	text = NULL;
	out = open_memstream(&text, &size);
	assert_non_null(out);
	report_write(inputs, count, out);
	fclose(out);
	return text;
}

static const char *report(void)
{
	return report_of(&(struct report_input){.record = record}, 1);
}

static bool has(const char *what)
{
	return strstr(text, what);
}

static void numbers_are_for_people(void **state)
{
	char buffer[HTML_SIZE];

	(void)state;
	assert_string_equal(html_count(buffer, 0), "0");
	assert_string_equal(html_count(buffer, 999), "999");
	assert_string_equal(html_count(buffer, 1000), "1,000");
	assert_string_equal(html_count(buffer, 1234567), "1,234,567");
	assert_string_equal(html_count(buffer, UINT64_MAX), "18,446,744,073,709,551,615");
	assert_string_equal(html_time(buffer, 850), "850 ns");
	assert_string_equal(html_time(buffer, 1234), "1.2 µs");
	assert_string_equal(html_time(buffer, 45e6), "45 ms");
	assert_string_equal(html_time(buffer, 2e12), "2000 s");
	assert_string_equal(html_time(buffer, NAN), "–");
	assert_string_equal(html_percent(buffer, 0.9996), "99.9%");
	assert_string_equal(html_percent(buffer, NAN), "–");
	assert_string_equal(html_bytes(buffer, 12), "4 KiB");
	assert_string_equal(html_bytes(buffer, 59), "512 PiB");
	assert_string_equal(html_difference(buffer, 5, 5), "0");
	assert_string_equal(html_difference(buffer, 5, 1005), "+1,000");
	assert_string_equal(html_difference(buffer, 1005, 5), "−1,000");
}

static void axes_end_at_round_numbers(void **state)
{
	(void)state;
	assert_float_equal(tick_step(100, 4), 50, 0);
	assert_float_equal(tick_step(10, 10), 1, 0);
	assert_float_equal(tick_step(11, 10), 2, 0);
	assert_float_equal(tick_end(1234), 1500, 0);
	assert_float_equal(tick_end(0), 1, 0);
	assert_float_equal(tick_end(NAN), 1, 0);
}

static void levels_cover_all_counts(void **state)
{
	static const uint64_t maxima[] = {1, 2, 3, 7, 100, 12345, 1ULL << 53};
	struct scale scale;
	size_t i, level;

	(void)state;
	for (i = 0; i < sizeof(maxima) / sizeof(maxima[0]); i++) {
		scale_init(&scale, maxima[i]);
		assert_in_range(scale.levels, 1, SCALE_LEVELS);
		assert_int_equal(scale.from[0], 1);
		for (level = 1; level < scale.levels; level++)
			assert_true(scale.from[level] > scale.from[level - 1]);
		assert_int_equal(scale_level(&scale, 1), 0);
		assert_int_equal(scale_level(&scale, maxima[i]), scale.levels - 1);
	}
	scale_init(&scale, 0);
	assert_int_equal(scale.levels, 0);
}

static void nothing_is_a_report_too(void **state)
{
	(void)state;
	report();
	assert_true(has("No command"));
	assert_true(has("No miss was answered"));
	assert_true(has("no device had a miss"));
	assert_false(has("role=\"note\""));
	assert_string_equal(text + strlen(text) - 8, "</html>\n");
}

static void address_spaces_have_names(void **state)
{
	(void)state;
	record->nr_devices = 1;
	record->devices[0].id = 1;
	record->devices[0].count = 2;
	record->devices[0].queues[1].vq = 1;
	record->nr_maps = 2;
	record->maps[0].dev = 1;
	record->maps[1].dev = 1;
	report();
	assert_false(has("PASID"));
	record->devices[0].queues[1].asid = 9;
	record->maps[1].asid = 9;
	report();
	assert_true(has("<h3>no PASID, of vhost device 1</h3>"));
	assert_true(has("<h3>PASID 9 of vhost device 1</h3>"));
	assert_true(has(">virtqueue 0</th>"));
	assert_true(has(">virtqueue 1, PASID 9</th>"));
}

static void text_is_no_markup(void **state)
{
	(void)state;
	strcpy(record->command, "sh -c '</code><script>alert(\"1\")</script>&amp;'");
	strcpy(record->machine.cpu, "<b>");
	record->machine.cpus = 1;
	record->nr_devices = 1;
	record->devices[0].id = 1;
	record->devices[0].pid = 1;
	strcpy(record->devices[0].comm, "<i>\"'&");
	report();
	assert_true(has("&lt;/code&gt;&lt;script&gt;alert(&quot;1&quot;)&lt;/script&gt;&amp;amp;"));
	assert_true(has("&lt;i&gt;&quot;&#39;&amp;"));
	assert_false(has("<script>alert") || has("<b></dd>") || has("<i>"));
}

static void what_is_lost_is_told(void **state)
{
	(void)state;
	record->lost_events = 1234;
	report();
	assert_true(has("1,234 events are missing in the maps"));
	assert_false(has("not counted"));
	record->lost_counts = 99;
	report();
	assert_true(has("99 events were not counted"));
}

static void what_is_unknown_is_a_dash(void **state)
{
	(void)state;
	record->total.count[IOTLB_EVICT] = 17;
	report();
	assert_true(has("<td>17</td>"));
	record->unavailable = 1ULL << IOTLB_EVICT | UNAVAILABLE_LATENCY;
	report();
	assert_false(has("<td>17</td>"));
	assert_true(has("<td>–</td>") && has("does not tell all"));
}

static void fill(struct record *of, uint64_t misses)
{
	of->duration_ns = 100000000;
	of->total.count[IOTLB_MISS] = misses;
	of->timeline.count = 2;
	of->timeline.buckets[0].count[IOTLB_MISS] = misses;
	of->timeline.buckets[0].latency[10] = misses;
	of->nr_maps = 1;
	of->maps[0].dev = 1;
	of->maps[0].timeline = of->timeline;
	heat_init(&of->maps[0].heat, 1000000);
	heat_add(&of->maps[0].heat, 0, 0x200000000000 + (misses << 12), IOTLB_EVENT_MISS, misses);
}

static void counts_are_drawn(void **state)
{
	(void)state;
	fill(record, 211);
	report();
	/* In the map and in the heat map of latencies; the row and its range. */
	assert_true(has("data-v=\"0:211 \""));
	assert_true(has("data-n=\"0x2000000d3000 to 0x2000000d3fff\""));
	assert_true(has("data-n=\"1.0 µs to 2.0 µs\""));
	assert_true(has(">0x2000000d3000</text>"));
	assert_true(has("–211 in a cell</title>"));
}

static void two_are_compared(void **state)
{
	struct record *other = record_new();
	struct report_input inputs[2] = {{record, "one.json"}, {other, "two.json"}};

	(void)state;
	assert_non_null(other);
	fill(record, 100);
	fill(other, 350);
	report_of(inputs, 2);
	assert_true(has("<td>100</td><td>350</td><td>+250</td><td>×&#8202;3.50</td>"));
	assert_true(has("one.json") && has("two.json"));
	/* Both on the axis of addresses. */
	assert_true(has(">0x200000064000</text>") && has(">0x20000015e000</text>"));
	assert_true(has("A – Misses: 100") && has("B – Misses: 350"));
	free(other);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(numbers_are_for_people),
		cmocka_unit_test(axes_end_at_round_numbers),
		cmocka_unit_test(levels_cover_all_counts),
		cmocka_unit_test_setup_teardown(nothing_is_a_report_too, setup, teardown),
		cmocka_unit_test_setup_teardown(address_spaces_have_names, setup, teardown),
		cmocka_unit_test_setup_teardown(text_is_no_markup, setup, teardown),
		cmocka_unit_test_setup_teardown(what_is_lost_is_told, setup, teardown),
		cmocka_unit_test_setup_teardown(what_is_unknown_is_a_dash, setup, teardown),
		cmocka_unit_test_setup_teardown(counts_are_drawn, setup, teardown),
		cmocka_unit_test_setup_teardown(two_are_compared, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
